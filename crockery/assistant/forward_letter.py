"""The mail that tells the owner of a forward that a message did not go on, and lies in the INBOX instead."""

import secrets
from typing import Final

from crockery.actions.store import Store
from crockery.assistant.facts import Addressing
from crockery.assistant.letter import Letter, Listing
from crockery.assistant.post import compose_letter
from crockery.delivery.destinations import Kept
from crockery.delivery.intake import Message
from crockery.delivery.keeping import OwnerLetter
from crockery.message.compose import Mailbox
from crockery.message.words import decode_words
from crockery.projections.accounts import Account

_LONGEST: Final = 200  # characters of a header field that stands in it


class ForwardLetters:
    """A `delivery.keeping.OwnerLetters`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def kept_back(self, account: Account, kept: Kept, message: Message) -> OwnerLetter:
        """That this message did not go on, and why."""
        domain = self._store.state.settings.domain
        message_id = f"{secrets.token_hex(16)}@{domain}"
        author, subject = (_field(message, name) for name in (b"from", b"subject"))
        name, address = f"{kept.forward.name}@{domain}", kept.forward.address
        letter = forward_letter(name, address, author, subject, kept.back.reason)
        to = Mailbox(f"{account.name}@{domain}")
        addressing = Addressing(to, domain, self._store.now, f"<{message_id}>")
        return OwnerLetter(compose_letter(letter, addressing, None, is_reply=False), message_id)


def forward_letter(name: str, address: str, author: str, subject: str, reason: str) -> Letter:
    """`name` is the address here whose mail goes on to `address`; `author` and `subject` are those of the message."""
    return Letter(
        f"A mail was not forwarded to {address}",
        [
            f"Mail to {name} is forwarded to {address}. This one was not:",
            Listing((f"From: {author or '(nobody)'}", f"Subject: {subject or '(none)'}")),
            reason,
            "It is in your INBOX. If the same happens to more of them, you hear of it once a day.",
        ],
    )


def _field(message: Message, name: bytes) -> str:
    value = next(iter(message.header.values(name)), b"")
    text = " ".join(decode_words(value).split())
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
