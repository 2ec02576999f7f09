"""Events to records and back: encoding with the chain, decoding with upcasts."""

from typing import Any, Final, NamedTuple

import msgpack

from crockery.events.errors import UnknownEvent
from crockery.events.format import (
    FLAG_LAST,
    FLAG_SECRET,
    FLAG_SKIPPABLE,
    HEAD,
    MAX_FACTS,
    NO_HASH,
    Hasher,
    Head,
)
from crockery.events.types import TYPES, Event
from crockery.events.types.base import EventType

BATCH_CODE: Final = 1


class Encoded(NamedTuple):
    """A record's octets: up to its hash, and the body (which may be empty)."""

    record: bytes
    body: bytes
    hash: bytes
    facts: bytes

    @property
    def length(self) -> int:
        return len(self.record) + len(self.body)


def encode(event: Event, sequence: int, time: int, *, last: bool, previous: bytes, hasher: Hasher) -> Encoded:
    """One record; `previous` is the hash of the record before it. Raises ValueError when the facts are too long."""
    kind = event.type
    flags = (FLAG_LAST if last else 0) | (FLAG_SKIPPABLE if kind.skippable else 0) | (FLAG_SECRET if kind.secret else 0)
    body = event.body.data if event.body is not None else b""
    body_hash = hasher(body) if body else NO_HASH
    facts = msgpack.packb(event.facts)
    if len(facts) > MAX_FACTS:
        raise ValueError(f"the facts of {kind.name} have {len(facts)} octets: more than a reader accepts")
    head = HEAD.pack(
        hasher.marker, flags, kind.version, kind.code, sequence, time, len(facts), len(body), previous, body_hash
    ) + facts  # fmt: skip
    digest = hasher(head)
    return Encoded(head + digest, body, digest, facts)


def decode_facts(head: Head, facts: bytes | memoryview) -> tuple[EventType, dict[str, Any]] | None:
    """The event's type and facts, lifted to the newest version; None when it may be skipped; raises UnknownEvent."""
    kind = TYPES.get(head.type)
    if kind is None or not 1 <= head.version <= kind.version:
        if head.flags & FLAG_SKIPPABLE:
            return None
        raise UnknownEvent(
            f"event {head.sequence} of this log is of a kind ({head.type}, version {head.version}) that this program "
            "does not know: the log was written by a newer Crockery; use that one, or a backup from before it"
        )
    decoded: dict[str, Any] = msgpack.unpackb(facts, strict_map_key=False)
    if head.version < kind.version:
        for upcast in kind.upcasts[head.version - 1 :]:
            decoded = upcast(decoded)
    return kind, decoded
