"""The derived file `structure`: what FETCH asks of messages besides their octets, in compressed blocks of neighbours.

File: magic, versions, the log's header; then blocks (`structure_block`): zstd frames with a checksum. Beside it
`structure.index`: of each block the first and the last number, offset and length. A block that does not verify reads as
empty: its rows are computed again by whoever asks.
"""

import os
import struct
import threading
from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import zstandard

from crockery.limits import STRUCTURE_BLOCK, STRUCTURE_BLOCKS, STRUCTURE_TEXTS
from crockery.projections.structure_block import Block, Kept, Rows, encode_block
from crockery.projections.structure_texts import Ask

MAGIC: Final = b"CrkStruc"
VERSION: Final = 3
NAME: Final = "structure"
_PREFIX: Final = struct.Struct("<8sII")
_INDEX: Final = np.dtype([("first", "<u8"), ("last", "<u8"), ("offset", "<u8"), ("length", "<u8")])


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
        folder.mkdir(mode=0o700, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        self._file = os.open(folder / NAME, flags, 0o600)
        self._index_file = os.open(folder / (NAME + ".index"), flags, 0o600)
        self._compressor = zstandard.ZstdCompressor(write_checksum=True)
        self._decompressor = zstandard.ZstdDecompressor()
        self._lock = threading.Lock()
        self._start = _PREFIX.pack(MAGIC, VERSION, summary_version) + log_header
        self._blocks: OrderedDict[int, Block] = OrderedDict()
        self._told: OrderedDict[tuple[int, Ask], Told] = OrderedDict()
        """Answers of blocks, those asked for last at the end."""
        self._told_octets = 0
        self._erased: defaultdict[int, set[int]] = defaultdict(set)
        """Block to those of its messages that are erased: they are in the file until `erase_some` has been there."""
        if os.pread(self._file, len(self._start), 0) != self._start:
            self.clear()
        self._index = self._load_index()

    @property
    def last(self) -> int:
        """Number of the newest message that has a row; 0: none."""
        return int(self._index["last"][-1]) if len(self._index) else 0

    @property
    def blocks_to_erase(self) -> int:
        """Blocks with rows of erased messages."""
        return len(self._erased)

    def blocks_of(self, numbers: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
        """For each message the one block that may have its row; -1: none."""
        blocks: npt.NDArray[np.int64] = np.searchsorted(self._index["first"], numbers, side="right") - 1
        return blocks

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
        frame = self._compressor.compress(encode_block(rows))
        os.pwrite(self._file, frame, self._end)
        numbers = list(rows)
        entry = np.array([(numbers[0], numbers[-1], self._end, len(frame))], dtype=_INDEX)
        os.pwrite(self._index_file, entry.tobytes(), self._index.nbytes)
        self._index = np.concatenate((self._index, entry))

    def erase(self, numbers: Iterable[int]) -> None:
        """Forget these messages; their octets go from the file when `erase_some` comes to them."""
        wanted = np.array(list(numbers), dtype=np.uint64)
        for number, block in zip(wanted.tolist(), self.blocks_of(wanted).tolist(), strict=True):
            if block >= 0 and number <= self._index["last"][block]:
                self._erased[block].add(number)
        with self._lock:
            self._forget()

    def erase_some(self, count: int) -> None:
        """Write up to `count` of the blocks without the rows that were erased. Raises OSError."""
        for block in list(self._erased)[:count]:
            frame = self._compressor.compress(encode_block(self.rows(block)))
            entry = self._index[block]
            length = int(entry["length"])
            if len(frame) > length:  # which is said to be impossible; the rows left are computed when asked for
                frame = b""
            os.pwrite(self._file, frame.ljust(length, b"\0"), int(entry["offset"]))
            entry["length"] = len(frame)
            os.pwrite(self._index_file, entry.tobytes(), block * _INDEX.itemsize)
            del self._erased[block]
            with self._lock:
                self._forget()

    def clear(self) -> None:
        """Forget all rows. Raises OSError."""
        os.ftruncate(self._index_file, 0)
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, self._start, 0)
        self._index = np.empty(0, dtype=_INDEX)
        self._erased.clear()
        with self._lock:
            self._forget()

    def close(self) -> None:
        """Finish erasing and close the files. Raises OSError."""
        self.erase_some(len(self._erased))
        os.close(self._file)
        os.close(self._index_file)

    @property
    def _end(self) -> int:
        return int(self._index["offset"][-1] + self._index["length"][-1]) if len(self._index) else len(self._start)

    def _load_index(self) -> npt.NDArray[Any]:
        size = os.fstat(self._index_file).st_size
        index = np.frombuffer(bytearray(os.pread(self._index_file, size - size % _INDEX.itemsize, 0)), dtype=_INDEX)
        ends = index["offset"] + index["length"]
        sound = (index["first"] <= index["last"]) & (ends <= os.fstat(self._file).st_size)
        sound[1:] &= (index["first"][1:] > index["last"][:-1]) & (index["offset"][1:] >= ends[:-1])
        good = len(index) if sound.all() else int(np.argmin(sound))
        self._index = index[:good]
        while good and not self._read(good - 1):
            good -= 1
        os.ftruncate(self._index_file, good * _INDEX.itemsize)
        return index[:good]

    def _block(self, block: int) -> Block | None:
        with self._lock:
            found = self._blocks.get(block)
        if found is None:
            found = self._read(block)
            with self._lock:
                if found is not None:
                    self._blocks[block] = found
                if len(self._blocks) > STRUCTURE_BLOCKS:
                    self._blocks.popitem(last=False)
        return found

    def _read(self, block: int) -> Block | None:
        entry = self._index[block]
        frame = os.pread(self._file, int(entry["length"]), int(entry["offset"]))
        try:
            if zstandard.frame_content_size(frame) > _MAX_BLOCK:  # damage must not cost gigabytes of memory
                return None
            with self._lock:  # a context serves one thread at a time
                data = self._decompressor.decompress(frame)
        except zstandard.ZstdError:
            return None
        return Block(data)

    def _forget(self) -> None:
        self._blocks.clear()
        self._told.clear()
        self._told_octets = 0


_MAX_BLOCK: Final = 1024 * STRUCTURE_BLOCK

_OBJECT: Final = 50
"""Octets that a text takes beside its own."""


def _octets(told: Told) -> int:
    return sum(len(text) + _OBJECT for text in told.texts if text is not None)
