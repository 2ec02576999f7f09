"""A message that a forward must not let go on: it is in the INBOX of the account that answers for the forward, which is
told so by a letter, once a day for each forward.
"""

from typing import NamedTuple, Protocol

from crockery.actions.incoming import received
from crockery.actions.mail import Delivery, add_delivery
from crockery.actions.store import Atom, Store
from crockery.delivery.destinations import Kept
from crockery.delivery.intake import Message
from crockery.delivery.recipients import account_address
from crockery.events.types.queue import FORWARD_KEPT
from crockery.limits import FORWARD_TOLD_AGAIN
from crockery.projections.accounts import Account
from crockery.smtp.wire.received import render_delivered_to, render_return_path


class OwnerLetter(NamedTuple):
    """A whole mail; `message_id` without brackets."""

    data: bytes
    message_id: str


class OwnerLetters(Protocol):
    """Writes to the owners of forwards."""

    def kept_back(self, account: Account, kept: Kept, message: Message) -> OwnerLetter:
        """That this message did not go on, and why."""


def add_kept_back(
    store: Store, atom: Atom, kept: Kept, number: int, message: Message, letters: OwnerLetters | None
) -> None:
    """Note that the message `number` of the atom stays, and tell the owner, as a part of the atom."""
    account = store.state.accounts.by_id.get(kept.forward.account)
    if account is None:
        return
    told = 0
    last = store.state.forwards.told.get((account.id, kept.forward.address), 0)
    inbox = store.state.mailboxes.find(account.id, "INBOX")
    if letters is not None and inbox is not None and store.clock() - last >= FORWARD_TOLD_AGAIN * 1_000_000:
        letter = letters.kept_back(account, kept, message)
        prefix = render_return_path(None) + render_delivered_to(account_address(store.state.settings, account))
        told = atom.next
        body = received(letter.data)
        add_delivery(store, atom, body, [Delivery(inbox, prefix)], via="server", message_id=letter.message_id)
    facts = {"message": number, "account": account.id, "address": kept.forward.address, "why": kept.back.why}
    atom.add(FORWARD_KEPT, {**facts, "told": told})
