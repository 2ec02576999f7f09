"""Header values for a client of IMAP4rev1 without UTF8=ACCEPT: octets above 127 become ASCII (RFC 9755, RFC 6858).

A domain gets its A-labels (RFC 5891), a URI percent signs (RFC 3987 §3.1), all else RFC 2047 encoded words, a
structured value only in the atoms that need one, so that a date or a list of ids can still be read as such. In
parameters RFC 2047 forbids encoded words, but there too they are what all clients read: RFC 2231 would need another
name for the parameter, which there may be already, and its values are misread by some where they stand in quotes. The
message itself is always given as stored. Never raises; ASCII comes out as it went in.
"""

import re
from typing import Final
from urllib.parse import quote

import idna

from crockery.limits import MAX_ENVELOPE_TEXT, SMTP_MAX_DOMAIN
from crockery.message.charsets import decode_charset
from crockery.message.words import decode_words, encode_words

_ATOM: Final = re.compile(r"[^\x00-\x20\x7f<>()@,;:\"]+")
_EIGHT_BIT: Final = re.compile(rb"[\x80-\xff]")
_EIGHT_BIT_RUN: Final = re.compile(r"[^\x00-\x7f]+")
_DOMAIN: Final = re.compile(rb"[^@,]+")


def downgrade_text(value: bytes) -> bytes:
    """Text, which may hold encoded words already."""
    return value if value.isascii() else encode_words(decode_words(value[:MAX_ENVELOPE_TEXT]))


def downgrade_structured(value: bytes) -> bytes:
    """A date, ids, a local part. An atom stays one, so no blanks stand between the words of a long one."""
    if value.isascii():
        return value
    text = decode_charset(value[:MAX_ENVELOPE_TEXT], None)
    return _ATOM.sub(_encode_atom, text).encode("ascii", "replace")


def _encode_atom(match: re.Match[str]) -> str:
    atom = match[0]
    return atom if atom.isascii() else encode_words(atom).replace(b" ", b"").decode("ascii")


def downgrade_domain(value: bytes) -> bytes:
    """A domain. In labels that are none of IDNA, each octet above 127 becomes "?".

    So does one that is not UTF-8: a guessed charset would name a domain that nobody wrote.
    """
    if value.isascii():
        return value
    if len(value) > 4 * SMTP_MAX_DOMAIN:  # octets of a character of UTF-8
        return _mask(value)
    return b".".join(label if label.isascii() else _downgrade_label(label) for label in value.split(b"."))


def _downgrade_label(label: bytes) -> bytes:
    try:
        return idna.encode(label.decode("utf-8"), uts46=True)
    except ValueError:  # UnicodeError and IDNAError are of this kind
        return _mask(label)


def downgrade_route(value: bytes) -> bytes:
    """A route, "@a,@b" (RFC 5322 §4.4)."""
    return value if value.isascii() else _DOMAIN.sub(lambda match: downgrade_domain(match[0]), value)


def downgrade_uri(value: bytes) -> bytes:
    """A URI, or what should be one."""
    if value.isascii():
        return value
    text = decode_charset(value[:MAX_ENVELOPE_TEXT], None)
    return _EIGHT_BIT_RUN.sub(lambda match: quote(match[0], errors="replace"), text).encode("ascii")


def downgrade_parameter(name: bytes, value: bytes) -> tuple[bytes, bytes]:
    """A parameter. One of RFC 2231 ("name*") keeps its charset: its octets only become percent signs."""
    if not value.isascii():
        if name.endswith(b"*"):
            value = _EIGHT_BIT.sub(lambda match: b"%%%02X" % ord(match[0]), value[:MAX_ENVELOPE_TEXT])
        else:
            value = downgrade_text(value)
    return _mask(name), value


def _mask(value: bytes) -> bytes:
    return _EIGHT_BIT.sub(b"?", value)
