"""Going through a log from end to end, past any damage: whole atoms, batch frames, gaps, and what is left at the end.

`recover` opens a log and refuses damage; `verify` and `repair` must see what lies behind it. Same rules, see there.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

import msgpack

from crockery.events.file import LogFile
from crockery.events.format import HEAD_SIZE, Hasher, decode_head
from crockery.events.recover import Beyond, look_beyond, records_beyond
from crockery.events.scan import Position, Reader, Record


class Atom(NamedTuple):
    """The records of one whole atom."""

    records: list[Record]


class Gap(NamedTuple):
    """Octets of the file that do not verify, before octets that are known to have been on disk."""

    start: int
    end: int
    """Where reading goes on: a batch frame, or the first record of an atom."""
    after: int
    """Number of the last event of a whole atom before the gap."""
    resumes: int
    """Number of the first event after it: those between are lost."""
    time_before: int
    time_after: int
    """Microseconds: when the events on both sides were appended; 0: unknown."""
    accepted: bool
    """Somebody has said `crockery repair` to it."""

    @property
    def lost(self) -> int:
        """Events that were there, by their numbers."""
        return self.resumes - self.after - 1

    def sentence(self) -> str:
        """What is lost there, for a person."""
        lost = self.lost
        events = f"event {self.resumes - 1:,}" if lost == 1 else f"{lost:,} events from {self.after + 1:,} on"
        when = f", appended between {_clock(self.time_before)} and {_clock(self.time_after)}," if lost else ""
        what = f"{events}{when} cannot be read" if lost else "no event is lost"
        return f"damage from octet {self.start:,} to {self.end:,}: {what}"


@dataclass(slots=True)
class Walk:
    """Iterate to get atoms, frames (Record) and gaps in order; then `end` and `confirmed` are known.

    Bodies are not looked at.
    """

    file: LogFile
    hasher: Hasher
    position: Position
    """Where to begin; afterwards the end of the last whole atom or frame."""
    size: int
    """Octets of the file that are looked at."""
    confirmed: int = 0
    """Offset up to which all was on disk, as the last frame says."""
    time: int = 0
    _beyond: Beyond | None = None

    def __iter__(self) -> Iterator[Atom | Record | Gap]:
        while True:
            reader = Reader(self.file, self.position, self.hasher, end=self.size)
            yield from self._atoms(reader)
            if reader.stopped == "end":
                return
            if self._beyond is None:
                self._beyond = look_beyond(self.file, reader.offset, self.hasher, self.position.sequence)
            if reader.offset >= self._beyond.durable:
                return
            yield self._cross(reader.offset, self._beyond)

    def _atoms(self, reader: Reader) -> Iterator[Atom | Record]:
        records: list[Record] = []
        for record in reader:
            if record.is_batch:
                self.confirmed = max(self.confirmed, msgpack.unpackb(record.facts)["durable"])
                self.position = Position(record.end, self.position.sequence, record.hash)
                yield record
                continue
            records.append(record)
            if record.ends_atom:
                self.position = Position(record.end, record.head.sequence, record.hash)
                self.time = record.head.time
                yield Atom(records)
                records = []

    def _cross(self, start: int, beyond: Beyond) -> Gap:
        after = self.position.sequence
        accepted = beyond.accepted.get(start)
        end = self._first_whole(start) if accepted is None else accepted
        head = decode_head(self.file.read(end, HEAD_SIZE))
        self.position = Position(end, after, head.previous)
        return Gap(start, end, after, head.sequence, self.time, head.time, accepted is not None)

    def _first_whole(self, start: int) -> int:
        """Where the first frame or whole atom after a damaged place begins; there is a frame, or it were a tail."""
        boundary = -1
        for record in records_beyond(self.file, start, self.hasher, self.position.sequence):
            if record.is_batch or record.offset == boundary:
                return record.offset
            boundary = record.end if record.ends_atom else -1
        raise AssertionError("damage that no frame vouches for")


def counted(number: int, noun: str, plural: str = "") -> str:
    """ "1 event", "7 events", "1,000 bodies"."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def _clock(time: int) -> str:
    if not time:
        return "the beginning"
    return datetime.fromtimestamp(time / 1_000_000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
