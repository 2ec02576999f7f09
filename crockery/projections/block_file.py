"""A derived file of compressed blocks, each of which has what is kept of a run of messages.

File: a start that names what it is and of which log; then blocks, each of as many parts as the file's owner says: zstd
frames with a checksum, so that who needs one part reads no other. Beside it `NAME.index`: of each block the first and
the last message number, the offset, and the length of each part. A file with another start is begun anew; a part that
does not verify reads as None. What a block holds is its owner's affair; which of its messages are erased, and still in
it, is known here.
"""

import os
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import zstandard


class Block(NamedTuple):
    """What a file is to hold of a run of messages."""

    first: int
    last: int
    frames: list[bytes]
    """Its parts, compressed."""


def compressor(level: int) -> zstandard.ZstdCompressor:
    """What makes the frames of blocks."""
    return zstandard.ZstdCompressor(level=level, write_checksum=True)


class BlockFile:
    """Blocks on disk, in order of number. Reading one takes a millisecond for half a megabyte; threads may read."""

    def __init__(self, folder: Path, name: str, start: bytes, largest: int, level: int, parts: int = 1) -> None:
        """Open the file in `folder`, or begin a new one when its start differs; raises OSError.

        `largest`: octets that a part may have, so that damage does not cost gigabytes of memory. `level`: of zstd.
        """
        self._entry = np.dtype([("first", "<u8"), ("last", "<u8"), ("offset", "<u8"), ("lengths", "<u8", (parts,))])
        folder.mkdir(mode=0o700, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        self._file = os.open(folder / name, flags, 0o600)
        self._index_file = os.open(folder / (name + ".index"), flags, 0o600)
        self._compressor = compressor(level)
        self._contexts = threading.local()
        self._erased: defaultdict[int, set[int]] = defaultdict(set)
        """Block to those of its messages that are erased: they are in the file until `erase_some` has been there."""
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

    @property
    def blocks_to_erase(self) -> int:
        """Blocks with what is erased."""
        return len(self._erased)

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
        return int(entry["first"]), int(entry["last"]), int(entry["lengths"].sum())

    def read(self, block: int, part: int = 0) -> bytes | None:
        """What a part of a block holds; None if it cannot be read as it was written."""
        _, _, offset, lengths = self._index[block].tolist()
        frame = os.pread(self._file, lengths[part], offset + sum(lengths[:part]))
        try:
            if zstandard.frame_content_size(frame) > self._largest:
                return None
            return self._decompressor().decompress(frame)
        except zstandard.ZstdError:
            return None

    def append(self, block: Block) -> None:
        """Add a block about messages beyond `self.last`. Raises OSError."""
        os.pwrite(self._file, b"".join(block.frames), self._end)
        entry = np.array([(block.first, block.last, self._end, list(map(len, block.frames)))], dtype=self._entry)
        os.pwrite(self._index_file, entry.tobytes(), self._index.nbytes)
        self._index = np.concatenate((self._index, entry))

    def replace(self, block: int, *parts: bytes) -> None:
        """Write another content in the place of a block; nothing, if that takes more room. Raises OSError."""
        entry = self._index[block : block + 1]
        room = int(entry["lengths"].sum())
        frames = list(map(self._compressor.compress, parts))
        if sum(map(len, frames)) > room:
            frames = [b""] * len(parts)
        os.pwrite(self._file, b"".join(frames).ljust(room, b"\0"), int(entry["offset"][0]))
        entry["lengths"] = list(map(len, frames))
        os.pwrite(self._index_file, entry.tobytes(), block * self._entry.itemsize)

    def erase(self, numbers: Iterable[int]) -> None:
        """Note that these messages are erased; their octets go from the file when `erase_some` comes to them."""
        wanted = np.array(list(numbers), dtype=np.uint64)
        for number, block in zip(wanted.tolist(), self.blocks_of(wanted).tolist(), strict=True):
            if block >= 0:
                self._erased[block].add(number)

    def erased(self, block: int) -> AbstractSet[int]:
        """The messages of a block that are erased and still in it."""
        return self._erased.get(block, frozenset())

    def erase_some(self, count: int, parts_without: Callable[[int], Sequence[bytes]]) -> None:
        """Write up to `count` of the blocks anew, of which `parts_without` gives the parts without what is erased.

        Raises OSError.
        """
        for block in list(self._erased)[:count]:
            self.replace(block, *parts_without(block))
            del self._erased[block]

    def clear(self) -> None:
        """Forget all blocks. Raises OSError."""
        os.ftruncate(self._index_file, 0)
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, self._start, 0)
        self._index = np.empty(0, dtype=self._entry)
        self._erased.clear()  # not before: where the file stays, what is erased in it does too

    def close(self) -> None:
        """Close the files. Raises OSError."""
        os.close(self._file)
        os.close(self._index_file)

    @property
    def _end(self) -> int:
        return int(_ends(self._index[-1:])[0]) if len(self._index) else len(self._start)

    def _decompressor(self) -> zstandard.ZstdDecompressor:
        """A context serves one thread at a time."""
        found = getattr(self._contexts, "decompressor", None)
        if not isinstance(found, zstandard.ZstdDecompressor):
            found = self._contexts.decompressor = zstandard.ZstdDecompressor()
        return found

    def _load_index(self) -> npt.NDArray[Any]:
        entry = self._entry.itemsize
        size = os.fstat(self._index_file).st_size
        index = np.frombuffer(bytearray(os.pread(self._index_file, size - size % entry, 0)), dtype=self._entry)
        ends, room = _ends(index), os.fstat(self._file).st_size
        sound = (index["first"] <= index["last"]) & (ends <= room)
        sound &= (index["offset"] <= room) & (index["lengths"] <= room).all(axis=1)  # so no sum was too large
        sound[1:] &= (index["first"][1:] > index["last"][:-1]) & (index["offset"][1:] >= ends[:-1])
        good = len(index) if sound.all() else int(np.argmin(sound))
        self._index = index[:good]
        while good and not self._is_whole(good - 1):
            good -= 1
        os.ftruncate(self._index_file, good * entry)
        return index[:good]

    def _is_whole(self, block: int) -> bool:
        return all(self.read(block, part) is not None for part in range(self._index["lengths"].shape[1]))


def _ends(index: npt.NDArray[Any]) -> npt.NDArray[np.uint64]:
    """Where each block ends."""
    ends: npt.NDArray[np.uint64] = index["offset"] + index["lengths"].sum(axis=1)
    return ends
