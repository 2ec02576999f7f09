"""xtext, the encoding of values in parameters of MAIL and RCPT (RFC 3461 §4), and ORCPT, which is partly of it.

`xtext = *( xchar / hexchar )`: printable ASCII but "+" and "=", these and all else as "+" and two hexadecimal digits.
"""

import re
from typing import Final

# One character at least; hexadecimal digits are capitals, but small ones are understood.
XTEXT: Final = r"(?:[!-*,-<>-~]|\+[0-9A-Fa-f]{2})+"

_HEX: Final = re.compile(rb"\+([0-9A-Fa-f]{2})")
_ENCODED: Final = re.compile(rb"[^!-*,-<>-~]")


def decode_xtext(text: str) -> str:
    """What xtext stands for; octets that are not UTF-8 become U+FFFD."""
    return _HEX.sub(lambda match: bytes.fromhex(match[1].decode()), text.encode()).decode("utf-8", "replace")


def encode_xtext(text: str) -> str:
    """The xtext for a text."""
    return _ENCODED.sub(lambda match: b"+%02X" % match[0][0], text.encode()).decode("ascii")


def decode_orcpt(value: str) -> str:
    """`original-recipient-address = addr-type ";" xtext`, its xtext undone; type utf-8 (RFC 6533 §3) stays as it is."""
    kind, semicolon, address = value.partition(";")
    return f"{kind}{semicolon}{address if kind.lower() == 'utf-8' else decode_xtext(address)}"


def encode_orcpt(value: str) -> str:
    """The inverse of `decode_orcpt`."""
    kind, semicolon, address = value.partition(";")
    return f"{kind}{semicolon}{address if kind.lower() == 'utf-8' else encode_xtext(address)}"
