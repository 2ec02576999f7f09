"""The log as the rest of Crockery uses it: append atoms, read bodies. No task, no await; see `writer` for the sync.

Appending fixes sequence numbers and time, encodes, applies the *decoded* form to the projections, and queues the
octets, all at once: whoever looked, decided and appends without an await in between is atomic under Trio. What is
appended is visible to the projections at once, and durable later: nobody outside is told before `durable` has come
to its number.
"""

import errno
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgpack

from crockery.events.body import StoredBody
from crockery.events.catalog import Catalog
from crockery.events.codec import Encoded, encode
from crockery.events.errors import BodyUnreadable, LogFailed, LogFull
from crockery.events.file import LogFile
from crockery.events.format import Header, make_hasher
from crockery.events.ranges import unpack_numbers
from crockery.events.reading import Bodies
from crockery.events.scan import Position
from crockery.events.types import Event, EventType
from crockery.events.types.server import BATCH, BODIES_ERASED
from crockery.limits import FACTS_RESERVE, RESERVE_STEP

Apply = Callable[[int, int, EventType, Mapping[str, Any]], None]
"""Folds one event into the projections: sequence number, time (microseconds), type, facts."""


class Appended(NamedTuple):
    """An event of a batch, as followers get it once it is durable."""

    offset: int
    sequence: int
    time: int
    type: EventType
    facts: Mapping[str, Any]
    record: bytes
    """Its octets without the body: head, facts, hash."""


class Batch:
    """Atoms that will be written and synced together, beginning with a batch frame at `offset`."""

    __slots__ = ("appended", "buffers", "hash", "last", "length", "offset")

    def __init__(self, offset: int) -> None:
        self.offset = offset
        self.length = 0
        self.last = 0
        self.hash = b""
        """Hash of the last record."""
        self.buffers: list[bytes] = []
        self.appended: list[Appended] = []

    @property
    def end(self) -> int:
        return self.offset + self.length


class Log:
    """An open log. `open_log` in `opening` makes one."""

    def __init__(
        self,
        file: LogFile,
        header: Header,
        position: Position,
        catalog: Catalog,
        apply: Apply,
        clock: Callable[[], int],
        *,
        reserve: int = FACTS_RESERVE,
    ) -> None:
        """Args:
        file: what records are written to and read from.
        position: the end of the last whole atom; everything before it is durable.
        catalog: offsets of the records that are there already.
        apply: folds an event into the projections.
        clock: microseconds since 1970.
        reserve: octets of disk kept for events without bodies.
        """
        self.file = file
        self.header = header
        self.catalog = catalog
        self.head = position.sequence
        """Sequence number of the last event appended."""
        self.durable = position.sequence
        """Sequence number of the last event known to be on disk."""
        self.failed: str | None = None
        """Why nothing can be appended any more; None while all is well."""
        self.on_append: Callable[[], None] = lambda: None
        """Called after each append, and when one failed; the writer sets it."""
        self._apply = apply
        self._clock = clock
        self._hasher = make_hasher(header.key)
        self._hash = position.hash
        self._end = position.offset
        self._durable_end = position.offset
        self._durable_hash = position.hash
        self._batch: Batch | None = None
        self._unwritten: dict[int, Encoded] = {}
        self._reserve = reserve
        self._reserved = 0
        self._bodies = Bodies(file, catalog, self._hasher, self._unwritten)
        self.last_time = 0
        self.stalled = False
        """A write found the disk full: nothing is appended until it went through."""

    @property
    def end(self) -> int:
        """File offset after the last appended record."""
        return self._end

    @property
    def durable_position(self) -> Position:
        """Where the durable records end."""
        return Position(self._durable_end, self.durable, self._durable_hash)

    def append(self, events: Sequence[Event], *, jump: int = 0) -> int:
        """Append one atom and apply it; returns the sequence number of its first event (the others follow it).

        `jump` is for HistoryResumed alone: numbers go on that much later.

        Raises LogFull (no room: nothing happened), LogFailed (the process must stop), and what encoding raises for
        facts that cannot be written (a defect; nothing happened).
        """
        if self.failed is not None:
            raise LogFailed(self.failed)
        first = self.head + 1 + jump
        time = self._clock()
        frame = self._encode_frame(first, time)
        encoded, digest = self._encode_atom(events, first, time, frame.hash if frame else self._hash)
        length = sum(e.length for e in encoded) + (frame.length if frame else 0)
        self._make_room(self._end + length, any(e.body is not None for e in events))
        decoded = [msgpack.unpackb(e.facts, strict_map_key=False) for e in encoded]
        try:
            for number, (event, facts) in enumerate(zip(events, decoded, strict=True), first):
                self._apply(number, time, event.type, facts)
        except Exception as error:
            self.failed = "an event could not be applied; this is a defect of Crockery: restart it"
            self.on_append()  # wakes the writer, which stops the process
            raise LogFailed(self.failed) from error
        self._enqueue(frame, list(zip(encoded, events, decoded, strict=True)), first, time, digest)
        self.head = first + len(events) - 1
        self.last_time = time
        self.on_append()
        return first

    def _encode_frame(self, first: int, time: int) -> Encoded | None:
        if self._batch is not None:
            return None
        event = Event(BATCH, {"durable": self._end})  # a batch is written when all before it is synced
        return encode(event, first, time, last=True, previous=self._hash, hasher=self._hasher)

    def _encode_atom(
        self, events: Sequence[Event], first: int, time: int, digest: bytes
    ) -> tuple[list[Encoded], bytes]:
        encoded = []
        final = len(events) - 1
        for index, event in enumerate(events):
            record = encode(
                event, first + index, time, last=index == final, previous=digest, hasher=self._hasher
            )  # fmt: skip
            digest = record.hash
            encoded.append(record)
        return encoded, digest

    def _make_room(self, end: int, has_body: bool) -> None:
        """Bodies leave the reserve free, so that flags, expunges and outcomes still fit when they do not."""
        if self.stalled:
            raise LogFull("the disk is full: nothing can be stored until there is room")
        if not self._reserve_up_to(end + (self._reserve if has_body else 0), end):
            raise LogFull("the disk is full: new mail is refused; delete something or make room")

    def has_room(self, octets: int) -> bool:
        """Whether facts of so many octets, to be appended later, have a place of their own on the disk."""
        return not self.stalled and self._reserve_up_to(self._end + octets, self._end)

    def _reserve_up_to(self, needed: int, end: int) -> bool:
        """Have the file's room up to `needed`, and a step beyond where there is so much."""
        if needed <= self._reserved:
            return True
        for target in (end + self._reserve + RESERVE_STEP, needed):
            if self.file.reserve(target):
                self._reserved = target
                return True
        return False

    def _enqueue(
        self,
        frame: Encoded | None,
        atom: list[tuple[Encoded, Event, dict[str, Any]]],
        first: int,
        time: int,
        digest: bytes,
    ) -> None:
        batch = self._batch
        if batch is None:
            batch = self._batch = Batch(self._end)
        if frame is not None:
            batch.buffers.append(frame.record)
            batch.length += frame.length
        for number, (encoded, event, facts) in enumerate(atom, first):
            offset = batch.end
            batch.buffers.append(encoded.record)
            if encoded.body:
                batch.buffers.append(encoded.body)
            batch.length += encoded.length
            batch.last = number
            batch.appended.append(Appended(offset, number, time, event.type, facts, encoded.record))
            if encoded.body or "prefix" in facts:
                self.catalog.add(number, offset)
                self._unwritten[number] = encoded
            if event.type is BODIES_ERASED:
                self.catalog.erase(unpack_numbers(facts["numbers"]).tolist())
        self._end = batch.end
        self._hash = batch.hash = digest

    # What the writer does with batches.

    def take_batch(self) -> Batch | None:
        """The queued atoms, to be written now; the next append begins another batch."""
        batch, self._batch = self._batch, None
        return batch

    def write_batch(self, batch: Batch) -> bool:
        """Write and sync; False when the disk had no room for it. Blocks, for a thread.

        Raises OSError when the write fails otherwise, LogFailed when the sync does, for whatever reason.
        """
        try:
            self.file.write(batch.buffers, batch.offset)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                return False
            raise
        try:
            self.file.sync()
        except OSError as error:
            raise LogFailed(f"syncing the log failed ({error})") from error
        return True

    def cut_back(self, batch: Batch) -> None:
        """After a write that found no room: nothing of the batch stays; it is written again from its start.

        Until then nothing can be appended. Raises OSError.
        """
        self.stalled = True
        self._reserved = 0
        self.file.truncate(batch.offset)

    def batch_done(self, batch: Batch) -> None:
        """The batch is durable."""
        self.durable = batch.last
        self._durable_end = batch.end
        self._durable_hash = batch.hash
        self.stalled = False
        for appended in batch.appended:
            self._unwritten.pop(appended.sequence, None)

    # Reading: may be called from threads.

    def read_record(self, number: int) -> tuple[EventType, Mapping[str, Any], bytes]:
        """Type, facts and own stored body (compressed) of an event with a body or a prefix; raises BodyUnreadable."""
        stored = self._bodies.record(number)
        return stored.type, stored.facts, self._bodies.octets(stored)

    def read_facts(self, number: int) -> Mapping[str, Any]:
        """The facts of an event with a body or a prefix, also when the body is erased; raises BodyUnreadable."""
        return self._bodies.record(number).facts

    def read_body(self, number: int) -> bytes:
        """The octets of an event's own body (a secret, or a message's without prefix); raises BodyUnreadable."""
        return self._bodies.body(self._bodies.record(number))

    def read_message(self, number: int) -> tuple[bytes, bytes]:
        """The prefix and the body of a stored message; raises BodyUnreadable."""
        stored = self._bodies.record(number)
        return stored.facts.get("prefix", b""), self._bodies.body(stored)

    def read_messages(self, numbers: Sequence[int]) -> list[bytes | BodyUnreadable]:
        """Whole messages, prefix and body joined, or why one cannot be read; cheapest for runs of neighbours."""
        return self._bodies.messages(numbers)

    def read_range(self, number: int, start: int, length: int) -> bytes:
        """`length` octets of the message (prefix and body joined) from `start`, fewer at its end.

        Reads only the frames needed: a partial FETCH of a large mail is cheap. Raises BodyUnreadable.
        """
        return self._bodies.message_range(number, start, length)

    # Erasing, closing.

    def erase_bodies(self, numbers: Iterable[int]) -> int:
        """Overwrite the stored bodies of these events with zeros; returns the octets given back.

        Only once the BodiesErased that names them is durable. Blocks, for a thread; harmless when repeated. Raises
        OSError; the zeros are on disk after the next sync.
        """
        freed = 0
        for number in numbers:
            place = self._bodies.place(number)
            if place is not None:
                self.file.erase(*place)
                freed += place[1]
        return freed

    def commit(self) -> None:
        """Write and sync all that is queued, now; for programs without a `Writer`. Blocks.

        Raises LogFull (it stays queued, and nothing of it is in the file) and LogFailed.
        """
        batch = self.take_batch()
        if batch is None:
            return
        try:
            if self.write_batch(batch):
                self.batch_done(batch)
                return
            self._batch = batch
            self.cut_back(batch)
        except (OSError, LogFailed) as error:
            self.failed = f"{error}: nothing was stored since; check the disk"
            raise LogFailed(self.failed) from error
        raise LogFull("the disk is full: nothing was stored; make room and try again")

    def give_back(self) -> None:
        """Give the reserved space back; only while nothing is being written. Raises OSError."""
        if self._reserved and self.failed is None:
            self.file.truncate(self._durable_end)
        self._reserved = 0

    def close(self) -> None:
        """Give the reserved space back and close the file, with its lock. What is queued is dropped."""
        try:
            self.give_back()
        finally:
            self.failed = self.failed or "the log is closed"
            self.file.close()


def body_event(kind: EventType, facts: Mapping[str, Any], body: StoredBody | None) -> Event:
    """An event whose facts tell of its body as the format wants (`size`, `frames`)."""
    return Event(kind, {**facts, **body.facts()} if body is not None else facts, body)
