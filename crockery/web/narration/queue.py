"""Sentences for events of mail that goes elsewhere."""

from collections.abc import Mapping
from typing import Any, Final

from crockery.events.types import queue as events
from crockery.events.types.base import EventType
from crockery.web.narration.names import Names, Sentence
from crockery.web.words import listed, octets, plural

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


def _attempt_begun(names: Names, number: int, facts: Mapping[str, Any]) -> str:
    return f"message {facts['message']} goes to {_recipients(facts)} by {_host(facts)}"


def _recipients_attempted(names: Names, number: int, facts: Mapping[str, Any]) -> str:
    said = [_outcome(outcome) for outcome in facts["outcomes"]]
    return f"message {facts['message']} {' and '.join(said)}"


def _outcome(outcome: Mapping[str, Any]) -> str:
    verb = _OUTCOMES.get(outcome["result"], outcome["result"])
    code = f"{outcome['code']} " if "code" in outcome else ""
    reason = (code + outcome.get("text", outcome.get("why", ""))).strip()
    return f"{verb} {_recipients(outcome)}" + (f" ({reason})" if reason else "")


_OUTCOMES: Final = {
    "delivered": "reached the server of",
    "relayed": "reached the server of",
    "deferred": "must wait for",
    "held": "waits for a secure way to",
    "failed": "cannot be sent to",
}


def _host(facts: Mapping[str, Any]) -> str:
    return f"{facts['host']} ({facts['address']})" if facts.get("address") else facts.get("host", "nobody")


def _recipients_rescheduled(names: Names, number: int, facts: Mapping[str, Any]) -> str:
    how = ", without a secure way if need be" if facts.get("insecure") else ""
    return f"{names.actor(facts)} let message {facts['message']} be tried again for {_recipients(facts)}{how}"


def _recipients_restored(names: Names, number: int, facts: Mapping[str, Any]) -> str:
    return f"{names.actor(facts)} let message {facts['message']} go to {_recipients(facts)} after all"


def _notice_made(names: Names, number: int, facts: Mapping[str, Any]) -> str:
    what = {"delayed": "the delay", "deadline": "the deadline missed"}.get(facts["kind"], "what became")
    of = "for" if facts["kind"] in ("delayed", "deadline") else "of"
    told = f"the sender was told by message {facts['notice']}" if facts["notice"] else "nobody could be told"
    return f"{told} {what} {of} {_recipients(facts)} of message {facts['message']}"


def _queue_released(names: Names, number: int, facts: Mapping[str, Any]) -> str:
    verb = "sent" if facts["choice"] == "send" else "dropped"
    return f"{names.actor(facts)} let the mail that waited before the copy be {verb}"


def _delivery_reported(names: Names, number: int, facts: Mapping[str, Any]) -> str:
    said = [f"{_REPORTED.get(one['action'], one['action'])} {one['recipient']}" for one in facts["recipients"]]
    return f"{facts['host'] or facts['peer']} said later of message {facts['message']}: it {listed(said)}"


def _forward_kept(names: Names, number: int, facts: Mapping[str, Any]) -> str:
    return f"message {facts['message']} did not go on to {facts['address']} ({facts['why']}): it stays here"


_REPORTED: Final = {
    "failed": "could not be delivered to",
    "delayed": "is delayed for",
    "delivered": "was delivered to",
    "relayed": "went on to",
    "expanded": "went to the members of",
}

SENTENCES: Final[tuple[tuple[EventType, Sentence], ...]] = (
    (events.MESSAGE_QUEUED, _message_queued),
    (events.RECIPIENTS_CANCELLED, _recipients_cancelled),
    (events.ATTEMPT_BEGUN, _attempt_begun),
    (events.RECIPIENTS_ATTEMPTED, _recipients_attempted),
    (events.RECIPIENTS_RESCHEDULED, _recipients_rescheduled),
    (events.RECIPIENTS_RESTORED, _recipients_restored),
    (events.NOTICE_MADE, _notice_made),
    (events.QUEUE_RELEASED, _queue_released),
    (events.DELIVERY_REPORTED, _delivery_reported),
    (events.FORWARD_KEPT, _forward_kept),
)
