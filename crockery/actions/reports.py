"""Actions on news of what was sent: what other servers say later becomes a part of a recipient's story, no more."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from crockery.actions.store import Atom, Store
from crockery.events.errors import BodyUnreadable
from crockery.events.types.queue import DELIVERY_REPORTED
from crockery.limits import QUEUE_TEXT
from crockery.message.dsn_parse import DeliveryReport, ReportedRecipient
from crockery.projections.queue import QueuedMessage, Recipient


def add_report(
    store: Store, atom: Atom, report: DeliveryReport, to: Sequence[str], peer: str, number: int
) -> list[int]:
    """Note what a delivery status notification says of mail of ours, as a part of an atom; returns the messages.

    Anybody can write a notice, so it counts only if it fits what was sent: it names the message by its Message-ID, or
    by its ENVID, and a recipient whom another server took it for, and it came (`to`: the recipients of its envelope) to
    the reverse-path that the message went out with; that of a forward holds an HMAC. It changes no state.

    Args:
        peer: the address that it came from.
        number: the event of the same atom by which the notice came in.
    """
    paths = {address.casefold() for address in to}
    found = []
    for message in _candidates(store, report):
        if message.reverse_path.casefold() not in paths:
            continue
        told = list(_fitting(message, report.recipients))
        if told:
            facts = {"message": message.id, "report": number, "peer": peer, "host": report.reporting_host[:QUEUE_TEXT]}
            atom.add(DELIVERY_REPORTED, {**facts, "recipients": told})
            found.append(message.id)
    return found


def _candidates(store: Store, report: DeliveryReport) -> Iterator[QueuedMessage]:
    """The messages it can be about, as far as their names go."""
    message_id = report.message_id.strip("<>")
    for number in store.state.sent.find(message_id, report.envelope_id):
        message = store.state.queue.find(number)
        if message is None or not message.reverse_path:
            continue
        try:
            facts = store.log.read_facts(number)
        except BodyUnreadable:
            continue
        if message_id and facts.get("message_id", "") != message_id:
            continue  # whoever knows the ENVID, but of another message
        if message_id or facts.get("envid", "") == report.envelope_id:
            yield message


def _fitting(message: QueuedMessage, reported: Iterable[ReportedRecipient]) -> Iterator[dict[str, Any]]:
    """What is said of recipients that another server took the message for; each once."""
    taken = {recipient.address.casefold(): recipient for recipient in message.recipients if _was_taken(recipient)}
    for one in reported:
        recipient = taken.pop(one.original.casefold(), None) or taken.pop(one.final.casefold(), None)
        if recipient is None and len(message.recipients) == 1 and taken:
            recipient = taken.popitem()[1]  # their server let it go on to another address
        if recipient is None:
            continue
        facts = {"status": one.status, "text": one.diagnostic[:QUEUE_TEXT], "host": one.remote_host[:QUEUE_TEXT]}
        if one.final.casefold() != recipient.address.casefold():
            facts["final"] = one.final[:QUEUE_TEXT]
        told = {name: value for name, value in facts.items() if value}
        yield {"recipient": recipient.address, "action": one.action.value, **told}


def _was_taken(recipient: Recipient) -> bool:
    """Whether another server took it, or may have."""
    return any(
        attempt.place.host and (attempt.result in ("delivered", "relayed") or attempt.why == "uncertain")
        for attempt in recipient.story
    )
