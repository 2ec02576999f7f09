"""Where a message's recipients lead: into mailboxes here, on by a forward, to other servers, to Crockery itself."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from crockery.actions.store import Store
from crockery.delivery.answers import find_question, is_crockerys
from crockery.delivery.envelope import Envelope
from crockery.delivery.forwarding import may_go_on, restore_path
from crockery.delivery.recipients import reach
from crockery.delivery.srs import SRSError, is_rewritten
from crockery.projections.accounts import Account, Forward
from crockery.projections.mailboxes import Mailbox as StoredMailbox
from crockery.projections.questions import Question
from crockery.smtp.wire import Mailbox


class Target(NamedTuple):
    """An account's INBOX, and the recipient's address that led there."""

    account: Account
    inbox: StoredMailbox
    recipient: Mailbox


class Onward(NamedTuple):
    """A forward, the recipient's address that led to it, and whether the message stays here as well."""

    forward: Forward
    recipient: Mailbox
    stays: bool


@dataclass(slots=True)
class Destinations:
    """Each mailbox and each address once, whatever number of recipients lead there."""

    targets: dict[int, Target] = field(default_factory=dict)
    """By mailbox."""
    onward: dict[str, Onward] = field(default_factory=dict)
    """By address."""
    elsewhere: dict[str, Mailbox] = field(default_factory=dict)
    returned: dict[str, Mailbox] = field(default_factory=dict)
    """Whom bounces of forwarded mail go back to."""
    delivered: dict[str, Mailbox] = field(default_factory=dict)
    """Recipients whose mail stays here."""
    lost: list[str] = field(default_factory=list)
    """Recipients who are gone."""
    questions: list[Question] = field(default_factory=list)
    """What the message answers."""


def find_destinations(store: Store, envelope: Envelope, recipients: Iterable[Mailbox]) -> Destinations:
    """Where each recipient leads, as of now."""
    found = Destinations()
    for recipient in recipients:
        if is_crockerys(store.state, recipient):
            question = find_question(store.state, envelope.client.account, recipient)
            found.questions += [question] if question is not None else []
        elif reach(store.state, recipient) is None:
            found.elsewhere.setdefault(str(recipient), recipient)
        elif is_rewritten(recipient.local):
            _add_return(store, envelope, recipient, found)
        else:
            _add_local(store, envelope, recipient, found)
    return found


def _add_return(store: Store, envelope: Envelope, recipient: Mailbox, found: Destinations) -> None:
    try:
        sender = restore_path(store, recipient)
    except SRSError:
        found.lost.append(str(recipient))
        return
    if reach(store.state, sender) is None:
        found.returned.setdefault(str(sender), sender)
    else:  # it was of a domain that has become ours
        _add_local(store, envelope, sender, found)


def _add_local(store: Store, envelope: Envelope, recipient: Mailbox, found: Destinations) -> None:
    led = reach(store.state, recipient)
    assert led is not None
    onward = [forward for forward in led.forwards if may_go_on(store, envelope, forward)]
    kept_back = {forward.account for forward in led.forwards if forward not in onward}
    accounts = [*led.accounts, *(store.state.accounts.by_id[number] for number in kept_back if number)]
    stays = False
    for account in accounts:
        inbox = store.state.mailboxes.find(account.id, "INBOX")
        if inbox is not None:
            stays = True
            found.targets.setdefault(inbox.id, Target(account, inbox, recipient))
    for forward in onward:
        found.onward.setdefault(forward.address, Onward(forward, recipient, stays))
    if stays:
        found.delivered[str(recipient)] = recipient
    elif not onward:
        found.lost.append(str(recipient))
