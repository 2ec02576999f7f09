"""The log and what it adds up to, together, and the atom that an action makes of events."""

from collections.abc import Callable
from dataclasses import dataclass, field

from crockery.actions.actor import Actor
from crockery.events.body import StoredBody
from crockery.events.log import Log
from crockery.events.types import Event, EventType
from crockery.events.types.accounts import SESSION_OPENED
from crockery.events.types.base import Facts
from crockery.projections.state import State


@dataclass(slots=True, frozen=True)
class Store:
    """What every action works on."""

    log: Log
    state: State
    clock: Callable[[], int]
    """Microseconds since 1970."""
    refused: list[Callable[[int, int], None]] = field(default_factory=list)
    """Listeners: an account (its id) has no room under its quota for a mail of so many octets, which was not taken."""

    @property
    def now(self) -> int:
        """Unix seconds."""
        return self.clock() // 1_000_000

    def atom(self, actor: Actor) -> "Atom":
        """Begin an atom; its events will say that `actor` did it. No await until it is committed."""
        return Atom(self, actor)


class Atom:
    """The events of one action, each with the number it will have. Nothing happens until `commit`."""

    def __init__(self, store: Store, actor: Actor) -> None:
        self._store = store
        self._actor = actor
        self._first = store.log.head + 1
        self._events: list[Event] = []
        self.next_uids: dict[int, int] = {}
        """mailbox id -> UIDNEXT, of those that the atom puts messages into."""
        self.threads: dict[int, int] = {}
        """Keys of conversations that the atom makes known."""
        self.keywords: dict[int, set[str]] = {}
        """mailbox id -> keywords, in lower case, that the atom brings to it first."""
        self.growth: dict[int, tuple[int, int]] = {}
        """account id -> octets and messages that the atom adds under its quota."""
        self.by = actor.number
        if not actor.is_server and not actor.number:
            self.by = self.add(SESSION_OPENED, _session_facts(actor))

    def add(self, kind: EventType, facts: Facts, body: StoredBody | None = None) -> int:
        """Add an event; returns the number it will have."""
        self._events.append(Event(kind, facts, body))
        return self._first + len(self._events) - 1

    @property
    def next(self) -> int:
        """The number that the next event added will have."""
        return self._first + len(self._events)

    def commit(self) -> None:
        """Append the atom; raises LogFull (nothing happened) or LogFailed."""
        if not self._events:
            return
        self._store.log.append(self._events)
        self._actor.number = self.by


def _session_facts(actor: Actor) -> dict[str, object]:
    facts: dict[str, object] = {"account": actor.account, "protocol": actor.protocol, "peer": actor.peer}
    if actor.client:
        facts["client"] = actor.client
    if actor.tls:
        facts["tls"] = actor.tls
    if actor.app:
        facts["app"] = actor.app
    return facts
