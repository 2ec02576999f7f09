"""Reading records in order and checking each: the chain, the hashes, and where asked the bodies.

`Reader` stops at the first octet that does not verify and says where; what that means (an unfinished tail, or damage)
is for `recover` to say. `resynchronise` finds the next record that verifies after such a place.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from crockery.events.codec import BATCH_CODE
from crockery.events.file import LogFile
from crockery.events.format import (
    FLAG_LAST,
    HASH_SIZE,
    HEAD,
    HEAD_SIZE,
    MAX_FACTS,
    OVERHEAD,
    Hasher,
    Head,
)

CHUNK: Final = 1024 * 1024
"""Octets of the log read and folded at once. With four times as many no replay is faster, and what it leaves of a long
queue lies so scattered in memory that it takes 19 MB more."""


class Record(NamedTuple):
    """A record as read: where it starts, its fixed part, its facts (msgpack octets), its hash."""

    offset: int
    head: Head
    facts: bytes
    hash: bytes

    @property
    def hash_offset(self) -> int:
        return self.offset + HEAD_SIZE + len(self.facts)

    @property
    def body_offset(self) -> int:
        return self.offset + OVERHEAD + len(self.facts)

    @property
    def end(self) -> int:
        return self.offset + OVERHEAD + len(self.facts) + self.head.body_length

    @property
    def is_batch(self) -> bool:
        return self.head.type == BATCH_CODE

    @property
    def ends_atom(self) -> bool:
        return bool(self.head.flags & FLAG_LAST)


@dataclass(slots=True)
class Position:
    """A place between records: the offset, the last sequence number before it, and the hash of the last record."""

    offset: int
    sequence: int
    hash: bytes


class Reader:
    """Reads records one after another from a position, checking the chain.

    After iteration `offset` is where it stopped; `stopped` is why: "end" of the file, "short" (a record longer than
    what is there), "bad" (a hash or link that does not verify).
    """

    def __init__(self, file: LogFile, start: Position, hasher: Hasher, *, end: int | None = None) -> None:
        self._file = file
        self._hasher = hasher
        self._end = file.size() if end is None else end
        self.offset = start.offset
        self.previous = start.hash
        self.stopped = "end"

    def __iter__(self) -> Iterator[Record]:
        for run in self.runs():
            yield from run

    def runs(self) -> Iterator[list[Record]]:
        """Records in lists, a chunk of the file at a time: cheaper by the million than one by one."""
        while self.offset < self._end and self.stopped == "end":
            run = self._read_run()
            if run:
                yield run

    def _read_run(self) -> list[Record]:
        base = self.offset
        data = self._file.read(base, min(CHUNK, self._end - base))
        records, sound = parse_run(data, base, self.previous, self._hasher)
        if not sound:
            self.stopped = "bad"
        if records and records[-1].end > self._end:
            records.pop()
            self.stopped = "short"
        if records:
            self.offset, self.previous = records[-1].end, records[-1].hash
        elif self.stopped == "end":
            self._read_large(base, data[:HEAD_SIZE], records)
        return records

    def _read_large(self, offset: int, head_data: bytes, records: list[Record]) -> None:
        """A record whose facts do not fit the chunk, or octets too few to be a record."""
        left = self._end - offset
        if left <= 0:
            return
        if left < OVERHEAD or len(head_data) < HEAD_SIZE:
            self.stopped = "short"
            return
        head = Head._make(HEAD.unpack(head_data))
        length = HEAD_SIZE + head.facts_length + HASH_SIZE
        if length + head.body_length > left:
            self.stopped = "short"
            return
        data = self._file.read(offset, length)
        digest = data[-HASH_SIZE:]
        if self._hasher(data[:-HASH_SIZE]) != digest:
            self.stopped = "bad"
            return
        record = Record(offset, head, data[HEAD_SIZE:-HASH_SIZE], digest)
        records.append(record)
        self.previous = digest
        self.offset = record.end


def parse_run(
    data: bytes, offset: int, previous: bytes, hasher: Hasher, *, bodies: bool = True
) -> tuple[list[Record], bool]:
    """The records at the start of `data`, of which the first is at `offset` of the log; and whether all was sound.

    It ends with the first record that is not there whole, of the last one perhaps the body is not, or that does not
    verify. `bodies`: whether the bodies are in `data` too. This is the loop that a replay's time goes into.
    """
    records: list[Record] = []
    size = len(data)
    at = 0
    shift = offset
    """What to add to a place in `data` to have it in the log."""
    unpack, keyed, new = HEAD.unpack_from, hasher.keyed, tuple.__new__
    while at + OVERHEAD <= size:
        head = new(Head, unpack(data, at))
        facts_at = at + HEAD_SIZE
        hash_at = facts_at + head.facts_length
        if head.previous != previous or head.facts_length > MAX_FACTS:
            return records, False
        end = hash_at + HASH_SIZE
        if end > size:
            break
        state = keyed.copy()
        state.update(data[at:hash_at])
        digest = data[hash_at:end]
        if state.digest() != digest:
            return records, False
        records.append(new(Record, (at + shift, head, data[facts_at:hash_at], digest)))
        previous = digest
        if bodies:
            at = end + head.body_length
        else:
            at = end
            shift += head.body_length
    return records, True


def body_verifies(file: LogFile, record: Record, hasher: Hasher) -> bool:
    """Whether the stored body has the hash that its record names."""
    if not record.head.body_length:
        return True
    return hasher(file.read(record.body_offset, record.head.body_length)) == record.head.body_hash


def resynchronise(file: LogFile, offset: int, hasher: Hasher, *, after: int = 0) -> Record | None:
    """The first record at or after `offset` whose own hash verifies, whatever its link says; None if there is none.

    Records up to the number `after` do not count: a mail may have an older copy of this very log attached. Linear in
    the octets scanned: nobody can put the file's marker into a mail on purpose.
    """
    end = file.size()
    marker = hasher.marker
    while offset < end:
        data = file.read(offset, min(CHUNK, end - offset))
        at = data.find(marker)
        while at >= 0:
            record = record_at(file, offset + at, end, hasher)
            if record is not None and record.head.sequence > after:
                return record
            at = data.find(marker, at + 1)
        offset += max(1, len(data) - len(marker) + 1)
    return None


def record_at(file: LogFile, offset: int, end: int, hasher: Hasher) -> Record | None:
    """The record at `offset`, if one is there whole before `end` and its own hash verifies."""
    data = file.read(offset, HEAD_SIZE)
    if len(data) < HEAD_SIZE:
        return None
    head = Head._make(HEAD.unpack(data))
    length = HEAD_SIZE + head.facts_length + HASH_SIZE
    if head.facts_length > MAX_FACTS or offset + length + head.body_length > end:
        return None
    data = file.read(offset, length)
    digest = data[-HASH_SIZE:]
    if len(data) < length or hasher(memoryview(data)[:-HASH_SIZE]) != digest:
        return None
    return Record(offset, head, data[HEAD_SIZE:-HASH_SIZE], digest)
