"""The derived file `facts`: heads and facts of the log without the bodies, so that a full replay is a sequential read.

Header: magic, version, then the log's own header. Then chunks: length (4 octets, little-endian) and a zstd frame with a
checksum, in which record follows record, batch frames included, each its octets up to the body. The chain is the log's,
so every hash is checked here as there. It follows durable records only, and is never synced: whatever does not verify
at its end is ignored and written anew.
"""

import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

import zstandard

from crockery.events.file import LogFile
from crockery.events.format import HASH_SIZE, HEAD, HEADER_SIZE, MAX_FACTS, OVERHEAD, Hasher, Header
from crockery.events.scan import CHUNK, Position, Reader, Record, parse_run

MAGIC: Final = b"CrkFacts"
VERSION: Final = 2
_PREFIX: Final = struct.Struct("<8sI")
_LENGTH: Final = struct.Struct("<I")
START: Final = _PREFIX.size + HEADER_SIZE
NAME: Final = "facts"
FULL: Final = 32 * 1024
"""Octets of records after which a chunk is full: until then it is written anew when there are more."""


class FactsReader:
    """Reads a facts file, checking the chain and that the log agrees; afterwards the log itself goes on at `offset`.

    A file of another log or version, or one that does not go on from `start`, reads as empty.
    """

    def __init__(
        self,
        path: Path,
        file: LogFile,
        header: Header,
        start: Position,
        at: int = 0,
        end: int | None = None,
        *,
        asks_log: bool = True,
    ) -> None:
        """Read the file at `path` from octet `at` (0: its beginning), which stands for `start` in the log `file`.

        `end`: where a writer's `seal` was, to read up to. Without `asks_log` the chain alone vouches for the records:
        the log may be damaged where they are.
        """
        self.offset = start.offset
        """Where in the log the next record is."""
        self.previous = start.hash
        self.length = 0
        """Octets of the facts file up to there; 0: the file is of no use."""
        self.disagrees = False
        """The file has durable records that the log does not have: the log is an older copy, restored."""
        self._path = path
        self._file = file
        self._header = header
        self._hasher = Hasher(header.key)
        self._at = at or START
        self._end = end
        self._asks_log = asks_log
        self._decompressor = zstandard.ZstdDecompressor()

    def runs(self) -> Iterator[list[Record]]:
        """Records in lists, as `scan.Reader.runs`."""
        try:
            facts = self._path.open("rb")
        except OSError:
            return
        with facts:
            if not _fits(facts.read(START), self._header):
                return
            facts.seek(self._at)
            self.length = self._at
            while (data := self._some_chunks(facts)) and (run := self._checked(data)):
                self.offset, self.previous = run[-1].end, run[-1].hash
                self.length = facts.tell()
                yield run

    def _some_chunks(self, facts: BinaryIO) -> bytes:
        """The records of the next chunks, some megabytes of them; empty at the end of what is whole."""
        chunks = []
        octets = 0
        while octets < CHUNK:
            at = facts.tell()
            chunk = self._chunk(facts) if at != self._end else b""
            if not chunk:
                facts.seek(at)
                break
            chunks.append(chunk)
            octets += len(chunk)
        return b"".join(chunks)

    def _chunk(self, facts: BinaryIO) -> bytes:
        head = facts.read(_LENGTH.size)
        if len(head) < _LENGTH.size:
            return b""
        frame = facts.read(min(_LENGTH.unpack(head)[0], _LARGEST))
        try:
            if not 0 < zstandard.frame_content_size(frame) <= _LARGEST:  # damage must not cost gigabytes of memory
                return b""
            chunk: bytes = self._decompressor.decompress(frame)
        except zstandard.ZstdError:
            return b""
        return chunk

    def _checked(self, data: bytes) -> list[Record]:
        """The records in `data`, if all verify and the log has them too; the chain vouches for all but the last."""
        run, _ = parse_run(data, self.offset, self.previous, self._hasher, bodies=False)
        if sum(OVERHEAD + len(record.facts) for record in run) != len(data):
            return []
        if self._asks_log and not agrees(self._file, run[-1]):
            self.disagrees = True
            return []
        return run


_LARGEST: Final = MAX_FACTS + CHUNK
"""Octets of a chunk: records read together, or one with the longest facts."""


def _fits(head: bytes, header: Header) -> bool:
    """Whether a file that starts so is a facts file of this log."""
    return len(head) == START and _PREFIX.unpack_from(head) == (MAGIC, VERSION) and head.endswith(header.hash)


def copied_header(path: Path) -> bytes:
    """The log's header as the facts file at `path` has it; empty when there is no such file."""
    try:
        with path.open("rb") as facts:
            return facts.read(START)[_PREFIX.size :]
    except OSError:
        return b""


def agrees(file: LogFile, record: Record) -> bool:
    """Whether the log has this record where the facts file says it is; the chain vouches for all before it."""
    return file.read(record.hash_offset, HASH_SIZE) == record.hash


class FactsWriter:
    """Appends durable records to the facts file. Its errors (OSError) cost nothing: the file can be made anew."""

    def __init__(self, path: Path, file: LogFile, header: Header, reader: FactsReader) -> None:
        """Go on where a reader that has come to its end stopped; raises OSError."""
        self._file = file
        self._hasher = Hasher(header.key)
        self._compressor = zstandard.ZstdCompressor(write_checksum=True)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        self._out = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self.length = reader.length
        """Octets of the facts file."""
        self.position = Position(reader.offset, 0, reader.previous)
        """The place in the log up to which it has been copied."""
        if not self.length:
            self._start(header)
        self._full_to = self.length
        """Octets of the file that stay as they are."""
        self._unfilled = bytearray()
        """The records in the chunk after them."""
        os.ftruncate(self._out, self.length)

    def _start(self, header: Header) -> None:
        os.pwrite(self._out, _PREFIX.pack(MAGIC, VERSION) + self._file.read(0, HEADER_SIZE), 0)
        self.length = START
        self.position = Position(header.length, 0, header.hash)

    def catch_up(self, end: int) -> None:
        """Copy what the log has up to offset `end` (durable, an atom's end). Blocks: for a thread. Raises OSError."""
        reader = Reader(self._file, self.position, self._hasher, end=end)
        for run in reader.runs():
            for record in run:
                self._unfilled += b"".join((HEAD.pack(*record.head), record.facts, record.hash))
                if len(self._unfilled) >= FULL:
                    self._write_chunk()
                    self.seal()
            self._write_chunk()
            self.position = Position(reader.offset, 0, reader.previous)

    def seal(self) -> None:
        """Let the file be as long as it is now for good: what comes is a chunk of its own."""
        self._full_to, self._unfilled = self.length, bytearray()

    def close(self) -> None:
        """Close the file."""
        os.close(self._out)

    def _write_chunk(self) -> None:
        if self._unfilled:
            frame = self._compressor.compress(self._unfilled)
            os.pwrite(self._out, _LENGTH.pack(len(frame)) + frame, self._full_to)
            self.length = self._full_to + _LENGTH.size + len(frame)
