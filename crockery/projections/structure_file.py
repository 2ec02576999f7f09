"""The derived file `structure`: what FETCH asks of messages besides their octets, in compressed blocks of neighbours.

A `block_file` of `structure_block`s; what is said of which messages stays in memory while it is asked for. A block that
does not verify reads as empty: its rows are computed again by whoever asks.
"""

import struct
import threading
from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from crockery.limits import STRUCTURE_BLOCK, STRUCTURE_BLOCKS, STRUCTURE_LEVEL, STRUCTURE_TEXTS
from crockery.projections.block_file import BlockFile
from crockery.projections.structure_block import Block, Kept, Rows, encode_block
from crockery.projections.structure_texts import Ask

MAGIC: Final = b"CrkStruc"
VERSION: Final = 3
NAME: Final = "structure"
_PREFIX: Final = struct.Struct("<8sII")
_LARGEST: Final = 1024 * STRUCTURE_BLOCK


class Told(NamedTuple):
    """What a block answers to an Ask."""

    numbers: list[int]
    """The messages of its rows; 0: erased."""
    texts: list[bytes | None]


_NOTHING: Final = Told([], [])


class StructureFile:
    """Blocks of rows on disk. Reading and writing one blocks for some fifty microseconds; threads may read."""

    def __init__(self, folder: Path, log_header: bytes, summary_version: int) -> None:
        """Open the file in `folder`, or begin a new one when it is of another log or version; raises OSError."""
        start = _PREFIX.pack(MAGIC, VERSION, summary_version) + log_header
        self._file = BlockFile(folder, NAME, start, _LARGEST, STRUCTURE_LEVEL)
        self._lock = threading.Lock()
        self._blocks: OrderedDict[int, Block] = OrderedDict()
        self._told: OrderedDict[tuple[int, Ask], Told] = OrderedDict()
        """Answers of blocks, those asked for last at the end."""
        self._told_octets = 0
        self._erased: defaultdict[int, set[int]] = defaultdict(set)
        """Block to those of its messages that are erased: they are in the file until `erase_some` has been there."""

    @property
    def last(self) -> int:
        """Number of the newest message that has a row; 0: none."""
        return self._file.last

    @property
    def blocks_to_erase(self) -> int:
        """Blocks with rows of erased messages."""
        return len(self._erased)

    def blocks_of(self, numbers: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
        """For each message the one block that may have its row; -1: none."""
        return self._file.blocks_of(numbers)

    def rows(self, block: int) -> Rows:
        """The rows of a block."""
        if block < 0:
            return {}
        read = self._block(block)
        rows = {} if read is None else read.rows()
        for number in self._erased.get(block, ()):
            rows.pop(number, None)
        return rows

    def texts(self, block: int, ask: Ask) -> Told:
        """What the rows of a block answer. Do not change it."""
        key = block, ask
        with self._lock:
            told = self._told.get(key)
            if told is not None:
                self._told.move_to_end(key)
                return told
        read = self._block(block) if block >= 0 else None
        if read is None:
            return _NOTHING
        erased = self._erased.get(block, ())
        told = Told([0 if number in erased else number for number in read.numbers], ask.of_block(read))
        with self._lock:
            if key not in self._told:
                self._told[key] = told
                self._told_octets += _octets(told)
            while self._told_octets > STRUCTURE_TEXTS:
                self._told_octets -= _octets(self._told.popitem(last=False)[1])
        return told

    def append(self, rows: Mapping[int, Kept]) -> None:
        """Add a block: messages in order of number, all beyond `last`. Raises OSError."""
        numbers = list(rows)
        self._file.append(numbers[0], numbers[-1], encode_block(rows))

    def erase(self, numbers: Iterable[int]) -> None:
        """Forget these messages; their octets go from the file when `erase_some` comes to them."""
        wanted = np.array(list(numbers), dtype=np.uint64)
        for number, block in zip(wanted.tolist(), self.blocks_of(wanted).tolist(), strict=True):
            if block >= 0:
                self._erased[block].add(number)
        with self._lock:
            self._forget()

    def erase_some(self, count: int) -> None:
        """Write up to `count` of the blocks without the rows that were erased. Raises OSError."""
        for block in list(self._erased)[:count]:
            self._file.replace(block, encode_block(self.rows(block)))
            del self._erased[block]
            with self._lock:
                self._forget()

    def clear(self) -> None:
        """Forget all rows. Raises OSError."""
        self._file.clear()
        self._erased.clear()
        with self._lock:
            self._forget()

    def close(self) -> None:
        """Finish erasing and close the files. Raises OSError."""
        self.erase_some(len(self._erased))
        self._file.close()

    def _block(self, block: int) -> Block | None:
        with self._lock:
            found = self._blocks.get(block)
        if found is None:
            data = self._file.read(block)
            found = None if data is None else Block(data)
            with self._lock:
                if found is not None:
                    self._blocks[block] = found
                if len(self._blocks) > STRUCTURE_BLOCKS:
                    self._blocks.popitem(last=False)
        return found

    def _forget(self) -> None:
        self._blocks.clear()
        self._told.clear()
        self._told_octets = 0


_OBJECT: Final = 50
"""Octets that a text takes beside its own."""


def _octets(told: Told) -> int:
    return sum(len(text) + _OBJECT for text in told.texts if text is not None)
