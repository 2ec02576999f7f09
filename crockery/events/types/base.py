"""What an event type and an event are."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from crockery.events.body import StoredBody

Facts = Mapping[str, Any]
"""A decoded facts map; the TypedDicts beside this file say what is in it."""

Upcast = Callable[[dict[str, Any]], dict[str, Any]]
"""Lifts facts of version n to version n + 1."""


class EventType(NamedTuple):
    """One row of the table of event types."""

    code: int
    name: str
    version: int = 1
    skippable: bool = False
    secret: bool = False
    """Its body is a secret: never shown by `log`, erased when replaced."""
    upcasts: tuple[Upcast, ...] = ()
    """upcasts[n - 1] lifts version n to n + 1."""


class Event(NamedTuple):
    """An event about to be appended: its type, its facts (a TypedDict of the type) and its body, if it has one."""

    type: EventType
    facts: Facts
    body: StoredBody | None = None
