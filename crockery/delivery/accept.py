"""The end of a mail transaction: one atom for all recipients, local and elsewhere, or a refusal and nothing."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

from crockery.actions.actor import Actor
from crockery.actions.mail import Delivery, add_delivery
from crockery.actions.queue import Outgoing, Terms, add_arrived
from crockery.actions.reports import add_report
from crockery.actions.store import Store
from crockery.delivery.answers import Answers
from crockery.delivery.destinations import Destinations, Target, find_destinations
from crockery.delivery.envelope import Envelope
from crockery.delivery.forwarding import deadline_terms, forwarded, rewrite_path
from crockery.delivery.intake import Message
from crockery.delivery.keeping import OwnerLetters, add_kept_back
from crockery.delivery.policy import Policy
from crockery.delivery.recipients import account_address, own_address
from crockery.delivery.trace import delivery_prefix, protocol_keyword, received_field
from crockery.projections.queue import RECEIVED
from crockery.smtp.wire import Mailbox, Reply, replies


@dataclass(frozen=True, slots=True)
class Assistance:
    """What Crockery itself does and writes about mail that comes in: made of the room `assistant`, by `app`."""

    answers: Answers | None = None
    """Does what people answer to its questions."""
    letters: OwnerLetters | None = None
    """Tells owners what a forward did not let go on."""


NO_ASSISTANCE: Final = Assistance()


def accept(
    store: Store,
    policy: Policy,
    actor: Actor,
    envelope: Envelope,
    message: Message,
    assistance: Assistance = NO_ASSISTANCE,
) -> int | Reply:
    """Put the message into all mailboxes and the queue; returns its number, the first event that holds it.

    Recipients are looked up again: an account may have gone since RCPT. Raises LogFull, Refused: then nothing happened.

    What is for Crockery is an answer to a question: what it says is done before anything else. What a forward must not
    let go on stays, and its owner is told so.
    """
    refusal = policy.check_end(store, envelope)
    if refusal is not None:
        return refusal
    found = find_destinations(
        store, envelope, envelope.recipients, partial(policy.check_onward, store, envelope, message.header)
    )
    if found.lost:
        return replies.RECIPIENT_GONE
    for question in found.questions:
        if assistance.answers is not None:
            assistance.answers.take(actor, question, message, envelope.sender)
    forward_path = rewrite_path(store, envelope.reverse_path) if found.onward else ""
    atom = store.atom(actor)
    number = atom.next
    if envelope.hold_until:
        deliveries = []
        outgoing = _held(store, envelope, message, number)
    else:
        deliveries = [_delivery(store, envelope, number, target) for target in found.targets.values()]
        outgoing = _outgoing(store, envelope, message, number, found, forward_path)
    add = partial(add_delivery, store, atom, via=policy.via, message_id=message.message_id, keys=message.keys)
    add(message.body, deliveries)
    for mail in outgoing:
        add(message.body if atom.next == number else message.body.held_by(number), (), mail)
        if mail.origin == RECEIVED:
            add_arrived(atom, atom.next - 1, mail)
    for kept in found.kept.values() if not envelope.hold_until and atom.next > number else ():
        add_kept_back(store, atom, kept, number, message, assistance.letters)
    if message.report is not None and atom.next > number:
        to = [str(recipient) for recipient in envelope.recipients]
        add_report(store, atom, message.report, to, envelope.client.address, number)
    atom.commit()
    return number if atom.next > number else number - 1


def _delivery(store: Store, envelope: Envelope, number: int, target: Target) -> Delivery:
    settings = store.state.settings
    delivered_to = account_address(settings, target.account)
    prefix = delivery_prefix(envelope, settings.hostname, number, store.now, target.recipient, delivered_to)
    return Delivery(target.inbox, prefix, envelope={**_network_facts(envelope), "to": str(target.recipient)})


def _outgoing(
    store: Store, envelope: Envelope, message: Message, number: int, found: Destinations, forward_path: str
) -> Iterator[Outgoing]:
    """What goes into the queue: to other servers, on by forwards, back to senders, and what these are to be told."""
    hostname, now = store.state.settings.hostname, store.now
    if found.elsewhere:
        yield _submitted(store, envelope, message, number, found.elsewhere)
    for onward in found.onward.values():
        prefix = received_field(envelope, hostname, number, now, onward.recipient)
        mail = forwarded(store, envelope, onward.forward, onward.recipient, forward_path, stays=onward.stays)
        yield _with_content(mail._replace(prefix=mail.prefix + prefix), envelope, message)
    if found.returned:
        prefix = received_field(envelope, hostname, number, now, None)
        yield _with_content(Outgoing(0, "", list(found.returned), prefix, origin="forward"), envelope, message)
    asked = {to for to, options in envelope.options.items() if "SUCCESS" in options.get("notify", ())}
    told = {to: recipient for to, recipient in found.delivered.items() if to in asked}
    if told and envelope.reverse_path is not None:
        mail = _submitted(store, envelope, message, number, told)
        yield mail._replace(origin=RECEIVED, terms=Terms(ret=mail.terms.ret, envid=envelope.envid))


def _held(store: Store, envelope: Envelope, message: Message, number: int) -> Iterator[Outgoing]:
    """A held submission waits in the queue for all its recipients."""
    settings = store.state.settings
    recipients = [to if to.domain else own_address(settings, to.local) for to in envelope.recipients]
    yield _submitted(store, envelope, message, number, {str(to): to for to in recipients})


def _submitted(
    store: Store, envelope: Envelope, message: Message, number: int, recipients: Mapping[str, Mailbox]
) -> Outgoing:
    only = next(iter(recipients.values())) if len(recipients) == 1 else None
    options = {to: envelope.options[to] for to in recipients if to in envelope.options}
    mail = Outgoing(
        account=envelope.client.account,
        reverse_path=envelope.sender,
        recipients=list(recipients),
        prefix=received_field(envelope, store.state.settings.hostname, number, store.now, only),
        options=options,
        terms=_terms(envelope, message),
    )
    return _with_content(mail, envelope, message)


def _terms(envelope: Envelope, message: Message) -> Terms:
    """RFC 8689 §4.2.1 (a notice about mail that needs TLS has its header alone), §5 (TLS-Required: No)."""
    optional = [value.strip().lower() for value in message.header.values(b"tls-required")] == [b"no"]
    return Terms(
        ret="HDRS" if envelope.requiretls else envelope.ret,
        envid=envelope.envid,
        requiretls=envelope.requiretls,
        tls_optional=optional and not envelope.requiretls,
        hold_until=envelope.hold_until,
        hold=envelope.hold,
        **deadline_terms(envelope),
    )


def _with_content(mail: Outgoing, envelope: Envelope, message: Message) -> Outgoing:
    return mail._replace(
        body="8BITMIME" if envelope.eight_bit or message.eight_bit else "7BIT",
        smtputf8=envelope.smtputf8 and not _is_ascii(mail, message),
        envelope=_network_facts(envelope),
    )


def _is_ascii(mail: Outgoing, message: Message) -> bool:
    """It can go to servers without SMTPUTF8, though it was asked for: some programs always ask (RFC 6531 §3.4)."""
    return message.header.data.isascii() and all(address.isascii() for address in (mail.reverse_path, *mail.recipients))


def _network_facts(envelope: Envelope) -> dict[str, object]:
    client = envelope.client
    return {
        "peer": client.address,
        "helo": client.helo,
        "tls": client.tls,
        "from": envelope.sender,
        "esmtp": protocol_keyword(envelope),
    }
