"""All that a session needs, in one place."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

import trio

from crockery.actions.store import Store
from crockery.events.writer import Writer
from crockery.net.budget import Budget
from crockery.net.changes import Changes
from crockery.net.login import Logins
from crockery.net.tally import Tally
from crockery.net.tls import TLSHolder

if TYPE_CHECKING:
    from crockery.projections.structure import Structures
    from crockery.projections.text import Texts

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Services:
    """Made once by `app`, given to every session."""

    store: Store
    writer: Writer
    logins: Logins
    changes: Changes
    budget: Budget
    tally: Tally
    structures: "Structures"
    texts: "Texts"
    tls: TLSHolder
    stopping: trio.Event
    """Set when the server stops: whoever waits for a peer says goodbye (421, BYE) and ends within `STOP_GRACE`."""
    _shared: dict[type[object], object] = field(default_factory=dict)

    def shared(self, kind: type[T], make: Callable[[], T]) -> T:
        """What all sessions of one protocol have in common, by its type; the first that asks makes it.

        So a session gets what `net` knows nothing of: `app` may be the first that asks.
        """
        found = self._shared.get(kind)
        if not isinstance(found, kind):
            found = self._shared[kind] = make()
        return found
