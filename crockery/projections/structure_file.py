"""The derived file `structure`: what FETCH asks of messages besides their octets, in compressed blocks of neighbours.

File: magic, versions, the log's header; then blocks: zstd frames with a checksum. A block is the number of its rows (4
octets), of each the message's number, flags and four lengths, then their contents: ENVELOPE, BODYSTRUCTURE, the header
fields that clients ask for, the rest of the summary. Beside it `structure.index`: of each block the first and the last
number, offset and length. A block that does not verify reads as empty: its rows are computed again by whoever asks.
"""

import os
import struct
import threading
from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgpack
import numpy as np
import numpy.typing as npt
import zstandard

from crockery.limits import STRUCTURE_BLOCK, STRUCTURE_BLOCKS

MAGIC: Final = b"CrkStruc"
VERSION: Final = 2
NAME: Final = "structure"
_PREFIX: Final = struct.Struct("<8sII")
_COUNT: Final = struct.Struct("<I")
_ROW: Final = struct.Struct("<QIIIII")
_INDEX: Final = np.dtype([("first", "<u8"), ("last", "<u8"), ("offset", "<u8"), ("length", "<u8")])
_UTF8_DIFFERS: Final = 1
_HEADER_KEPT: Final = 2


class Kept(NamedTuple):
    """What is kept of one message."""

    envelope: bytes
    bodystructure: bytes
    header: bytes | None
    """The KEPT_FIELDS as they stand, and the empty line; None when they were too long to keep."""
    rest: bytes
    utf8_differs: bool
    """Clients that take UTF-8 must get ENVELOPE and BODYSTRUCTURE from the message itself."""

    @property
    def octets(self) -> int:
        """What it takes in a block before compression, its head aside."""
        return len(self.envelope) + len(self.bodystructure) + len(self.header or b"") + len(self.rest)

    def details(self) -> "Details":
        """The rest of the summary."""
        return Details(*msgpack.unpackb(self.rest, use_list=False, unicode_errors="surrogatepass"))


class Details(NamedTuple):
    """What SORT and THREAD need, and the length of the header."""

    header_length: int
    subject: str
    base_subject: str
    is_reply: bool
    sent: tuple[int, ...] | None
    message_id: bytes | None
    in_reply_to: tuple[bytes, ...]
    references: tuple[bytes, ...]


Rows = dict[int, Kept]
"""What is kept by message number."""


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
        self._decoded: OrderedDict[int, Rows] = OrderedDict()
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
        """The rows of a block. Do not change them."""
        if block < 0:
            return {}
        rows = self._decoded.get(block)
        if rows is None:
            rows = self._decoded[block] = self._read(block)
            if len(self._decoded) > STRUCTURE_BLOCKS:
                self._decoded.popitem(last=False)
        return rows

    def append(self, rows: Mapping[int, Kept]) -> None:
        """Add a block: messages in order of number, all beyond `last`. Raises OSError."""
        frame = self._compressor.compress(_encode(rows))
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
                self._decoded.pop(block, None)

    def erase_some(self, count: int) -> None:
        """Write up to `count` of the blocks without the rows that were erased. Raises OSError."""
        for block in list(self._erased)[:count]:
            frame = self._compressor.compress(_encode(self._read(block)))
            entry = self._index[block]
            length = int(entry["length"])
            if len(frame) > length:  # which is said to be impossible; the rows left are computed when asked for
                frame = b""
            os.pwrite(self._file, frame.ljust(length, b"\0"), int(entry["offset"]))
            entry["length"] = len(frame)
            os.pwrite(self._index_file, entry.tobytes(), block * _INDEX.itemsize)
            del self._erased[block]

    def clear(self) -> None:
        """Forget all rows. Raises OSError."""
        os.ftruncate(self._index_file, 0)
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, self._start, 0)
        self._index = np.empty(0, dtype=_INDEX)
        self._decoded.clear()
        self._erased.clear()

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

    def _read(self, block: int) -> Rows:
        entry = self._index[block]
        rows = self._decompressed(os.pread(self._file, int(entry["length"]), int(entry["offset"])))
        for number in self._erased.get(block, ()):
            rows.pop(number, None)
        return rows

    def _decompressed(self, frame: bytes) -> Rows:
        try:
            if zstandard.frame_content_size(frame) > _MAX_BLOCK:  # damage must not cost gigabytes of memory
                return {}
            with self._lock:  # a context serves one thread at a time
                data = self._decompressor.decompress(frame)
            return _decode(data)
        except zstandard.ZstdError:
            return {}


_MAX_BLOCK: Final = 1024 * STRUCTURE_BLOCK


def _encode(rows: Mapping[int, Kept]) -> bytes:
    heads: list[bytes] = []
    contents: list[bytes] = []
    for number, kept in rows.items():
        flags = (_UTF8_DIFFERS if kept.utf8_differs else 0) | (_HEADER_KEPT if kept.header is not None else 0)
        content = (kept.envelope, kept.bodystructure, kept.header or b"", kept.rest)
        heads.append(_ROW.pack(number, flags, *map(len, content)))
        contents += content
    return b"".join((_COUNT.pack(len(rows)), *heads, *contents))


def _decode(data: bytes) -> Rows:
    at = _COUNT.size + _COUNT.unpack_from(data)[0] * _ROW.size
    rows: Rows = {}
    for number, flags, envelope, bodystructure, header, rest in _ROW.iter_unpack(data[_COUNT.size : at]):
        envelope += at
        bodystructure += envelope
        header += bodystructure
        rest += header
        kept = data[bodystructure:header] if flags & _HEADER_KEPT else None
        differs = flags & _UTF8_DIFFERS != 0
        # Half the cost of Kept(...): this is what a FETCH of ENVELOPEs spends its time on.
        rows[number] = _new(Kept, (data[at:envelope], data[envelope:bodystructure], kept, data[header:rest], differs))
        at = rest
    return rows


_new: Final = tuple.__new__
