"""The derived file `structure`: what FETCH asks of messages besides their octets, in compressed blocks of neighbours.

A `block_file` of `structure_block`s; what is said of which messages stays in memory while it is asked for. A block that
does not verify reads as empty: its rows are computed again by whoever asks.
"""

import struct
import threading
from collections import OrderedDict
from collections.abc import Hashable, Iterable
from pathlib import Path
from typing import Final, Generic, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from crockery.limits import STRUCTURE_BLOCK, STRUCTURE_LEVEL, STRUCTURE_PARTS, STRUCTURE_TEXTS
from crockery.projections.block_file import Block, BlockFile
from crockery.projections.structure_block import PARTS, Headers, Listings, Rows, decode_rows, encode_block
from crockery.projections.structure_order import Orders
from crockery.projections.structure_reader import PartReader
from crockery.projections.structure_texts import Ask

Part = TypeVar("Part", bound=PartReader)
Value = TypeVar("Value")

MAGIC: Final = b"CrkStruc"
VERSION: Final = 4
NAME: Final = "structure"
_PREFIX: Final = struct.Struct("<8sII")
_LARGEST: Final = 256 * STRUCTURE_BLOCK


class Told(NamedTuple):
    """What a block answers to an Ask."""

    numbers: list[int]
    """The messages of its rows; 0: erased."""
    texts: list[bytes | None]


_OBJECT: Final = 50
"""Octets that a text takes beside its own."""
_NOTHING: Final = Told([], [])


class Lately(Generic[Value]):
    """What was asked for lately, up to so many octets of it. Threads may share it."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._lock = threading.Lock()
        self._values: OrderedDict[Hashable, tuple[Value, int]] = OrderedDict()

    def get(self, key: Hashable) -> Value | None:
        """The value, if it is there; it goes last then."""
        with self._lock:
            found = self._values.get(key)
            if found is None:
                return None
            self._values.move_to_end(key)
            return found[0]

    def put(self, key: Hashable, value: Value, octets: int) -> None:
        """Add a value, unless there is one; those that nobody asked for longest make room."""
        with self._lock:
            if key in self._values:
                return
            self._values[key] = value, octets
            self._room -= octets
            while self._room < 0:
                self._room += self._values.popitem(last=False)[1][1]

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._room += sum(octets for _, octets in self._values.values())
            self._values.clear()


class StructureFile:
    """Blocks of rows on disk. Reading one blocks for some hundred microseconds; threads may read."""

    def __init__(self, folder: Path, log_header: bytes, summary_version: int) -> None:
        """Open the file in `folder`, or begin a new one when it is of another log or version; raises OSError."""
        start = _PREFIX.pack(MAGIC, VERSION, summary_version) + log_header
        self._file = BlockFile(folder, NAME, start, _LARGEST, STRUCTURE_LEVEL, PARTS)
        self._parts: Lately[PartReader] = Lately(STRUCTURE_PARTS)
        """By block and kind."""
        self._told: Lately[Told] = Lately(STRUCTURE_TEXTS)
        """By block and Ask."""

    @property
    def last(self) -> int:
        """Number of the newest message that has a row; 0: none."""
        return self._file.last

    @property
    def blocks_to_erase(self) -> int:
        """Blocks with rows of erased messages."""
        return self._file.blocks_to_erase

    def blocks_of(self, numbers: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
        """For each message the one block that may have its row; -1: none."""
        return self._file.blocks_of(numbers)

    def rows(self, block: int) -> Rows:
        """The rows of a block."""
        listings, headers, orders = self._part(block, Listings), self._part(block, Headers), self._part(block, Orders)
        if listings is None or headers is None or orders is None:
            return {}
        rows = decode_rows(listings, headers, orders)
        for number in self._file.erased(block):
            rows.pop(number, None)
        return rows

    def orders(self, block: int) -> tuple[list[int], Orders] | None:
        """The columns of a block for SORT and THREAD, and the messages of their rows; 0: erased."""
        orders = self._part(block, Orders)
        return None if orders is None else (self._numbers(block, orders), orders)

    def texts(self, block: int, ask: Ask) -> Told:
        """What the rows of a block answer. Do not change it."""
        key = block, ask
        told = self._told.get(key)
        if told is not None:
            return told
        read = self._part(block, ask.kind)
        if read is None:
            return _NOTHING
        texts = ask.of_block(read)
        told = Told(self._numbers(block, read), texts)
        self._told.put(key, told, sum(map(len, filter(None, texts))) + _OBJECT * len(texts))
        return told

    def append(self, block: Block) -> None:
        """Add a block about messages beyond `last`. Raises OSError."""
        self._file.append(block)

    def erase(self, numbers: Iterable[int]) -> None:
        """Forget these messages; their octets go from the file when `erase_some` comes to them."""
        self._file.erase(numbers)
        self._forget()

    def erase_some(self, count: int) -> None:
        """Write up to `count` of the blocks without the rows that were erased. Raises OSError."""
        if self.blocks_to_erase:
            self._file.erase_some(count, lambda block: encode_block(self.rows(block)))
            self._forget()

    def clear(self) -> None:
        """Forget all rows. Raises OSError."""
        self._file.clear()
        self._forget()

    def close(self) -> None:
        """Finish erasing and close the files. Raises OSError."""
        self.erase_some(self.blocks_to_erase)
        self._file.close()

    def _numbers(self, block: int, read: PartReader) -> list[int]:
        erased = self._file.erased(block)
        return read.numbers if not erased else [0 if number in erased else number for number in read.numbers]

    def _part(self, block: int, kind: type[Part]) -> Part | None:
        if block < 0:
            return None
        key = block, kind
        found = self._parts.get(key)
        if not isinstance(found, kind):
            data = self._file.read(block, kind.PART)
            if data is None:
                return None
            found = kind(data)
            self._parts.put(key, found, len(data))
        return found

    def _forget(self) -> None:
        self._parts.clear()
        self._told.clear()
