"""The log as the rest of Crockery uses it: append atoms, read bodies. No task, no await; see `writer` for the sync.

Appending fixes sequence numbers and time, encodes, applies the *decoded* form to the projections, and queues the
octets, all at once: whoever looked, decided and appends without an await in between is atomic under Trio. What is
appended is visible to the projections at once, and durable later: nobody outside is told before `durable` has come
to its number.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgpack

from crockery.events.body import StoredBody, decompress_frames
from crockery.events.catalog import Catalog
from crockery.events.codec import Encoded, decode_facts, encode
from crockery.events.errors import BodyUnreadable, LogFailed, LogFull
from crockery.events.file import LogFile
from crockery.events.format import HEAD, HEAD_SIZE, OVERHEAD, Head, Header, make_hasher
from crockery.events.scan import Position
from crockery.events.types import Event, EventType
from crockery.events.types.server import BATCH
from crockery.limits import FACTS_RESERVE, RESERVE_STEP

logger: Final = logging.getLogger(__name__)

FIRST_READ: Final = 16 * 1024
"""Octets read at once for a record: most mails come whole."""

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

    __slots__ = ("appended", "buffers", "last", "length", "offset")

    def __init__(self, offset: int) -> None:
        self.offset = offset
        self.length = 0
        self.last = 0
        self.buffers: list[bytes] = []
        self.appended: list[Appended] = []

    @property
    def end(self) -> int:
        return self.offset + self.length


class Log:
    """An open log. `open_log` in `recover` makes one."""

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
        """Called after each append; the writer sets it."""
        self._apply = apply
        self._clock = clock
        self._hasher = make_hasher(header.key)
        self._hash = position.hash
        self._end = position.offset
        self._durable_end = position.offset
        self._batch: Batch | None = None
        self._unwritten: dict[int, Encoded] = {}
        self._reserve = reserve
        self._reserved = 0
        self.last_time = 0
        self.stalled = False
        """A write found the disk full: nothing is appended until it went through."""

    @property
    def end(self) -> int:
        """File offset after the last appended record."""
        return self._end

    @property
    def durable_position(self) -> Position:
        """Where the durable records end; hash and number are only those of the head when nothing is queued."""
        return Position(self._durable_end, self.durable, self._hash)

    def append(self, events: Sequence[Event], *, jump: int = 0) -> int:
        """Append one atom and apply it; returns the sequence number of its first event (the others follow it).

        `jump` is for HistoryResumed alone: numbers go on that much later.

        Raises LogFull (no room: nothing happened) and LogFailed (the process must stop).
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
            raise LogFailed(self.failed) from error
        self._enqueue(frame, list(zip(encoded, events, decoded, strict=True)), first, time)
        self._hash = digest
        self.head = first + len(events) - 1
        self.last_time = time
        self.on_append()
        return first

    def _encode_frame(self, first: int, time: int) -> Encoded | None:
        if self._batch is not None:
            return None
        event = Event(BATCH, {"durable": self._durable_end})
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
        needed = end + (self._reserve if has_body else 0)
        if needed <= self._reserved:
            return
        for extra in (self._reserve + RESERVE_STEP, 0):
            if self.file.reserve(needed + extra):
                self._reserved = needed + extra
                return
        raise LogFull("the disk is full: new mail is refused; delete something or make room")

    def _enqueue(
        self,
        frame: Encoded | None,
        atom: list[tuple[Encoded, Event, dict[str, Any]]],
        first: int,
        time: int,
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
        self._end = batch.end

    # What the writer does with batches.

    def take_batch(self) -> Batch | None:
        """The queued atoms, to be written now; the next append begins another batch."""
        batch, self._batch = self._batch, None
        return batch

    def write_batch(self, batch: Batch) -> None:
        """Write and sync; blocks, for a thread. Raises OSError when the write fails, LogFailed when the sync does."""
        self.file.write(batch.buffers, batch.offset)
        try:
            self.file.sync()
        except OSError as error:
            raise LogFailed(f"syncing the log failed ({error})") from error

    def cut_back(self, batch: Batch) -> None:
        """After a write that found no room: nothing of the batch stays; it is written again from its start."""
        self.stalled = True
        self._reserved = 0
        self.file.truncate(batch.offset)

    def batch_done(self, batch: Batch) -> None:
        """The batch is durable."""
        self.durable = batch.last
        self._durable_end = batch.end
        self.stalled = False
        for appended in batch.appended:
            self._unwritten.pop(appended.sequence, None)

    # Reading.

    def read_record(self, number: int) -> tuple[EventType, Mapping[str, Any], bytes]:
        """Type, facts and stored body (compressed) of an event with a body; raises BodyUnreadable."""
        encoded = self._unwritten.get(number)
        if encoded is not None:
            head, facts, body = Head._make(HEAD.unpack_from(encoded.record)), encoded.facts, encoded.body
        else:
            head, facts, body = self._read_from_file(number)
        decoded = decode_facts(head, facts)
        if decoded is None:
            raise BodyUnreadable(number, "missing")
        return decoded[0], decoded[1], body

    def _read_from_file(self, number: int) -> tuple[Head, bytes, bytes]:
        offset = self.catalog.find(number)
        if offset is None:
            raise BodyUnreadable(number, "missing")
        data = self.file.read(offset, FIRST_READ)
        if len(data) < HEAD_SIZE:
            raise BodyUnreadable(number, "missing")
        head = Head._make(HEAD.unpack_from(data))
        body_at = OVERHEAD + head.facts_length
        end = body_at + head.body_length
        if len(data) < end:
            data += self.file.read(offset + len(data), end - len(data))
        if head.sequence != number or len(data) < end:
            raise BodyUnreadable(number, "damaged")
        return head, data[HEAD_SIZE : HEAD_SIZE + head.facts_length], data[body_at:end]

    def read_body(self, number: int) -> bytes:
        """The octets of an event's own body (a secret, or a message's without prefix); raises BodyUnreadable."""
        _, facts, stored = self.read_record(number)
        return self._join(number, facts, stored)

    def read_message(self, number: int) -> tuple[bytes, bytes]:
        """The prefix and the body of a stored message; raises BodyUnreadable."""
        _, facts, stored = self.read_record(number)
        prefix: bytes = facts.get("prefix", b"")
        source = facts.get("body_of")
        if source is not None:
            return prefix, self.read_body(source)
        return prefix, self._join(number, facts, stored)

    def _join(self, number: int, facts: Mapping[str, Any], stored: bytes) -> bytes:
        parts = facts.get("parts", ())
        pieces = [self.read_body(part) for part in parts]
        if stored or not parts:
            pieces.append(self._decompress(number, facts, stored))
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _decompress(self, number: int, facts: Mapping[str, Any], stored: bytes) -> bytes:
        try:
            return decompress_frames(stored, facts.get("frames", ()))
        except Exception as error:  # zstandard raises its own ZstdError and, on short frames, others
            reason = "missing" if not any(stored) else "damaged"
            raise BodyUnreadable(number, reason) from error


def body_event(kind: EventType, facts: Mapping[str, Any], body: StoredBody | None) -> Event:
    """An event whose facts tell of its body as the format wants (`size`, `frames`)."""
    return Event(kind, {**facts, **body.facts()} if body is not None else facts, body)
