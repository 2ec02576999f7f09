"""DKIM-Signature fields (RFC 6376 §3.5, §5), relaxed/relaxed, one for each key.

Fields are named in `h=` as often as the message has them, and once more (RFC 6376 §8.15, "oversigning"): nobody can add
a second From or Subject, or a Reply-To where there is none, and keep the signature. Fields that lists add on their way
(Sender, List-...) are named only as often as they are there.

The time is linear in the header; with RSA-2048 and Ed25519 a mail takes about a millisecond.
"""

from base64 import b64encode
from collections.abc import Iterable, Sequence
from typing import Final

from crockery.message.headers import header_length, iterate_fields
from crockery.trust.dkim.canonical import BodyHash, relaxed_field
from crockery.trust.dkim.keys import SigningKey

OVERSIGNED: Final = (
    b"From", b"To", b"Cc", b"Subject", b"Date", b"Message-ID", b"Reply-To", b"In-Reply-To", b"References",
    b"MIME-Version", b"Content-Type", b"Content-Transfer-Encoding",
)  # fmt: skip
"""Signed whether they are there or not."""

SIGNED: Final = (
    b"Sender", b"Auto-Submitted", b"Autocrypt", b"Content-Description", b"Content-Disposition", b"Content-ID",
    b"Disposition-Notification-To", b"List-Unsubscribe", b"List-Unsubscribe-Post", b"Resent-Cc", b"Resent-Date",
    b"Resent-From", b"Resent-Message-ID", b"Resent-Sender", b"Resent-To", b"TLS-Required",
)  # fmt: skip
"""Signed where they are there (RFC 6376 §5.4.1; RFC 8058 §4 for List-Unsubscribe-Post)."""

_KNOWN: Final = {name.lower(): name for name in (*OVERSIGNED, *SIGNED)}
_OVERSIGNED: Final = frozenset(map(bytes.lower, OVERSIGNED))

_LINE: Final = 76  # octets of a folded line, without CRLF


def sign(
    header: bytes, body_hash: bytes, domain: str, keys: Sequence[SigningKey], *, time: int, expires: int | None = None
) -> bytes:
    """The DKIM-Signature fields to put in front of a message, one for each of `keys`, in their order.

    Args:
        header: the message's header as it will be sent, in CRLF lines; what follows its empty line is not looked at.
        body_hash: `BodyHash().digest()` of the body.
        domain: the signing domain, `d=`, as A-labels.
        time: Unix seconds, `t=`; `expires` likewise is `x=`.
    """
    names, signed = _select(header)
    stamp = f"t={time}" if expires is None else f"t={time}; x={expires}"
    fields = []
    for key in keys:
        head = f"v=1; a={key.algorithm}; c=relaxed/relaxed; d={domain}; s={key.selector}; {stamp};".encode()
        value = b"%b\r\n h=%b;\r\n bh=%b;\r\n b=" % (
            b"\r\n".join(_fold(head.split(b" "), b" ", len("DKIM-Signature: "))),
            b"\r\n ".join(_fold(names, b":", len(" h="))),
            b64encode(body_hash),
        )
        signature = key.sign(signed + relaxed_field(b"DKIM-Signature", value))
        fields.append(b"DKIM-Signature: %b%b\r\n" % (value, _fold_base64(signature)))
    return b"".join(fields)


def sign_message(
    message: bytes, domain: str, keys: Sequence[SigningKey], *, time: int, expires: int | None = None
) -> bytes:
    """`sign` for a message that is in memory as a whole."""
    end = header_length(message)
    body = BodyHash()
    body.update(memoryview(message)[end:])
    return sign(message[:end], body.digest(), domain, keys, time=time, expires=expires)


def _select(header: bytes) -> tuple[list[bytes], bytes]:
    """The names of `h=`, and the canonical form of the fields they stand for, each ended with CRLF (RFC 6376 §5.4.2).

    Of several fields of one name the last comes first. A name beyond the last field stands for nothing.
    """
    found: dict[bytes, list[bytes]] = {}
    for name, _, start, end in iterate_fields(header):
        lower = name.lower()
        if lower in _KNOWN:
            found.setdefault(lower, []).append(relaxed_field(name, header[start:end]))
    names: list[bytes] = []
    lines: list[bytes] = []
    for lower, name in _KNOWN.items():
        fields = found.get(lower, ())
        names += [name] * (len(fields) + (lower in _OVERSIGNED))
        lines += reversed(fields)
    return names, b"".join(line + b"\r\n" for line in lines)


def _fold(items: Iterable[bytes], separator: bytes, taken: int) -> list[bytes]:
    """Items joined by `separator` into lines of 76 octets where they fit; `taken` octets stand before the first line.

    A line that is not the last ends with the separator, unless that is a blank: then the next begins with it.
    """
    lines: list[bytes] = []
    line = b""
    for item in items:
        if line and taken + len(line) + len(separator) + len(item) >= _LINE:
            lines.append(line + separator.rstrip())
            line, taken = (b" " if separator == b" " else b"") + item, 1
        else:
            line = line + separator + item if line else item
    return [*lines, line]


def _fold_base64(data: bytes) -> bytes:
    text = b64encode(data)
    first = _LINE - len(" b=")
    pieces = [text[:first], *(text[start : start + _LINE - 1] for start in range(first, len(text), _LINE - 1))]
    return b"\r\n ".join(pieces)
