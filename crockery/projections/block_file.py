"""A derived file of compressed blocks, each of which has what is kept of a run of messages.

File: a start that names what it is and of which log; then blocks: zstd frames with a checksum. Beside it `NAME.index`:
of each block the first and the last message number, offset and length. A file with another start is begun anew; a block
that does not verify reads as None. What a block holds is its owner's affair.
"""

import os
import threading
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import zstandard

_INDEX: Final = np.dtype([("first", "<u8"), ("last", "<u8"), ("offset", "<u8"), ("length", "<u8")])


class BlockFile:
    """Blocks on disk, in order of number. Reading one takes a millisecond for half a megabyte; threads may read."""

    def __init__(self, folder: Path, name: str, start: bytes, largest: int, level: int) -> None:
        """Open the file in `folder`, or begin a new one when its start differs; raises OSError.

        `largest`: octets that a block may have, so that damage does not cost gigabytes of memory. `level`: of zstd.
        """
        folder.mkdir(mode=0o700, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        self._file = os.open(folder / name, flags, 0o600)
        self._index_file = os.open(folder / (name + ".index"), flags, 0o600)
        self._compressor = zstandard.ZstdCompressor(level=level, write_checksum=True)
        self._contexts = threading.local()
        self._start = start
        self._largest = largest
        if os.pread(self._file, len(start), 0) != start:
            self.clear()
        self._index = self._load_index()

    def __len__(self) -> int:
        return len(self._index)

    @property
    def last(self) -> int:
        """Number of the newest message that a block is about; 0: none."""
        return int(self._index["last"][-1]) if len(self._index) else 0

    def blocks_of(self, numbers: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
        """For each message the one block that may be about it; -1: none."""
        first, last = self._index["first"], self._index["last"]
        blocks: npt.NDArray[np.int64] = np.searchsorted(first, numbers, side="right") - 1
        if len(first):
            blocks[numbers > last[blocks]] = -1
        return blocks

    def bounds(self, block: int) -> tuple[int, int, int]:
        """The first and the last number of a block, and its octets on disk."""
        entry = self._index[block]
        return int(entry["first"]), int(entry["last"]), int(entry["length"])

    def read(self, block: int) -> bytes | None:
        """What a block holds; None if it cannot be read as it was written."""
        entry = self._index[block]
        frame = os.pread(self._file, int(entry["length"]), int(entry["offset"]))
        try:
            if zstandard.frame_content_size(frame) > self._largest:
                return None
            return self._decompressor().decompress(frame)
        except zstandard.ZstdError:
            return None

    def append(self, first: int, last: int, data: bytes) -> None:
        """Add a block about messages beyond `self.last`. Raises OSError."""
        frame = self._compressor.compress(data)
        os.pwrite(self._file, frame, self._end)
        entry = np.array([(first, last, self._end, len(frame))], dtype=_INDEX)
        os.pwrite(self._index_file, entry.tobytes(), self._index.nbytes)
        self._index = np.concatenate((self._index, entry))

    def replace(self, block: int, data: bytes) -> None:
        """Write another content in the place of a block; nothing, if that takes more room. Raises OSError."""
        entry = self._index[block]
        length = int(entry["length"])
        frame = self._compressor.compress(data)
        if len(frame) > length:
            frame = b""
        os.pwrite(self._file, frame.ljust(length, b"\0"), int(entry["offset"]))
        entry["length"] = len(frame)
        os.pwrite(self._index_file, entry.tobytes(), block * _INDEX.itemsize)

    def clear(self) -> None:
        """Forget all blocks. Raises OSError."""
        os.ftruncate(self._index_file, 0)
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, self._start, 0)
        self._index = np.empty(0, dtype=_INDEX)

    def close(self) -> None:
        """Close the files. Raises OSError."""
        os.close(self._file)
        os.close(self._index_file)

    @property
    def _end(self) -> int:
        return int(self._index["offset"][-1] + self._index["length"][-1]) if len(self._index) else len(self._start)

    def _decompressor(self) -> zstandard.ZstdDecompressor:
        """A context serves one thread at a time."""
        found = getattr(self._contexts, "decompressor", None)
        if not isinstance(found, zstandard.ZstdDecompressor):
            found = self._contexts.decompressor = zstandard.ZstdDecompressor()
        return found

    def _load_index(self) -> npt.NDArray[Any]:
        size = os.fstat(self._index_file).st_size
        index = np.frombuffer(bytearray(os.pread(self._index_file, size - size % _INDEX.itemsize, 0)), dtype=_INDEX)
        ends = index["offset"] + index["length"]
        sound = (index["first"] <= index["last"]) & (ends <= os.fstat(self._file).st_size)
        sound[1:] &= (index["first"][1:] > index["last"][:-1]) & (index["offset"][1:] >= ends[:-1])
        good = len(index) if sound.all() else int(np.argmin(sound))
        self._index = index[:good]
        while good and self.read(good - 1) is None:
            good -= 1
        os.ftruncate(self._index_file, good * _INDEX.itemsize)
        return index[:good]
