"""Opening a log after anything: replay, telling an unfinished tail from damage, stepping over what was accepted.

A batch is written once the one before it is synced, so a batch frame that verifies proves that all before it was on
disk: what does not verify there is damage, never cut. Only the last batch may be in part there (a crash may have kept
any of the pages that were not synced): its atoms are applied while their bodies verify too, the rest is an unfinished
tail of which nobody was told. Damage that `repair` has accepted (a DamageAccepted event further on) is stepped over.
"""

import gc
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, Final, NamedTuple

import msgpack

from crockery.events.catalog import Catalog
from crockery.events.codec import BATCH_CODE, decode_facts
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
    hash_at: int = 0
    """File offset of the hash of the last record before `position`; 0: nothing was read."""
    confirmed: int = 0
    """File offset up to which all was known to be on disk; from there to `position` it verified."""


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
    accept: Mapping[int, int] | None = None,
) -> Recovered:
    """Fold everything from `start` (default: the beginning) into `apply` and `catalog`.

    `facts` reads the derived copy of what comes after `start`, as far as it goes; the log itself is read from there.
    `accept` is damage to step over as if a DamageAccepted said so: where it starts, where reading goes on.
    Raises NotALog, LogDamaged (something durable does not verify) and UnknownEvent.
    """
    header = read_header(file)
    position = start or beginning(header)
    fold = _Replay(file, header, position, apply, catalog, progress, accept or {})
    with _no_garbage_collection():
        if facts is not None:
            fold.read_facts(facts)
        return fold.run()


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Facts come and go by the million and hold no cycles: looking for some costs a tenth of a replay."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def beginning(header: Header) -> Position:
    """The position before the first record."""
    return Position(header.length, 0, header.hash)


class Beyond(NamedTuple):
    """What the records after a place that does not verify say."""

    durable: int
    """The greatest file offset that they know to have been on disk."""
    accepted: dict[int, int]
    """Accepted damage: where it starts, where reading goes on."""


@dataclass(slots=True)
class _Replay:
    file: LogFile
    header: Header
    position: Position
    apply: Apply
    catalog: Catalog
    progress: Progress | None
    accept: Mapping[int, int]
    hasher: Hasher = field(init=False)
    pending: list[Record] = field(default_factory=list)
    """Records that no batch frame has called durable yet; at the end perhaps some of an atom that is not whole."""
    events: int = 0
    last_time: int = 0
    hash_at: int = 0
    confirmed: int = field(init=False)
    beyond: Beyond | None = None
    """What is after the first place that does not verify; looked at once, and only if there is such a place."""

    def __post_init__(self) -> None:
        self.hasher = make_hasher(self.header.key)
        self.confirmed = self.position.offset

    def run(self) -> Recovered:
        while True:
            reader = Reader(self.file, self.position, self.hasher)
            self._read(reader)
            if reader.stopped == "end":
                break
            if self.beyond is None:
                self.beyond = look_beyond(self.file, reader.offset, self.hasher, self._last_read())
            if reader.offset >= self.beyond.durable:
                break
            self._step_over(reader.offset, self.beyond)
        self._settle()
        end = self.position
        tail = self.file.size() - end.offset
        return Recovered(self.header, end, tail, self.events, self.last_time, self.hash_at, self.confirmed)

    def read_facts(self, reader: FactsReader) -> None:
        """Fold what the derived copy has; it holds nothing that was not durable."""
        self._read(reader)
        self._apply_pending()
        self.confirmed = self.position.offset

    def _read(self, reader: Reader | FactsReader) -> None:
        size = self.file.size()
        for run in reader.runs():
            done = 0
            for index in [index for index, record in enumerate(run) if record.head.type == BATCH_CODE]:
                self.pending += run[done:index]
                self._called_durable(run[index])
                done = index + 1
            self.pending += run[done:]
            if self.progress is not None:
                self.progress(reader.offset, size)

    def _called_durable(self, frame: Record) -> None:
        """Apply what this frame says is on disk."""
        durable = msgpack.unpackb(frame.facts)["durable"]
        self.confirmed = max(self.confirmed, durable)
        self._apply(_whole(self.pending, bisect_right(self.pending, durable, key=_end)))
        if not self.pending:
            self.position = Position(frame.end, self.position.sequence, frame.hash)
            self.hash_at = frame.hash_offset

    def _apply(self, count: int) -> None:
        """Apply the first `count` of the pending records, which are whole atoms."""
        if not count:
            return
        apply, catalog = self.apply, self.catalog
        for record in self.pending[:count]:
            head = record.head
            decoded = decode_facts(head, record.facts)
            if decoded is not None:
                kind, facts = decoded
                apply(head.sequence, head.time, kind, facts)
                if head.body_length or "prefix" in facts:
                    catalog.add(head.sequence, record.offset)
                if kind is BODIES_ERASED:
                    catalog.erase(unpack_numbers(facts["numbers"]).tolist())
        last = self.pending[count - 1]
        del self.pending[:count]
        self.events += count
        self.last_time = last.head.time
        self.position = Position(last.end, last.head.sequence, last.hash)
        self.hash_at = last.hash_offset

    def _apply_pending(self) -> None:
        """Apply all atoms that are whole, and leave out one that is not."""
        self._apply(_whole(self.pending, len(self.pending)))
        self.pending = []

    def _settle(self) -> None:
        """Apply the atoms of the last batch, up to the first with a body that does not verify.

        A body that a later one of these atoms names as erased may be anything: overwriting it may have been
        interrupted, but had begun only when that atom was durable.
        """
        owed: set[int] = set()
        good = 0
        whole = self.pending[: _whole(self.pending, len(self.pending))]
        erased = _erased_numbers(whole)
        for index, record in enumerate(whole, 1):
            if not body_verifies(self.file, record, self.hasher):
                owed.add(record.head.sequence)
            if not owed <= erased:
                break
            owed -= _erased_numbers([record])
            if not owed and record.ends_atom:
                good = index
        self._apply(good)

    def _step_over(self, offset: int, beyond: "Beyond") -> None:
        """Go on after accepted damage at `offset`; raises LogDamaged when it is not accepted."""
        end = self.accept.get(offset, beyond.accepted.get(offset))
        if end is None:
            raise LogDamaged(
                f"the log is damaged at octet {offset}: `crockery repair` shows what is lost and goes on without it, "
                "or restore a backup",
                offset,
            )
        self._apply_pending()
        previous = decode_head(self.file.read(end, HEAD_SIZE)).previous  # the chain begins anew there
        self.position = Position(end, self.position.sequence, previous)

    def _last_read(self) -> int:
        """The number of the last record that verified."""
        return self.pending[-1].head.sequence if self.pending else self.position.sequence


_end: Final = attrgetter("end")


def _whole(records: Sequence[Record], count: int) -> int:
    """How many of the first `count` records are whole atoms."""
    while count and not records[count - 1].ends_atom:
        count -= 1
    return count


def look_beyond(file: LogFile, offset: int, hasher: Hasher, last: int) -> Beyond:
    """Read all that verifies after the place `offset` that does not; `last` is the last number before it."""
    durable = 0
    accepted: dict[int, int] = {}
    for record in records_beyond(file, offset, hasher, last):
        if record.is_batch:
            durable = max(durable, msgpack.unpackb(record.facts)["durable"])
        elif record.head.type == DAMAGE_ACCEPTED.code:
            facts = msgpack.unpackb(record.facts)
            accepted[facts["start"]] = facts["end"]
    return Beyond(durable, accepted)


def records_beyond(file: LogFile, offset: int, hasher: Hasher, last: int) -> Iterator[Record]:
    """All records that verify after a place that does not, over any number of further such places.

    `last` is the number of the last record before.
    """
    record = resynchronise(file, offset + 1, hasher, after=last)
    while record is not None:
        reader = Reader(file, Position(record.offset, 0, record.head.previous), hasher)
        for record in reader:
            last = record.head.sequence if not record.is_batch else last
            yield record
        if reader.stopped == "end":
            return
        record = resynchronise(file, reader.offset + 1, hasher, after=last)


def _erased_numbers(records: Sequence[Record]) -> set[int]:
    erased: set[int] = set()
    for record in records:
        if record.head.type == BODIES_ERASED.code:
            facts: dict[str, Any] = msgpack.unpackb(record.facts)
            erased.update(unpack_numbers(facts["numbers"]).tolist())
    return erased
