"""Sentences for events of annotations and special uses."""

from collections.abc import Mapping
from typing import Any, Final

from crockery.events.types import annotations as events
from crockery.events.types.base import EventType
from crockery.web.narration.names import Names, Sentence
from crockery.web.words import listed


def _metadata_changed(names: Names, number: int, facts: Mapping[str, Any]) -> str:
    seen_from = names.actor_account(facts)
    place = names.mailbox(facts["box"], seen_from) if facts["box"] else "the server"
    given = [entry for entry, value, _ in facts["entries"] if value is not None]
    taken = [entry for entry, value, _ in facts["entries"] if value is None]
    said = [f"set {listed(given)}"] if given else []
    said += [f"removed {listed(taken)}"] if taken else []
    return f"{names.actor(facts)} {' and '.join(said)} of {place}"


def _special_uses_changed(names: Names, number: int, facts: Mapping[str, Any]) -> str:
    seen_from = names.actor_account(facts)
    said = [
        f"made {names.mailbox(box, seen_from)} the mailbox for {use[1:]}"
        if use
        else f"let {names.mailbox(box, seen_from)} be no longer the mailbox for {old[1:]}"
        for box, use, old in facts["uses"]
    ]
    return f"{names.actor(facts)} {listed(said)}"


SENTENCES: Final[tuple[tuple[EventType, Sentence], ...]] = (
    (events.METADATA_CHANGED, _metadata_changed),
    (events.SPECIAL_USES_CHANGED, _special_uses_changed),
)
