"""Mail to whoever runs this server."""

import secrets
from typing import Final

from crockery.actions.incoming import received
from crockery.actions.mail import Delivery, add_delivery
from crockery.actions.store import Atom, Store
from crockery.assistant.facts import Addressing
from crockery.assistant.letter import Letter
from crockery.assistant.post import compose_letter
from crockery.message.compose import Mailbox

POSTMASTER: Final = "postmaster"


def add_letter_to_postmaster(store: Store, atom: Atom, letter: Letter) -> int:
    """A letter of Crockery's into the INBOX of every account that gets the postmaster's mail, as a part of an atom; its
    number, 0 where nobody gets it. Raises LogFull."""
    domain = store.state.settings.domain
    deliveries = []
    for account in store.state.accounts.recipients(POSTMASTER):
        inbox = store.state.mailboxes.find(account.id, "INBOX")
        if inbox is not None:
            deliveries.append(Delivery(inbox, b"Return-Path: <>\r\n"))
    if not deliveries:
        return 0
    message_id = f"{secrets.token_hex(16)}@{domain}"
    addressing = Addressing(Mailbox(f"{POSTMASTER}@{domain}"), domain, store.now, f"<{message_id}>")
    data = compose_letter(letter, addressing, None, is_reply=False)
    number = atom.next
    add_delivery(store, atom, received(data), deliveries, via="server", message_id=message_id)
    return number
