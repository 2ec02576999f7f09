"""What the server and its children say to each other, sans-IO.

A frame: its length (4 octets, little-endian), then a msgpack array: what it is, a small number, and its values.
"""

import struct
from enum import IntEnum
from typing import Any, Final, NamedTuple

import msgpack

from crockery.limits import CHILD_FRAME

RECEIVE: Final = 1 << 20
"""Octets that come at once: a long answer takes one or two turns of the loop."""

_LENGTH: Final = struct.Struct("<I")


class BadFrame(Exception):
    """The other side is not what it should be."""


class Frame(NamedTuple):
    """A frame as it came."""

    kind: int
    values: list[Any]

    def values_of(self, kind: IntEnum) -> list[Any]:
        """Its values; it must be of this kind. Raises BadFrame."""
        if self.kind != kind:
            raise BadFrame(f"a frame of kind {self.kind} instead of {kind.name}")
        return self.values


def encode(kind: int, *values: object) -> bytes:
    """A frame. Named tuples are arrays."""
    packed: bytes = msgpack.packb((kind, *values), unicode_errors="surrogatepass")
    return _LENGTH.pack(len(packed)) + packed


class Receiver:
    """Octets to frames."""

    def __init__(self) -> None:
        self._data = bytearray()

    def receive_data(self, data: bytes | bytearray) -> None:
        """Octets came."""
        self._data += data

    def next_frame(self) -> Frame | None:
        """The next frame; None: more octets are needed. Raises BadFrame."""
        if len(self._data) < _LENGTH.size:
            return None
        (length,) = _LENGTH.unpack_from(self._data)
        if length > CHILD_FRAME:
            raise BadFrame(f"a frame of {length} octets")
        end = _LENGTH.size + length
        if len(self._data) < end:
            return None
        packed = bytes(self._data[_LENGTH.size : end])
        del self._data[:end]
        try:
            kind, *values = msgpack.unpackb(packed, strict_map_key=False, unicode_errors="surrogatepass")
        except Exception as error:  # msgpack raises many
            raise BadFrame(f"no frame: {error}") from error
        if not isinstance(kind, int):
            raise BadFrame(f"a frame that is {kind!r}")
        return Frame(kind, values)
