"""The event types: what can be said in the log.

Each type is a TypedDict (its facts, as they stand in the msgpack map) plus a row in a table: code, version, whether a
program that does not know it may skip it. Facts are plain dicts so that a replay of millions costs no objects; the
TypedDict keeps them honest under mypy. Codes are never used again, names may change.

Ids of things (account, mailbox, message, session, app password) are the sequence number of the event that brought them.
`by` in the facts is the actor: the number of the SessionOpened event, or 0 for the server itself; `cmd` the command.

Rooms: `base` (what a type is), `server`, `accounts`, `mail`, `annotations`, `queue`, `trust`; `TYPES` is all by code.
"""

from typing import Final

from crockery.events.types import accounts, annotations, mail, queue, server, trust
from crockery.events.types.base import Event, EventType

TYPES: Final[dict[int, EventType]] = {
    kind.code: kind
    for kind in (
        *server.TYPES,
        *accounts.TYPES,
        *mail.TYPES,
        *annotations.TYPES,
        *queue.TYPES,
        *trust.TYPES,
    )
}

__all__ = ["TYPES", "Event", "EventType"]
