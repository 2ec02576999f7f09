"""Where a message's recipients lead: into mailboxes here, on by a forward, to other servers, to Crockery itself."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from crockery.actions.store import Store
from crockery.delivery.answers import find_question, is_crockerys
from crockery.delivery.envelope import Envelope
from crockery.delivery.forwarding import restore_path
from crockery.delivery.policy import KeptBack
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


class Kept(NamedTuple):
    """A forward by which the message does not go on, and why; it stays with the account that answers for it."""

    forward: Forward
    back: KeptBack


Holds = Callable[[Forward], KeptBack | None]
"""Why a forward must not let the message go on; None: it may."""


@dataclass(slots=True)
class Destinations:
    """Each mailbox and each address once, whatever number of recipients lead there."""

    targets: dict[int, Target] = field(default_factory=dict)
    """By mailbox."""
    onward: dict[str, Onward] = field(default_factory=dict)
    """By address."""
    kept: dict[str, Kept] = field(default_factory=dict)
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


def find_destinations(
    store: Store, envelope: Envelope, recipients: Iterable[Mailbox], holds: Holds = lambda forward: None
) -> Destinations:
    """Where each recipient leads, as of now."""
    found = Destinations()
    for recipient in recipients:
        if is_crockerys(store.state, recipient):
            question = find_question(store.state, envelope.client.account, recipient)
            found.questions += [question] if question is not None else []
        elif reach(store.state, recipient) is None:
            found.elsewhere.setdefault(str(recipient), recipient)
        elif is_rewritten(recipient.local):
            _add_return(store, recipient, found, holds)
        else:
            _add_local(store, recipient, found, holds)
    return found


def _add_return(store: Store, recipient: Mailbox, found: Destinations, holds: Holds) -> None:
    try:
        sender = restore_path(store, recipient)
    except SRSError:
        found.lost.append(str(recipient))
        return
    if reach(store.state, sender) is None:
        found.returned.setdefault(str(sender), sender)
    else:  # it was of a domain that has become ours
        _add_local(store, sender, found, holds)


def _add_local(store: Store, recipient: Mailbox, found: Destinations, holds: Holds) -> None:
    led = reach(store.state, recipient)
    assert led is not None
    kept = [Kept(forward, back) for forward in led.forwards if (back := holds(forward)) is not None]
    stopped = [one.forward for one in kept]
    onward = [forward for forward in led.forwards if forward not in stopped]
    found.kept.update((one.forward.address, one) for one in kept)
    owners = dict.fromkeys(one.forward.account for one in kept if one.forward.account)
    accounts = [*led.accounts, *(store.state.accounts.by_id[number] for number in owners)]
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
