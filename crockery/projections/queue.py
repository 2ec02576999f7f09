"""Projection: mail that goes elsewhere, one state a recipient.

    DUE -> IN_FLIGHT -> DELIVERED | RELAYED | FAILED, or DUE or HELD_INSECURE again; CANCELLED from either of these

Recipients in flight when the server starts are due again: they are the ones that may get the message twice. A message
leaves `by_id` when all its recipients are final and nobody is to be told anything about them any more; the last
`QUEUE_FINISHED_KEPT` stay in `finished`, for `queue show` and for undoing a cancellation.

A hundred thousand may wait, so a message holds only what scheduling needs; the rest is in its MessageQueued
(`Log.read_facts`).
"""

from collections.abc import Mapping
from typing import Any, Final

from crockery.limits import QUEUE_FINISHED_KEPT, QUEUE_REPORTS, QUEUE_STORY
from crockery.projections.queued import (
    NOWHERE,
    RECEIVED,
    Attempt,
    InFlight,
    Leave,
    Notify,
    Place,
    QueuedMessage,
    Recipient,
    RecipientState,
    Report,
    dump_messages,
    dump_place,
    load_messages,
    read_notify,
)

__all__ = [
    "NOWHERE", "RECEIVED", "Attempt", "InFlight", "Leave", "Notify", "Place", "Queue", "QueuedMessage", "Recipient",
    "RecipientState", "Report", "read_notify",
]  # fmt: skip

_SECOND: Final = 1_000_000

_RESULTS: Final = {
    "delivered": RecipientState.DELIVERED,
    "relayed": RecipientState.RELAYED,
    "failed": RecipientState.FAILED,
    "deferred": RecipientState.DUE,
    "held": RecipientState.HELD_INSECURE,
}


class Queue:
    """Queued messages by number, oldest first."""

    def __init__(self) -> None:
        self.by_id: dict[int, QueuedMessage] = {}
        self.finished: dict[int, QueuedMessage] = {}
        self.in_flight: dict[int, InFlight] = {}
        """By the number of the AttemptBegun."""
        self.reports: dict[int, dict[str, tuple[Report, ...]]] = {}
        """Message -> recipient -> what other servers said later, the latest few."""
        self.possible_duplicates = 0
        """Recipients whose attempt ended between the final dot and its answer."""
        self.standing_still = 0
        """Number of a HistoryResumed: messages from before it wait for the postmaster's word. 0: none do."""
        self.position = 0
        self._newest = (0, 0)
        """When the newest message was due, and when it expires: unix seconds."""

    def find(self, number: int) -> QueuedMessage | None:
        """The message, finished or not."""
        return self.by_id.get(number) or self.finished.get(number)

    def stands_still(self, message: QueuedMessage) -> bool:
        """Whether it waits for the postmaster's word after a restored copy."""
        return message.id < self.standing_still

    def still(self) -> list[QueuedMessage]:
        """All that wait for the postmaster's word."""
        return [message for message in self.by_id.values() if self.stands_still(message)] if self.standing_still else []

    def dump(self) -> Any:
        return [
            dump_messages(self.by_id),
            dump_messages(self.finished),
            [[number, f.message, f.recipients, dump_place(f.place)] for number, f in self.in_flight.items()],
            self.possible_duplicates,
            self.standing_still,
            self.position,
            [[number, list(told.items())] for number, told in self.reports.items()],
        ]

    def load(self, dumped: Any) -> None:
        waiting, finished, in_flight, self.possible_duplicates, self.standing_still, self.position, reports = dumped
        self.reports = {
            number: {address: tuple(Report(*one) for one in told) for address, told in of_message}
            for number, of_message in reports
        }
        self.by_id = load_messages(waiting)
        self.finished = load_messages(finished)
        for message in self.by_id.values():
            self._share_numbers(message)
        self.in_flight = {n: InFlight(message, tuple(to), Place(*place)) for n, message, to, place in in_flight}

    # Folding: one method an event type.

    def message_queued(self, sequence: int, time: int, facts: Mapping[str, Any]) -> None:
        message = self.by_id[sequence] = QueuedMessage(sequence, time, facts)
        self._share_numbers(message)
        self.position = sequence

    def attempt_begun(self, sequence: int, time: int, facts: Mapping[str, Any]) -> None:
        self.position = sequence
        message = self.by_id.get(facts["message"])
        if message is None:
            return
        for recipient in message.select(facts["recipients"]):
            recipient.state = RecipientState.IN_FLIGHT
        self.in_flight[sequence] = InFlight(message.id, tuple(facts["recipients"]), _place(facts))

    def recipients_attempted(self, sequence: int, time: int, facts: Mapping[str, Any]) -> None:
        self.position = sequence
        begun = self.in_flight.pop(facts.get("attempt", 0), None)
        message = self.by_id.get(facts["message"])
        if message is None:
            return
        place = begun.place if begun is not None else _place(facts)
        for outcome in facts["outcomes"]:
            attempt = _attempt(time, place, outcome)
            owed = set(outcome.get("owed", ()))
            if attempt.why == "uncertain":
                self.possible_duplicates += len(outcome["recipients"])
            for recipient in message.select(outcome["recipients"]):
                if not recipient.is_final:
                    _settle(recipient, attempt, outcome)
                    recipient.owed = recipient.address in owed
        self._finish(message)

    def recipients_rescheduled(self, sequence: int, time: int, facts: Mapping[str, Any]) -> None:
        self.position = sequence
        message = self.by_id.get(facts["message"])
        for recipient in message.select(facts["recipients"]) if message is not None else ():
            if recipient.is_waiting:
                recipient.next = facts["at"]
                if "insecure" in facts:
                    recipient.insecure = _leave(recipient, facts)
                if recipient.insecure:
                    recipient.state = RecipientState.DUE

    def recipients_cancelled(self, sequence: int, time: int, facts: Mapping[str, Any]) -> None:
        self.position = sequence
        message = self.by_id.get(facts["message"])
        if message is None:
            return
        for recipient in message.select(facts["recipients"]):
            if recipient.is_waiting:
                recipient.state = RecipientState.CANCELLED
        self._finish(message)

    def recipients_restored(self, sequence: int, time: int, facts: Mapping[str, Any]) -> None:
        self.position = sequence
        message = self.find(facts["message"])
        if message is None:
            return
        self.finished.pop(message.id, None)
        self.by_id[message.id] = message
        for recipient in message.select(facts["recipients"]):
            recipient.state = RecipientState.DUE
            recipient.next = facts["at"]

    def notice_made(self, sequence: int, time: int, facts: Mapping[str, Any]) -> None:
        self.position = sequence
        message = self.by_id.get(facts["message"])
        if message is None:
            return
        for recipient in message.select(facts["recipients"]):
            if facts["kind"] == "final":
                recipient.owed = False
            else:
                recipient.told = True
        if facts["kind"] == "deadline":
            message.deliver_by = 0
        self._finish(message)

    def delivery_reported(self, sequence: int, time: int, facts: Mapping[str, Any]) -> None:
        self.position = sequence
        message = self.find(facts["message"])
        if message is None:
            return
        told = self.reports.setdefault(message.id, {})
        for one in facts["recipients"]:
            said = (one.get("status", ""), one.get("text", ""), one.get("host", ""), one.get("final", ""))
            report = Report(time, facts["report"], facts["peer"], facts["host"], one["action"], *said)
            address = one["recipient"]
            told[address] = (*told.get(address, ()), report)[-QUEUE_REPORTS:]

    def server_started(self, sequence: int, time: int, facts: Mapping[str, Any]) -> None:
        """Whatever was in flight is due again."""
        self.position = sequence
        for begun in self.in_flight.values():
            self.possible_duplicates += len(begun.recipients)
            message = self.by_id.get(begun.message)
            for recipient in message.select(begun.recipients) if message is not None else ():
                recipient.state = RecipientState.DUE
                recipient.next = time // _SECOND
        self.in_flight.clear()

    def history_resumed(self, sequence: int, time: int, facts: Mapping[str, Any]) -> None:
        self.position = sequence
        if self.by_id:
            self.standing_still = sequence

    def queue_released(self, sequence: int, time: int, facts: Mapping[str, Any]) -> None:
        self.position = sequence
        held = self.still()
        self.standing_still = 0
        if facts["choice"] != "drop":
            for message in held:
                message.expires = max(message.expires, facts.get("expires", 0))
            return
        for message in held:
            for recipient in message.recipients:
                recipient.owed = False
                if not recipient.is_final:
                    recipient.state = RecipientState.CANCELLED
            self._finish(message)

    def smart_host_set(self, sequence: int, time: int, facts: Mapping[str, Any]) -> None:
        """There is another way: whoever waits is tried by it at once."""
        self.position = sequence
        now = time // _SECOND
        for message in self.by_id.values():
            for recipient in message.waiting:
                recipient.next = max(now, message.hold_until)

    def _share_numbers(self, message: QueuedMessage) -> None:
        """What comes in the same second has the same times: a hundred thousand may wait, and each number takes room."""
        due, expires = self._newest
        if message.expires == expires:
            message.expires = expires
        for recipient in message.recipients:
            if recipient.next == due:
                recipient.next = due
            due = recipient.next
        self._newest = due, message.expires

    def _finish(self, message: QueuedMessage) -> None:
        if not message.is_finished:
            return
        del self.by_id[message.id]
        self.finished[message.id] = message
        while len(self.finished) > QUEUE_FINISHED_KEPT:
            oldest = next(iter(self.finished))
            del self.finished[oldest]
            self.reports.pop(oldest, None)


def _settle(recipient: Recipient, attempt: Attempt, outcome: Mapping[str, Any]) -> None:
    recipient.state = _RESULTS.get(attempt.result, RecipientState.DUE)
    recipient.problem = outcome.get("problem")
    recipient.next = outcome.get("next", recipient.next)
    recipient.attempts += 1
    story = (*recipient.story, attempt)
    recipient.story = story if len(story) <= QUEUE_STORY else (story[0], *story[-QUEUE_STORY + 1 :])


def _leave(recipient: Recipient, facts: Mapping[str, Any]) -> Leave:
    """What a RecipientsRescheduled allows; what was allowed before it stays so."""
    if not facts["insecure"]:
        return Leave.NONE
    return (
        Leave.ANY if recipient.address in facts.get("against_policy", ()) else max(recipient.insecure, Leave.UNVERIFIED)
    )


def _attempt(time: int, place: Place, outcome: Mapping[str, Any]) -> Attempt:
    said = (outcome.get("code", 0), outcome.get("enhanced", ""), outcome.get("text", ""), outcome.get("why", ""))
    return Attempt(time, place, outcome["result"], *said)


def _place(facts: Mapping[str, Any]) -> Place:
    if "host" not in facts:
        return NOWHERE
    return Place(facts["host"], facts.get("address", ""), facts.get("tls"))
