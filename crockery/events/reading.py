"""Reading stored events and their bodies: from the octets still to be written, else from the file.

A message is its facts' `prefix` followed by the body; the body is the event's own frames, or those of BodyParts, or
another event's (see the package docstring). Every record's hash is checked as it is read, every frame has a checksum.
May be called from threads.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple, Protocol

from crockery.events.body import FRAME_SIZE, decompress_frame, decompress_frames
from crockery.events.catalog import Catalog
from crockery.events.codec import Encoded, decode_facts
from crockery.events.errors import BodyUnreadable
from crockery.events.format import HASH_SIZE, HEAD, HEAD_SIZE, MAX_FACTS, OVERHEAD, Hasher, Head
from crockery.events.types import EventType
from crockery.limits import READ_AHEAD

FIRST_READ: Final = 16 * 1024
"""Octets read at once for a record: most mails come whole."""


ELSEWHERE: Final = frozenset(("parts", "frames", "body_of"))
"""Facts of those whose body is not one frame in their own record."""


class Stored(NamedTuple):
    """A record as found: its decoded facts, and where its body is (or the octets that were read along with it)."""

    number: int
    type: EventType
    facts: Mapping[str, Any]
    body_length: int
    body_offset: int
    """In the file; -1: `start` is all of it."""
    start: bytes
    """The first octets of the stored body; perhaps all."""


class Readable(Protocol):
    """Where records are read from: a LogFile, or a window of one."""

    def read(self, offset: int, length: int) -> bytes:
        """Up to `length` octets from `offset`; fewer only at the end of the file. Raises OSError."""


class Window:
    """Reads a file ahead, for records that lie close behind one another."""

    def __init__(self, file: Readable, end: int) -> None:
        """`end`: offset up to which reading ahead is of use."""
        self._file = file
        self._end = end
        self._base = 0
        self._data = memoryview(b"")

    def read(self, offset: int, length: int) -> bytes:
        """As of a LogFile."""
        return bytes(self.view(offset, length))

    def view(self, offset: int, length: int) -> memoryview:
        """The same without a copy. Raises OSError."""
        at = offset - self._base
        if at < 0 or at + length > len(self._data):
            self._data = memoryview(self._file.read(offset, max(length, min(self._end - offset, READ_AHEAD))))
            self._base, at = offset, 0
        return self._data[at : at + length]


class Bodies:
    """Reads from a log's file and from what is not written yet."""

    def __init__(self, file: Readable, catalog: Catalog, hasher: Hasher, unwritten: Mapping[int, Encoded]) -> None:
        self._file = file
        self._catalog = catalog
        self._hasher = hasher
        self._unwritten = unwritten

    def record(self, number: int, first_read: int = FIRST_READ) -> Stored:
        """An event that is in the catalog, with its body's octets as far as `first_read` went; raises BodyUnreadable.

        The facts can be read even when the body is erased.
        """
        encoded = self._unwritten.get(number)
        if encoded is not None:
            head = Head._make(HEAD.unpack_from(encoded.record))
            return _decoded(number, head, encoded.facts, -1, encoded.body)
        offset = self._catalog.find(number)
        if offset is None:
            raise BodyUnreadable(number, "missing")
        data = self._read(number, offset, first_read)
        if len(data) < HEAD_SIZE:
            raise BodyUnreadable(number, "missing")
        head = Head._make(HEAD.unpack_from(data))
        hash_at = HEAD_SIZE + head.facts_length
        if head.facts_length > MAX_FACTS or head.sequence != number:
            raise BodyUnreadable(number, "damaged")
        if len(data) < hash_at + HASH_SIZE:
            data += self._read(number, offset + len(data), hash_at + HASH_SIZE - len(data))
        if self._hasher(data[:hash_at]) != data[hash_at : hash_at + HASH_SIZE]:
            raise BodyUnreadable(number, "damaged")
        body_at = hash_at + HASH_SIZE
        start = data[body_at : body_at + head.body_length]
        return _decoded(number, head, data[HEAD_SIZE:hash_at], offset + OVERHEAD + head.facts_length, start)

    def octets(self, stored: Stored, at: int = 0, length: int | None = None) -> bytes:
        """Stored (compressed) octets of a record's body; raises BodyUnreadable when it is erased or cut short."""
        self._require_kept(stored)
        end = stored.body_length if length is None else at + length
        have = stored.start[at:end]
        if len(have) < end - at and stored.body_offset >= 0:
            have += self._read(stored.number, stored.body_offset + at + len(have), end - at - len(have))
        if len(have) < end - at:
            raise BodyUnreadable(stored.number, "damaged")
        return have

    def place(self, number: int) -> tuple[int, int] | None:
        """Offset and length in the file of a record's stored body; None when it has none. Raises BodyUnreadable."""
        offset = self._catalog.find(number)
        data = b"" if offset is None else self._read(number, offset, HEAD_SIZE)
        if offset is None or len(data) < HEAD_SIZE:
            return None
        head = Head._make(HEAD.unpack(data))
        if head.sequence != number or head.marker != self._hasher.marker:
            raise BodyUnreadable(number, "damaged")
        return (offset + OVERHEAD + head.facts_length, head.body_length) if head.body_length else None

    def messages(self, numbers: Sequence[int]) -> list[bytes | BodyUnreadable]:
        """Whole messages (prefix and body), or why one cannot be read; those that lie close are read at once."""
        last = self._catalog.find(max(numbers, default=0))
        window = Window(self._file, 0 if last is None else last + FIRST_READ)
        read = Bodies(window, self._catalog, self._hasher, self._unwritten)._message
        return [self._plain_message(window, number) or read(number) for number in numbers]

    def _plain_message(self, window: Window, number: int) -> bytes | None:
        """A message that is whole in one record, as most are, at less cost; None if not, or if it does not verify."""
        offset = None if number in self._unwritten else self._catalog.find_kept(number)
        if offset is None:
            return None
        try:
            data = window.view(offset, FIRST_READ)
            head = Head._make(HEAD.unpack_from(data))
            end = OVERHEAD + head.facts_length + head.body_length
            if end > len(data):
                data = window.view(offset, min(end, READ_AHEAD))
            hash_at = HEAD_SIZE + head.facts_length
            body_at = hash_at + HASH_SIZE
            if head.sequence != number or self._hasher(data[:hash_at]) != data[hash_at:body_at]:
                return None
            decoded = decode_facts(head, data[HEAD_SIZE:hash_at])
            if decoded is None or not ELSEWHERE.isdisjoint(decoded[1]):
                return None
            facts = decoded[1]
            body = decompress_frame(data[body_at:end])
        except Exception:  # whatever is wrong with it, `record` and `body` say it
            return None
        prefix: bytes = facts.get("prefix", b"")
        return prefix + body if len(body) == facts.get("size") else None

    def _message(self, number: int) -> bytes | BodyUnreadable:
        try:
            stored = self.record(number)
            prefix: bytes = stored.facts.get("prefix", b"")
            body = self.body(stored)
        except BodyUnreadable as error:
            return error
        return prefix + body if prefix else body

    def body(self, stored: Stored) -> bytes:
        """The octets of a record's body: its parts', another event's, or its own; raises BodyUnreadable."""
        return self._own_body(self._holder(stored))

    def _holder(self, stored: Stored) -> Stored:
        """The record that has the body, or names its parts."""
        self._require_kept(stored)
        source = stored.facts.get("body_of")
        return stored if source is None else self.record(source)

    def _require_kept(self, stored: Stored) -> None:
        if self._catalog.is_erased(stored.number):
            raise BodyUnreadable(stored.number, "erased")

    def _own_body(self, stored: Stored) -> bytes:
        parts = stored.facts.get("parts")
        if parts:
            self._require_kept(stored)
            return b"".join([self._own_body(self.record(part)) for part in parts])
        data = self.octets(stored)
        try:
            body = decompress_frames(data, stored.facts.get("frames", ()))
        except Exception as error:  # zstandard raises its own ZstdError and, on short frames, others
            raise BodyUnreadable(stored.number, _what_is_wrong(data)) from error
        if len(body) != stored.facts.get("size", len(body)):  # one flipped bit can say that a frame is empty
            raise BodyUnreadable(stored.number, "damaged")
        return body

    def message_range(self, number: int, start: int, length: int) -> bytes:
        """Octets of the message (prefix and body) from `start`, fewer at its end; reads only the frames needed."""
        stored = self.record(number)
        prefix: bytes = stored.facts.get("prefix", b"")
        pieces = [prefix[start : start + length]]
        wanted_from, wanted_to = max(start - len(prefix), 0), start + length - len(prefix)
        if wanted_to <= 0:
            return pieces[0]
        holder = self._holder(stored)
        for at, size, record, frame_at, frame_length in self._frames(holder, wanted_to):
            if at + size > wanted_from:
                frame = self._frame(record, frame_at, frame_length, size)
                pieces.append(frame[max(wanted_from - at, 0) : wanted_to - at])
        return b"".join(pieces)

    def _frames(self, holder: Stored, end: int) -> Iterator[tuple[int, int, Stored, int, int]]:
        """The frames that begin before octet `end` of the body: offset and size in it, record, place and length there.

        Parts are of whole frames, so that each but the last of a record stands for FRAME_SIZE octets.
        """
        at = 0
        for number in holder.facts.get("parts") or (0,):
            if at >= end:
                return
            record = self.record(number) if number else holder
            left: int = record.facts["size"]
            frame_at = 0
            for length in record.facts.get("frames") or (record.body_length,):
                size = min(left, FRAME_SIZE)
                if at < end:
                    yield at, size, record, frame_at, length
                at, left, frame_at = at + size, left - size, frame_at + length

    def _frame(self, record: Stored, at: int, length: int, size: int) -> bytes:
        data = self.octets(record, at, length)
        try:
            frame = decompress_frame(data)
        except Exception as error:  # as in _own_body
            raise BodyUnreadable(record.number, _what_is_wrong(data)) from error
        if len(frame) != size:
            raise BodyUnreadable(record.number, "damaged")
        return frame

    def _read(self, number: int, offset: int, length: int) -> bytes:
        try:
            return self._file.read(offset, length)
        except OSError as error:  # a bad sector is damage like any other
            raise BodyUnreadable(number, "damaged") from error


def _decoded(number: int, head: Head, facts: bytes, body_offset: int, start: bytes) -> Stored:
    decoded = decode_facts(head, facts)
    if decoded is None:
        raise BodyUnreadable(number, "missing")
    return Stored(number, *decoded, head.body_length, body_offset, start)


def _what_is_wrong(stored: bytes) -> str:
    return "damaged" if any(stored) else "missing"
