"""A message body as it comes in: compressed piece by piece, written ahead when it is large."""

from typing import NamedTuple

from crockery.actions.store import Store
from crockery.events.body import BodyWriter, StoredBody, compress_body
from crockery.events.types import Event
from crockery.events.types.server import BODY_PART


class ReceivedBody(NamedTuple):
    """A body that can be named by one event: its own frames, or parts that are in the log already.

    Or it is the body of the event `holder`, and can be named by any number of events.
    """

    size: int
    stored: StoredBody | None
    parts: tuple[int, ...] = ()
    holder: int = 0

    def held_by(self, holder: int) -> "ReceivedBody":
        """The same, once an event has it."""
        return ReceivedBody(self.size, None, (), holder)

    def facts(self) -> dict[str, object]:
        """What the event's facts say of the body."""
        if self.stored is not None:
            return dict(self.stored.facts())
        return {"size": self.size, "parts": list(self.parts)}


def received(data: bytes) -> ReceivedBody:
    """A body that is here as a whole, and not large."""
    return ReceivedBody(len(data), compress_body(data))


class IncomingBody:
    """Takes octets in pieces of any size and holds at most about 1 MiB of them in memory.

    Parts of a body that never comes to its end stay unreferenced and are erased by and by.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._writer = BodyWriter()
        self._parts: list[int] = []

    @property
    def size(self) -> int:
        """Octets so far."""
        return self._writer.size

    def write(self, data: bytes) -> None:
        """Add octets; raises LogFull. Compresses each full 256 KiB (about a millisecond)."""
        self._writer.write(data)
        part = self._writer.take_part()
        if part is not None:
            self._append(part)

    def finish(self) -> ReceivedBody:
        """The whole body; raises LogFull."""
        last = self._writer.finish()
        if not self._parts:
            return ReceivedBody(self.size, last)
        if last.size:
            self._append(last)
        return ReceivedBody(self.size, None, tuple(self._parts))

    def _append(self, part: StoredBody) -> None:
        facts = {"size": part.size, "frames": list(part.frames)}
        self._parts.append(self._store.log.append([Event(BODY_PART, facts, part)]))
