"""Reading the log for people: event after event from the file, each told, with the names things had then."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from crockery.events.codec import decode_facts
from crockery.events.errors import UnknownEvent
from crockery.events.file import LogFile
from crockery.events.format import Hasher, Header
from crockery.events.ranges import unpack_numbers
from crockery.events.recover import beginning
from crockery.events.scan import Record
from crockery.events.types.base import EventType
from crockery.events.walk import Atom, Walk
from crockery.web.narration import Names, tell
from crockery.web.words import moment

PACKED: Final = frozenset(("numbers", "orphaned", "secrets"))
"""Facts that are packed numbers (`events.ranges`)."""


@dataclass(frozen=True, slots=True)
class Told:
    """An event as read, before it is told."""

    number: int
    time: int
    type: EventType
    facts: Mapping[str, Any]


class Chronicle:
    """Goes through the durable events of a log, from the first on, and on from where it was."""

    def __init__(self, file: LogFile, header: Header) -> None:
        self._file = file
        self._hasher = Hasher(header.key)
        self._position = beginning(header)
        self.names = Names()
        """As they were before the event that was given last."""

    def events(self, end: int) -> Iterator[Told]:
        """The events before the file offset `end`, the end of an atom, that were not given yet.

        What is damaged or not known is left out. The names are folded when the next event is asked for.
        """
        walk = Walk(self._file, self._hasher, self._position, end)
        for item in walk:
            for record in item.records if isinstance(item, Atom) else ():
                event = _decode(record)
                if event is not None:
                    yield event
                    self.names.fold(event.number, event.type, event.facts)
        self._position = walk.position

    def entry(self, event: Told) -> dict[str, Any]:
        """The event that `events` gave last, as the API gives it."""
        names, facts = self.names, event.facts
        actor = names.actor(facts) if "by" in facts else None
        return {
            "number": event.number,
            "time": moment(event.time),
            "type": event.type.name,
            "text": tell(names, event.number, event.type, facts),
            "actor": {"who": actor.who, "peer": actor.peer or None, "over": actor.protocol or None} if actor else None,
            "facts": {name: plain(name, value) for name, value in facts.items()},
        }


def _decode(record: Record) -> Told | None:
    try:
        decoded = decode_facts(record.head, record.facts)
    except UnknownEvent:
        return None
    return Told(record.head.sequence, record.head.time, *decoded) if decoded is not None else None


def plain(name: str, value: Any) -> Any:
    """A fact as JSON has it: packed numbers as a list, octets as text."""
    if not isinstance(value, bytes):
        return value
    if name in PACKED:
        return unpack_numbers(value).tolist()
    return value.decode("utf-8", "replace")
