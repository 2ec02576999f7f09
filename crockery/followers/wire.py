"""What the server and its child that makes rows say to each other, sans-IO.

A frame: its length (4 octets, little-endian), then a msgpack array: what it is, and its values. The server begins with
BEGIN and is told READY; then each MAKE is answered by MADE, after any number of WHERE, each of which is answered by
THERE. Numbers are those of messages (or records, in WHERE), offsets those of their records in the log.
"""

import struct
from enum import IntEnum
from typing import Any, Final, NamedTuple

import msgpack

from crockery.limits import ROWS_FRAME
from crockery.projections.block_file import Block
from crockery.projections.gathering import Begun
from crockery.projections.gathering import Made as OfFile
from crockery.projections.rows import AllBegun, Made
from crockery.projections.structure import Kept
from crockery.projections.structure_order import Order

_LENGTH: Final = struct.Struct("<I")


class Kind(IntEnum):
    """What a frame is."""

    BEGIN = 1
    """The files are so far: an AllBegun."""
    READY = 2
    """The child has all it needs."""
    MAKE = 3
    """These messages: a Wanted, and their offsets."""
    WHERE = 4
    """Where is the record with this number?"""
    THERE = 5
    """At this offset; None: it is not there, or erased."""
    MADE = 6
    """A Made."""


class BadFrame(Exception):
    """The other side is not what it should be."""


class Frame(NamedTuple):
    """A frame as it came."""

    kind: Kind
    values: list[Any]

    def begun(self) -> AllBegun:
        """Of a BEGIN. Raises BadFrame."""
        try:
            structure, texts = self.values
            last, rows = structure
            return AllBegun(Begun(last, _kept(rows)), [Begun(at, _texts(rows)) for at, rows in texts])
        except (TypeError, ValueError, AttributeError) as error:
            raise BadFrame(f"not as far as files can be: {error}") from error

    def made(self) -> Made:
        """Of a MADE. Raises BadFrame."""
        try:
            done, structure, texts = self.values
            blocks, rows = structure
            of_texts = [OfFile(_blocks(of_area), _texts(gathered)) for of_area, gathered in texts]
            return Made(done, OfFile(_blocks(blocks), _kept(rows)), of_texts)
        except (TypeError, ValueError, AttributeError) as error:
            raise BadFrame(f"not what can be made: {error}") from error


def _blocks(blocks: list[Any]) -> list[Block]:
    return [Block(*block) for block in blocks]


def _kept(rows: dict[int, list[Any]]) -> dict[int, Kept]:
    return {
        number: Kept(envelope, bodystructure, header, Order(*map(tuple, order)), utf8_differs)
        for number, (envelope, bodystructure, header, order, utf8_differs) in rows.items()
    }


def _texts(rows: dict[int, list[bytes]]) -> dict[int, tuple[bytes, ...]]:
    return {number: tuple(texts) for number, texts in rows.items()}


def encode(kind: Kind, *values: object) -> bytes:
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
        if length > ROWS_FRAME:
            raise BadFrame(f"a frame of {length} octets")
        end = _LENGTH.size + length
        if len(self._data) < end:
            return None
        packed = bytes(self._data[_LENGTH.size : end])
        del self._data[:end]
        try:
            kind, *values = msgpack.unpackb(packed, strict_map_key=False, unicode_errors="surrogatepass")
            return Frame(Kind(kind), values)
        except Exception as error:  # msgpack raises many
            raise BadFrame(f"no frame: {error}") from error
