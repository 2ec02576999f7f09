"""The end of a mail transaction: one atom for all recipients, local and elsewhere, or a refusal and nothing."""

from collections.abc import Iterator

from crockery.actions.actor import Actor
from crockery.actions.mail import Delivery, deliver
from crockery.actions.queue import Outgoing
from crockery.actions.store import Store
from crockery.delivery.answers import Answers, find_question, is_crockerys
from crockery.delivery.envelope import Envelope
from crockery.delivery.intake import Message
from crockery.delivery.policy import Policy
from crockery.delivery.recipients import account_address, local_accounts
from crockery.delivery.trace import delivery_prefix, protocol_keyword, received_field
from crockery.projections.accounts import Account
from crockery.projections.mailboxes import Mailbox as StoredMailbox
from crockery.projections.questions import Question
from crockery.projections.state import State
from crockery.smtp.wire import Mailbox, Reply, replies

Target = tuple[Account, StoredMailbox, Mailbox]
"""An account, its INBOX, and the recipient's address that led there."""


def accept(
    store: Store,
    policy: Policy,
    actor: Actor,
    envelope: Envelope,
    message: Message,
    answers: Answers | None = None,
) -> int | Reply:
    """Put the message into all mailboxes and the queue; returns its number, the first event that holds it.

    Recipients are looked up again: an account may have gone since RCPT. Each mailbox gets one copy, whatever number of
    addresses lead there. Raises LogFull, Refused: then nothing happened.

    What is for Crockery is an answer to a question: `answers` does what it says, before anything else.
    """
    state = store.state
    asked: list[Question] = []
    targets: dict[int, Target] = {}
    elsewhere: dict[str, Mailbox] = {}
    for recipient in envelope.recipients:
        if is_crockerys(state, recipient):
            question = find_question(state, envelope.client.account, recipient)
            asked += [question] if question is not None else []
            continue
        accounts = local_accounts(state, recipient)
        if accounts is None:
            elsewhere.setdefault(str(recipient), recipient)
            continue
        found = list(_inboxes(state, accounts, recipient))
        if not found:
            return replies.RECIPIENT_GONE
        for target in found:
            targets.setdefault(target[1].id, target)
    for question in asked:
        if answers is not None:
            answers.take(actor, question, message, _path(envelope.reverse_path))
    number = store.atom(actor).next
    if not targets and not elsewhere:
        return number - 1
    deliveries = [_delivery(store, envelope, number, *target) for target in targets.values()]
    outgoing = _outgoing(store, envelope, message, number, list(elsewhere.values())) if elsewhere else None
    deliver(store, actor, message.body, deliveries, outgoing, via=policy.via, message_id=message.message_id, keys=message.keys)
    return number


def _inboxes(state: State, accounts: list[Account], recipient: Mailbox) -> Iterator[Target]:
    for account in accounts:
        inbox = state.mailboxes.find(account.id, "INBOX")
        if inbox is not None:
            yield account, inbox, recipient


def _delivery(
    store: Store, envelope: Envelope, number: int, account: Account, inbox: StoredMailbox, recipient: Mailbox
) -> Delivery:
    settings = store.state.settings
    delivered_to = account_address(settings, account)
    prefix = delivery_prefix(envelope, settings.hostname, number, store.now, recipient, delivered_to)
    return Delivery(inbox, prefix, envelope={**_network_facts(envelope), "to": str(recipient)})


def _outgoing(store: Store, envelope: Envelope, message: Message, number: int, recipients: list[Mailbox]) -> Outgoing:
    only = recipients[0] if len(recipients) == 1 else None
    return Outgoing(
        account=envelope.client.account,
        reverse_path=_path(envelope.reverse_path),
        recipients=[str(recipient) for recipient in recipients],
        prefix=received_field(envelope, store.state.settings.hostname, number, store.now, only),
        body="8BITMIME" if envelope.eight_bit or message.eight_bit else "7BIT",
        smtputf8=envelope.smtputf8,
        envelope=_network_facts(envelope),
    )


def _network_facts(envelope: Envelope) -> dict[str, object]:
    client = envelope.client
    return {
        "peer": client.address,
        "helo": client.helo,
        "tls": client.tls,
        "from": _path(envelope.reverse_path),
        "esmtp": protocol_keyword(envelope),
    }


def _path(reverse_path: Mailbox | None) -> str:
    return "" if reverse_path is None else str(reverse_path)
