"""What an operation gets, and what it works on."""

from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crockery.actions.actor import Actor
from crockery.actions.store import Store
from crockery.net.passwords import PasswordHasher
from crockery.web.control.errors import bad_request

Json = Any
"""What `json` reads and writes."""

Lines = Iterator[Json]
"""An answer that comes one JSON value a line."""


@dataclass(frozen=True, slots=True)
class Context:
    """What the API works on: the log with its state, and the server around it, if one runs."""

    store: Store
    path: Path
    running: Callable[[], Mapping[str, Json]] | None = None
    """What `status` tells of the running server: pid, ports ...; None: none runs."""
    reindex: Callable[[], Lines | AsyncGenerator[Json, None]] | None = None
    """Makes the derived files anew; tells of `done` and `total` on the way."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request, its body decoded; `actor` is the connection's."""

    method: str
    path: str
    actor: Actor
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Json] = field(default_factory=dict)
    hasher: PasswordHasher = field(default_factory=PasswordHasher)
    prepared: Any = None
    """What the route's `prepare` made of it, in a thread: the hash of a password."""

    def text(self, name: str) -> str:
        """A text that the body must have; raises ControlError."""
        value = self.body.get(name)
        if not isinstance(value, str):
            raise bad_request(f"the request needs a text {name!r}")
        return value

    def number(self, name: str, default: int) -> int:
        """A number of the query; raises ControlError."""
        value = self.query.get(name)
        if value is None:
            return default
        if not (value.isascii() and value.isdigit() and len(value) < 20):
            raise bad_request(f"{name} must be a number, not {value}")
        return int(value)
