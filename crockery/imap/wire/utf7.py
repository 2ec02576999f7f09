"""Modified UTF-7, the spelling of mailbox names in IMAP4rev1 (RFC 3501 section 5.1.3).

Printable ASCII stands for itself but `&`, which is `&-`; all else is UTF-16BE in base64 with `,` for `/`, without
padding, between `&` and `-`. Each name has one spelling: `decode` refuses any other, so that it is `encode`'s inverse.
"""

import binascii
import re

SHIFTED = re.compile("&|[^\x20-\x7e]+")
UNSHIFTED = re.compile(rb"&([^-&]*)-")


def encode(name: str) -> bytes:
    """Text to modified UTF-7; lone surrogates raise UnicodeEncodeError."""
    return SHIFTED.sub(_shift, name).encode("ascii")


def decode(name: bytes) -> str:
    """Modified UTF-7 to text; raises ValueError for what is not, or not in its one spelling."""
    pieces: list[str] = []
    position = 0
    for shifted in UNSHIFTED.finditer(name):
        pieces.append(name[position : shifted.start()].decode("ascii"))
        pieces.append(_unshift(shifted[1]) if shifted[1] else "&")
        position = shifted.end()
    pieces.append(name[position:].decode("ascii"))
    text = "".join(pieces)
    if encode(text) != name:
        raise ValueError("not canonical modified UTF-7")
    return text


def _shift(found: re.Match[str]) -> str:
    if found[0] == "&":
        return "&-"
    base64 = binascii.b2a_base64(found[0].encode("utf-16-be"), newline=False).decode("ascii")
    return "&" + base64.rstrip("=").replace("/", ",") + "-"


def _unshift(base64: bytes) -> str:
    padded = base64.replace(b",", b"/") + b"=" * (-len(base64) % 4)
    return binascii.a2b_base64(padded).decode("utf-16-be")
