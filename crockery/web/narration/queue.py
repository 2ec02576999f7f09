"""Sentences for events of mail that goes elsewhere."""

from collections.abc import Mapping
from typing import Any, Final

from crockery.events.types import queue as events
from crockery.events.types.base import EventType
from crockery.web.narration.names import Names, Sentence
from crockery.web.narration.words import listed, octets, plural

SHOWN_RECIPIENTS: Final = 3


def _message_queued(names: Names, number: int, facts: Mapping[str, Any]) -> str:
    size = octets(facts["size"] + len(facts["prefix"]))
    sender = facts["reverse_path"] or "<>"
    return f"{names.actor(facts)} queued mail from {sender} to {_recipients(facts)} ({size})"


def _recipients_cancelled(names: Names, number: int, facts: Mapping[str, Any]) -> str:
    return f"{names.actor(facts)} cancelled sending message {facts['message']} to {_recipients(facts)}"


def _recipients(facts: Mapping[str, Any]) -> str:
    recipients = facts["recipients"]
    return listed(recipients) if len(recipients) <= SHOWN_RECIPIENTS else plural(len(recipients), "recipient")


SENTENCES: Final[tuple[tuple[EventType, Sentence], ...]] = (
    (events.MESSAGE_QUEUED, _message_queued),
    (events.RECIPIENTS_CANCELLED, _recipients_cancelled),
)
