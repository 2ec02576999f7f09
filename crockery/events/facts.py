"""The derived file `facts`: heads and facts of the log without the bodies, so that a full replay is a sequential read.

Header: magic, version, then the log's own header. Then for each record, batch frames included: its offset in the log
(8 octets, little-endian) and its octets up to the body. The chain is the log's, so every hash is checked here as there.
It follows durable records only, and is never synced: whatever does not verify at its end is ignored and written anew.
"""

import os
import struct
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from crockery.events.file import LogFile
from crockery.events.format import (
    HASH_SIZE,
    HEAD,
    HEAD_SIZE,
    HEADER_SIZE,
    MAX_FACTS,
    OVERHEAD,
    Hasher,
    Head,
    Header,
)
from crockery.events.scan import CHUNK, Position, Reader, Record

MAGIC: Final = b"CrkFacts"
VERSION: Final = 1
_PREFIX: Final = struct.Struct("<8sI")
_OFFSET: Final = struct.Struct("<Q")
START: Final = _PREFIX.size + HEADER_SIZE
NAME: Final = "facts"


class FactsReader:
    """Reads a facts file, checking the chain and that the log agrees; afterwards the log itself goes on at `offset`.

    A file of another log or version, or one that does not go on from `start`, reads as empty.
    """

    def __init__(self, path: Path, file: LogFile, header: Header, start: Position, at: int = 0) -> None:
        """Read the file at `path` from octet `at` (0: its beginning), which stands for `start` in the log `file`."""
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
            buffer = b""
            while not self.disagrees and (data := facts.read(CHUNK)):
                buffer += data
                run, used = self._parse(buffer)
                buffer = buffer[used:]
                run = self._agreed(run)
                if run:
                    last = run[-1]
                    self.offset, self.previous = last.end, last.hash
                    self.length += sum(8 + OVERHEAD + len(record.facts) for record in run)
                    yield run
                elif len(buffer) > MAX_FACTS:
                    return

    def _parse(self, data: bytes) -> tuple[list[Record], int]:
        records = []
        at = 0
        size = len(data)
        unpack, hasher, make = HEAD.unpack_from, self._hasher, Head._make
        previous, expected = self.previous, self.offset
        while at + 8 + OVERHEAD <= size:
            head = make(unpack(data, at + 8))
            end = at + 8 + HEAD_SIZE + head.facts_length
            if head.previous != previous or end + HASH_SIZE > size:
                break
            offset = _OFFSET.unpack_from(data, at)[0]
            digest = data[end : end + HASH_SIZE]
            if offset != expected or hasher(data[at + 8 : end]) != digest:
                break
            records.append(Record(offset, head, data[at + 8 + HEAD_SIZE : end], digest))
            previous = digest
            expected = offset + OVERHEAD + head.facts_length + head.body_length
            at = end + HASH_SIZE
        return records, at

    def _agreed(self, run: list[Record]) -> list[Record]:
        """The records of the run that the log has too: all, or those before it went another way."""
        if not run or agrees(self._file, run[-1]):
            return run
        self.disagrees = True
        return run[: bisect_left(run, True, key=lambda record: not agrees(self._file, record))]


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
        path.parent.mkdir(mode=0o700, exist_ok=True)
        self._out = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self.length = reader.length
        """Octets of the facts file."""
        self.position = Position(reader.offset, 0, reader.previous)
        """The place in the log up to which it has been copied."""
        if not self.length:
            self._start(header)
        os.ftruncate(self._out, self.length)

    def _start(self, header: Header) -> None:
        os.pwrite(self._out, _PREFIX.pack(MAGIC, VERSION) + self._file.read(0, HEADER_SIZE), 0)
        self.length = START
        self.position = Position(header.length, 0, header.hash)

    def catch_up(self, end: int) -> None:
        """Copy what the log has up to offset `end` (durable, an atom's end). Blocks: for a thread. Raises OSError."""
        reader = Reader(self._file, self.position, self._hasher, end=end)
        for run in reader.runs():
            data = b"".join(_copied(run))
            os.pwrite(self._out, data, self.length)
            self.length += len(data)
            self.position = Position(reader.offset, 0, reader.previous)

    def close(self) -> None:
        """Close the file."""
        os.close(self._out)


def _copied(run: Sequence[Record]) -> Iterator[bytes]:
    for record in run:
        yield _OFFSET.pack(record.offset)
        yield HEAD.pack(*record.head)
        yield record.facts
        yield record.hash
