"""The policy of the submission ports (RFC 6409): people with accounts send under their own addresses.

§6.1 (the reverse-path belongs to the account), §6.3 and RFC 5322 §3.6.2 (so does From), §8.2 and §8.3 (Date and
Message-ID are added), RFC 5322 §3.6.3 (Bcc is removed). The null reverse-path is for receipts (RFC 8098 §3): one
recipient, and From is checked all the same. An account sends so many mails a day, to so many people it never wrote to:
whoever has stolen a password sends no flood.
"""

import secrets
from collections.abc import Sequence
from typing import Final

from crockery.actions.store import Store
from crockery.delivery.answers import find_question, is_crockerys
from crockery.delivery.envelope import Envelope
from crockery.delivery.header import Header
from crockery.delivery.inbound import has_few_hops, has_room, is_known
from crockery.delivery.policy import Policy
from crockery.delivery.recipients import is_local_domain, may_send_as
from crockery.message.addresses import AddressError as BadField
from crockery.message.addresses import parse_mailboxes
from crockery.message.dates import render_date
from crockery.message.edit import missing_fields, remove_bcc, remove_forged
from crockery.projections.state import State
from crockery.smtp.wire import AddressError, Mailbox, Reply, parse_domain, replies


def may_send(store: Store, envelope: Envelope) -> Reply | None:
    """The account is there and not disabled; it may have been when it logged in."""
    account = store.state.accounts.by_id.get(envelope.client.account)
    return replies.ACCOUNT_DISABLED if account is None or account.disabled else None


def is_senders_own(store: Store, envelope: Envelope) -> Reply | None:
    """The reverse-path belongs to the account, or is null."""
    path = envelope.reverse_path
    return None if path is None or _is_own(store.state, envelope, path) else replies.SENDER_NOT_YOURS


def is_one_for_receipt(store: Store, envelope: Envelope, recipient: Mailbox) -> Reply | None:
    """What cannot bounce goes to one recipient at a time."""
    return replies.ONE_RECIPIENT if envelope.reverse_path is None and envelope.recipients else None


def is_known_here(store: Store, envelope: Envelope, recipient: Mailbox) -> Reply | None:
    """As on the MX port; and Crockery's address is for answers to what it asked this account."""
    if not is_crockerys(store.state, recipient):
        return is_known(store, envelope, recipient)
    if envelope.hold_until:
        return replies.ANSWER_AT_ONCE
    question = find_question(store.state, envelope.client.account, recipient)
    return None if question is not None else replies.NO_SUCH_QUESTION


def may_write_to(store: Store, envelope: Envelope, recipient: Mailbox) -> Reply | None:
    """The account may send to other servers today, and to this recipient. Mail that stays here is free."""
    if not _leaves(store.state, recipient):
        return None
    return _within_day(store, envelope) or _within_strangers(store, envelope, [*envelope.recipients, recipient])


def is_within_day(store: Store, envelope: Envelope) -> Reply | None:
    """The same for all recipients."""
    if not any(_leaves(store.state, recipient) for recipient in envelope.recipients):
        return None
    return _within_day(store, envelope) or _within_strangers(store, envelope, envelope.recipients)


def _within_day(store: Store, envelope: Envelope) -> Reply | None:
    limit = store.state.settings.number("max-mails-per-day")
    sent = store.state.submissions.messages(envelope.client.account, store.now)
    return replies.too_many_mails(limit) if sent >= limit else None


def _within_strangers(store: Store, envelope: Envelope, recipients: Sequence[Mailbox]) -> Reply | None:
    state, account = store.state, envelope.client.account
    limit = state.settings.number("max-new-recipients-per-day")
    room = limit - state.submissions.new_recipients(account, store.now)
    if len(recipients) <= room:
        return None
    new = state.submissions.unknown(account, [str(to) for to in recipients if _leaves(state, to)])
    return replies.too_many_strangers(limit) if new > max(room, 0) else None


def _leaves(state: State, recipient: Mailbox) -> bool:
    return not is_local_domain(state.settings, recipient.domain)


def is_from_own(store: Store, envelope: Envelope, header: Header) -> Reply | None:
    """There is one From field, and all its mailboxes belong to the account; likewise Sender, where there is one.

    Who sends on what they have got says so in Resent-From and Resent-Sender (RFC 5322 §3.6.6), of which the topmost
    are new. Anything that two programs could read differently is refused: it decides who a sender is.
    """
    authors, senders = header.values(b"from"), header.values(b"sender")
    if len(authors) != 1 or len(senders) > 1 or header.has_disguised(b"from", b"sender"):
        return replies.BAD_FROM
    resenders = (*header.values(b"resent-from")[:1], *header.values(b"resent-sender")[:1])
    for value in (*authors, *senders, *resenders):
        try:
            mailboxes = [_read_mailbox(spec) for spec in parse_mailboxes(value)]
        except (BadField, AddressError):
            return replies.BAD_FROM
        if not all(_is_own(store.state, envelope, mailbox) for mailbox in mailboxes):
            return replies.FROM_NOT_YOURS
    return None


def edit_header(state: State, header: Header, now: int) -> bytes:
    """With Date and Message-ID, without Bcc and without fields that only the receiver may write."""
    data = header.data
    if header.has(*_NOT_TO_LEAVE):
        data = remove_forged(remove_bcc(data), state.settings.hostname)
    if header.has(b"date") and header.has(b"message-id"):
        return data
    message_id = f"<{secrets.token_hex(16)}@{state.settings.domain}>"
    return missing_fields(header.data, render_date(now), message_id.encode()) + data


_NOT_TO_LEAVE: Final = (b"bcc", b"resent-bcc", b"return-path", b"authentication-results")


def _is_own(state: State, envelope: Envelope, mailbox: Mailbox) -> bool:
    account = state.accounts.by_id.get(envelope.client.account)
    return account is not None and may_send_as(state, account, mailbox)


def _read_mailbox(spec: str) -> Mailbox:
    """A mailbox of a header field, whose local part has lost its quoting. Raises AddressError."""
    local, _, domain = spec.rpartition("@")
    return Mailbox(local, parse_domain(domain))


SUBMISSION = Policy(
    via="submission",
    sender=(may_send, is_senders_own),
    recipient=(is_one_for_receipt, is_known_here, has_room, may_write_to),
    content=(has_few_hops, is_from_own),
    edit=edit_header,
    end=(may_send, is_within_day),
)
