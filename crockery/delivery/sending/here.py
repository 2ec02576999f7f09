"""Mail in the queue for addresses of ours: submissions that were held until a time, when it has come."""

from functools import partial

from crockery.actions.actor import the_server
from crockery.actions.incoming import ReceivedBody
from crockery.actions.mail import Delivery, add_delivery
from crockery.actions.queue import Outcome, Outgoing, add_outcomes
from crockery.actions.store import Store
from crockery.delivery.destinations import Destinations, Target, find_destinations
from crockery.delivery.envelope import Client, Envelope
from crockery.delivery.forwarding import forwarded, rewrite_path
from crockery.delivery.recipients import account_address
from crockery.events.types.base import Facts
from crockery.limits import INTAKE_MAX_HEADER
from crockery.message.conversation import read_conversation
from crockery.projections.queue import QueuedMessage, Recipient
from crockery.smtp.wire import parse_mailbox
from crockery.smtp.wire.received import render_delivered_to, render_return_path


def deliver_here(store: Store, message: QueuedMessage, recipients: list[Recipient], facts: Facts) -> None:
    """Put a queued message into mailboxes, let it go on by forwards, and note what became of these recipients.

    One atom; `facts` are those of its MessageQueued. Raises LogFull, Refused, BodyUnreadable: then nothing happened.
    """
    envelope = _envelope(message, facts)
    found = find_destinations(store, envelope, (parse_mailbox(recipient.address) for recipient in recipients))
    forward_path = rewrite_path(store, envelope.reverse_path) if found.onward else ""
    head = store.log.read_range(message.id, 0, len(facts["prefix"]) + INTAKE_MAX_HEADER)
    keys = read_conversation(head).keys
    body = ReceivedBody(facts["size"], None, (), facts.get("body_of", message.id))
    atom = store.atom(the_server())
    add = partial(add_delivery, store, atom, body, via="queue", message_id=facts.get("message_id", ""), keys=keys)
    add([_delivery(store, envelope, facts, target) for target in found.targets.values()])
    for mail in _onward(store, envelope, facts, found, forward_path):
        add((), mail)
    add_outcomes(atom, message, _outcomes(recipients, found))
    atom.commit()


def _envelope(message: QueuedMessage, facts: Facts) -> Envelope:
    return Envelope(
        client=Client("", account=message.account),
        reverse_path=parse_mailbox(message.reverse_path) if message.reverse_path else None,
        smtputf8=facts["smtputf8"],
        ret=facts.get("ret", ""),
        envid=facts.get("envid", ""),
        requiretls=facts.get("requiretls", False),
        deadline=facts.get("return_by", 0) or facts.get("deliver_by", 0),
        returns="return_by" in facts,
        traces=facts.get("by_trace", False),
        options=facts.get("options", {}),
    )


def _delivery(store: Store, envelope: Envelope, facts: Facts, target: Target) -> Delivery:
    delivered_to = render_delivered_to(account_address(store.state.settings, target.account))
    prefix = render_return_path(envelope.reverse_path) + delivered_to + facts["prefix"]
    return Delivery(target.inbox, prefix, envelope={**facts.get("envelope", {}), "to": str(target.recipient)})


def _onward(store: Store, envelope: Envelope, facts: Facts, found: Destinations, forward_path: str) -> list[Outgoing]:
    mails = [
        forwarded(store, envelope, onward.forward, onward.recipient, forward_path, stays=onward.stays)
        for onward in found.onward.values()
    ]
    if found.returned:
        mails.append(Outgoing(0, "", list(found.returned), b"", origin="forward"))
    content = {"body": facts["body"], "smtputf8": facts["smtputf8"], "envelope": facts.get("envelope")}
    return [mail._replace(prefix=mail.prefix + facts["prefix"], **content) for mail in mails]


def _outcomes(recipients: list[Recipient], found: Destinations) -> list[Outcome]:
    """Where all of it went on by a forward, the next server sees to what the sender wants to be told."""
    gone = set(found.lost)
    here = [r.address for r in recipients if r.address in found.delivered]
    onward = [r.address for r in recipients if r.address not in found.delivered and r.address not in gone]
    outcomes = []
    if here:
        outcomes.append(Outcome(here, "delivered", 0, "2.1.5", "", "local"))
    if onward:
        outcomes.append(Outcome(onward, "delivered", 0, "2.1.5", "", "forwarded"))
    if gone:
        outcomes.append(Outcome(sorted(gone), "failed", 0, "5.1.1", "Nobody has this address any more", "gone"))
    return outcomes
