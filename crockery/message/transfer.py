"""Content-Transfer-Encoding undone (RFC 2045 §6.7, §6.8), for BINARY (RFC 3516) and search. Linear."""

import re
from binascii import a2b_base64, a2b_qp

_NOT_BASE64 = bytes(set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="))
_PADDING = re.compile(rb"=+")
_BLANK_ENDS = (b" ", b"\t", b" \r", b"\t\r")
_STRANGE = re.compile(rb"=(?:[= \t]|\r(?!\n))")
_ESCAPE = re.compile(rb"=(?:([0-9A-Fa-f]{2})|[ \t]*+(?:\r?\n|\Z))")
_IDENTITY = ("7bit", "8bit", "binary")


class UnknownEncodingError(ValueError):
    """A Content-Transfer-Encoding that nobody defined: NO [UNKNOWN-CTE] (RFC 3516 §4.3)."""


def decode_transfer(data: bytes | memoryview, encoding: str) -> bytes:
    """The octets that `data` (a body) stands for in the lower-case `encoding`; damage is passed over.

    Raises:
        UnknownEncodingError: the encoding is none of 7bit, 8bit, binary, quoted-printable, base64.
    """
    if encoding == "base64":
        return decode_base64(bytes(data))
    if encoding == "quoted-printable":
        return decode_quoted_printable(bytes(data))
    if encoding in _IDENTITY:
        return bytes(data)
    raise UnknownEncodingError(encoding)


def decode_base64(data: bytes) -> bytes:
    """The octets in base64 text. Other characters are skipped; padding in the middle only ends a run."""
    data = data.translate(None, _NOT_BASE64)
    return b"".join(_decode_run(run) for run in _PADDING.split(data) if run)


def _decode_run(run: bytes) -> bytes:
    if len(run) % 4 == 1:
        run = run[:-1]  # six bits are no octet
    return a2b_base64(run + b"=" * (-len(run) % 4))


def decode_quoted_printable(data: bytes) -> bytes:
    """The octets in quoted-printable text; an "=" that means nothing stays as it is (RFC 2045 §6.7, note)."""
    *lines, last = data.split(b"\n")
    stripped = [_strip_end(line) if line.endswith(_BLANK_ENDS) else line for line in lines]
    data = b"\n".join([*stripped, last.rstrip(b" \t")])
    if _STRANGE.search(data):  # what binascii does not take as we do
        return _ESCAPE.sub(_unescape, data)
    return a2b_qp(data)


def _strip_end(line: bytes) -> bytes:
    """A line without the blanks before its end, which may be a CR."""
    return line[:-1].rstrip(b" \t") + b"\r" if line.endswith(b"\r") else line.rstrip(b" \t")


def _unescape(match: re.Match[bytes]) -> bytes:
    digits = match[1]
    return b"" if digits is None else bytes((int(digits, 16),))
