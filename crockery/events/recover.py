"""Opening a log after anything: replay, telling an unfinished tail from damage, cutting the one, refusing the other.

Atoms are applied when a later batch frame says that they were durable, or, at the end, when their bodies verify too:
a crash may have kept any of the pages that were not synced. What cannot be told from a torn write is only what nobody
was told of. Damage that `repair` has accepted (a DamageAccepted event further on) is stepped over.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import msgpack

from crockery.events.catalog import Catalog
from crockery.events.codec import decode_facts
from crockery.events.errors import LogDamaged
from crockery.events.facts import FactsReader
from crockery.events.file import LogFile
from crockery.events.format import HEAD_SIZE, HEADER_SIZE, Hasher, Header, decode_head, decode_header, make_hasher
from crockery.events.log import Apply
from crockery.events.ranges import unpack_numbers
from crockery.events.scan import Position, Reader, Record, body_verifies, resynchronise
from crockery.events.types.server import BODIES_ERASED, DAMAGE_ACCEPTED

Progress = Callable[[int, int], None]
"""Told now and then how far a replay is: octets done, octets in all."""


@dataclass(slots=True)
class Recovered:
    """What opening found: where the log goes on, and what of it was no whole, verified atom."""

    header: Header
    position: Position
    """End of the last whole atom."""
    tail: int = 0
    """Octets after it, to be kept aside and cut."""
    events: int = 0
    """Events applied."""
    last_time: int = 0


def read_header(file: LogFile) -> Header:
    """The file's header; raises NotALog."""
    return decode_header(file.read(0, HEADER_SIZE))


def replay(
    file: LogFile,
    apply: Apply,
    catalog: Catalog,
    *,
    start: Position | None = None,
    facts: FactsReader | None = None,
    progress: Progress | None = None,
) -> Recovered:
    """Fold everything from `start` (default: the beginning) into `apply` and `catalog`.

    `facts` reads the derived copy of what comes after `start`, as far as it goes; the log itself is read from there.
    Raises NotALog, LogDamaged (something durable does not verify) and UnknownEvent.
    """
    header = read_header(file)
    position = start or Position(header.length, 0, header.hash)
    fold = _Replay(file, header, position, apply, catalog, progress)
    if facts is not None:
        fold.read_facts(facts)
    return fold.run()


def beginning(header: Header) -> Position:
    """The position before the first record."""
    return Position(header.length, 0, header.hash)


@dataclass(slots=True)
class _Replay:
    file: LogFile
    header: Header
    position: Position
    apply: Apply
    catalog: Catalog
    progress: Progress | None
    hasher: Hasher = field(init=False)
    pending: list[list[Record]] = field(default_factory=list)
    """Whole atoms that no batch frame has called durable yet."""
    atom: list[Record] = field(default_factory=list)
    events: int = 0
    last_time: int = 0

    def __post_init__(self) -> None:
        self.hasher = make_hasher(self.header.key)

    def run(self) -> Recovered:
        while True:
            reader = Reader(self.file, self.position, self.hasher)
            self._read(reader)
            if reader.stopped == "end":
                break
            beyond = self._step_over(reader.offset)
            if beyond is None:
                break
            self._settle()
            self.position = beyond
        end = self._settle()
        return Recovered(self.header, end, self.file.size() - end.offset, self.events, self.last_time)

    def read_facts(self, reader: FactsReader) -> None:
        """Fold what the derived copy has; it holds nothing that was not durable."""
        self._read(reader)
        for atom in self.pending:
            self._apply_atom(atom)
        self.pending, self.atom = [], []

    def _read(self, reader: Reader | FactsReader) -> None:
        size = self.file.size()
        for run in reader.runs():
            for record in run:
                if record.is_batch:
                    self._called_durable(record)
                else:
                    self.atom.append(record)
                    if record.ends_atom:
                        self.pending.append(self.atom)
                        self.atom = []
            if self.progress is not None:
                self.progress(reader.offset, size)

    def _called_durable(self, frame: Record) -> None:
        """Apply what this frame says is on disk."""
        durable = msgpack.unpackb(frame.facts)["durable"]
        done = 0
        for atom in self.pending:
            if atom[-1].end > durable:
                break
            self._apply_atom(atom)
            done += 1
        del self.pending[:done]
        if not self.pending and not self.atom:
            self.position = Position(frame.end, self.position.sequence, frame.hash)

    def _apply_atom(self, atom: list[Record]) -> None:
        for record in atom:
            head = record.head
            decoded = decode_facts(head, record.facts)
            if decoded is not None:
                kind, facts = decoded
                self.apply(head.sequence, head.time, kind, facts)
                if head.body_length or "prefix" in facts:
                    self.catalog.add(head.sequence, record.offset)
            self.last_time = head.time
        last = atom[-1]
        self.events += len(atom)
        self.position = Position(last.end, last.head.sequence, last.hash)

    def _settle(self) -> Position:
        """Apply the pending atoms whose bodies verify, up to the first that does not."""
        erased = _erased_numbers(self.pending)
        for atom in self.pending:
            if not all(self._body_is_whole(record, erased) for record in atom):
                break
            self._apply_atom(atom)
        self.pending, self.atom = [], []
        return self.position

    def _body_is_whole(self, record: Record, erased: set[int]) -> bool:
        if body_verifies(self.file, record, self.hasher):
            return True
        return record.head.sequence in erased and not any(self.file.read(record.body_offset, record.head.body_length))

    def _step_over(self, offset: int) -> Position | None:
        """After a stop at `offset`: None for an unfinished tail, where to go on after accepted damage, else refuse."""
        following = resynchronise(self.file, offset + 1, self.hasher)
        if following is None:
            return None
        accepted: int | None = None
        durable = 0
        for record in _records_after(self.file, following, self.hasher):
            if record.is_batch:
                durable = max(durable, msgpack.unpackb(record.facts)["durable"])
            elif record.head.type == DAMAGE_ACCEPTED.code:
                facts = msgpack.unpackb(record.facts)
                if facts["start"] == offset:
                    accepted = facts["end"]
        if accepted is not None:
            return _resume_at(self.file, accepted, self.position.sequence)
        if durable > offset:
            raise LogDamaged(
                f"the log is damaged at octet {offset}: `crockery repair` shows what is lost and goes on without it, "
                "or restore a backup",
                offset,
            )
        return None


def _resume_at(file: LogFile, offset: int, sequence: int) -> Position:
    """Go on at a record whatever its link says: the chain begins anew there."""
    return Position(offset, sequence, decode_head(file.read(offset, HEAD_SIZE)).previous)


def _records_after(file: LogFile, first: Record, hasher: Hasher) -> Iterator[Record]:
    """All records that verify from `first` on, over any number of further damaged places."""
    record: Record | None = first
    while record is not None:
        reader = Reader(file, Position(record.offset, 0, record.head.previous), hasher)
        yield from reader
        if reader.stopped == "end":
            return
        record = resynchronise(file, reader.offset + 1, hasher)


def _erased_numbers(atoms: list[list[Record]]) -> set[int]:
    erased: set[int] = set()
    for atom in atoms:
        for record in atom:
            if record.head.type == BODIES_ERASED.code:
                facts: dict[str, Any] = msgpack.unpackb(record.facts)
                erased.update(unpack_numbers(facts["numbers"]).tolist())
    return erased
