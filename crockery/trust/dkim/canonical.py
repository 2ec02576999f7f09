"""The canonical forms of DKIM (RFC 6376 §3.4), for signing and for verifying.

Lines end with CRLF; a CR or LF alone is an octet like others. Time is linear in the octets whatever they are (blanks
without end are the usual attack), and of a body no more is held than one piece and the count of its last line breaks.
"""

import hashlib
from collections.abc import Callable
from typing import Final

_PIECE: Final = 64 * 1024  # octets worked on at once: fits the processor's cache, bounds the copies


def relaxed_field(name: bytes, value: bytes) -> bytes:
    """A header field in relaxed form (§3.4.2), without its line end; `value` may be folded and end with CRLF."""
    return name.strip(b" \t").lower() + b":" + collapse_blanks(value.replace(b"\r\n", b"")).strip(b" ")


def collapse_blanks(data: bytes) -> bytes:
    """`data` with each run of blanks and tabs as one blank. Runs shrink by the factor of each pass: few are needed."""
    data = data.replace(b"\t", b" ")
    if b" " * 16 in data:
        data = data.replace(b" " * 256, b" ").replace(b" " * 16, b" ")
    while b"  " in data:
        data = data.replace(b"  ", b" ")
    return data


class BodyCanonicaliser:
    """Writes the canonical form of a body that comes in pieces of any size (§3.4.3 simple, §3.4.4 relaxed)."""

    def __init__(self, write: Callable[[bytes], object], *, relaxed: bool = True) -> None:
        self._write = write
        self._relaxed = relaxed
        self._tail = b""  # at most " \r": what the next octet may make part of a line end
        self._breaks = 0  # line ends held back: they vanish if nothing follows
        self._empty = True

    def update(self, data: bytes | memoryview) -> None:
        """Take the next octets of the body."""
        view = memoryview(data)
        for start in range(0, len(view), _PIECE):
            self._take(self._tail + view[start : start + _PIECE])

    def finish(self) -> None:
        """The body is whole: write its end."""
        if self._tail and not (self._relaxed and self._tail == b" "):
            self._emit(self._tail)
        if not self._empty or not self._relaxed:
            self._write(b"\r\n")

    def _take(self, data: bytes) -> None:
        if self._relaxed:
            data = collapse_blanks(data).replace(b" \r\n", b"\r\n")
            cut = len(data) - (2 if data.endswith(b" \r") else data.endswith((b" ", b"\r")))
        else:
            cut = len(data) - data.endswith(b"\r")
        self._tail = data[cut:]
        end = cut - _last_breaks(data, cut)
        if end:
            self._emit(data[:end])
        self._breaks += (cut - end) // 2

    def _emit(self, data: bytes) -> None:
        while self._breaks:  # in steps: a stranger may have sent millions
            step = min(self._breaks, _PIECE)
            self._write(b"\r\n" * step)
            self._breaks -= step
        self._write(data)
        self._empty = False


def _last_breaks(data: bytes, end: int) -> int:
    """The octets of the CRLFs at the end of `data[:end]`."""
    if not data.endswith(b"\r\n", 0, end):
        return 0
    rest = data[len(data[:end].rstrip(b"\r\n")) : end]
    alternating = rest[max(rest.rfind(b"\r\r"), rest.rfind(b"\n\n")) + 1 :]
    return len(alternating) - alternating.startswith(b"\n")


class BodyHash:
    """The `bh=` of a body that comes in pieces: SHA-256 of its canonical form."""

    def __init__(self, *, relaxed: bool = True) -> None:
        self._hash = hashlib.sha256()
        self._canonical = BodyCanonicaliser(self._hash.update, relaxed=relaxed)

    def update(self, data: bytes | memoryview) -> None:
        """Take the next octets of the body."""
        self._canonical.update(data)

    def digest(self) -> bytes:
        """32 octets. The body is whole: to be called once."""
        self._canonical.finish()
        return self._hash.digest()
