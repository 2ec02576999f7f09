"""The demo's mail: read from `mails.toml`, composed, and put into the mailboxes it belongs to."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Final

from crockery.actions.actor import the_server
from crockery.actions.incoming import received
from crockery.actions.mail import Delivery, deliver
from crockery.actions.store import Store
from crockery.cli.demo.files import attachments
from crockery.message.compose import Attachment, Draft, Mailbox, compose
from crockery.message.conversation import read_conversation

DOMAIN: Final = "example.test"

_PERSON: Final = re.compile(r"(?:(?P<name>.*) )?<?(?P<address>[^<> ]+@[^<> ]+?)>?")
_OWN: Final = ("Sent", "Drafts")
"""Mailboxes whose mail was never delivered."""


@dataclass(frozen=True, slots=True)
class Place:
    """One copy of a mail."""

    account: str
    mailbox: str
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail of the file, its thread resolved."""

    hours: int
    """Before now."""
    places: tuple[Place, ...]
    message_id: str
    thread: tuple[str, ...]
    """Message-IDs of those it answers, oldest first."""
    fields: Mapping[str, Any]
    """As they stand in the file."""


def fill(store: Store) -> int:
    """Put the mails into the mailboxes, dated back from now; returns how many messages that are. Raises LogFull."""
    actor, known = the_server(), attachments()
    count = 0
    for mail in read_mails():
        date = store.now - 3600 * mail.hours
        text = compose(draft_of(mail, date, known))
        body, said = received(text), read_conversation(text)
        deliveries = [_delivery(store, place) for place in mail.places]
        deliver(store, actor, body, deliveries, via="import", date=date, message_id=said.message_id, keys=said.keys)
        count += len(deliveries)
    return count


def read_mails() -> Iterator[Mail]:
    """The mails of the file, oldest first."""
    text = files(__package__).joinpath("mails.toml").read_text("utf-8")
    threads: dict[str, tuple[str, ...]] = {}
    for fields in tomllib.loads(text)["mail"]:
        host = _person(fields["from"]).address.partition("@")[2]
        message_id = f"<{fields['key']}.demo@{host}>"
        thread = threads[fields["answers"]] if "answers" in fields else ()
        threads[fields["key"]] = (*thread, message_id)
        yield Mail(fields["hours"], tuple(map(_place, fields["in"])), message_id, thread, fields)


def _place(text: str) -> Place:
    account, mailbox, *flags = text.split()
    return Place(account, mailbox, tuple(flags))


def _person(text: str) -> Mailbox:
    match = _PERSON.fullmatch(text)
    assert match is not None, text
    return Mailbox(match["address"], match["name"] or "")


def draft_of(mail: Mail, date: int, known: Mapping[str, Attachment]) -> Draft:
    """What `compose` makes the mail of; `known` are the attachments by name."""
    fields = mail.fields
    return Draft(
        sender=_person(fields["from"]),
        to=[_person(person) for person in fields["to"]],
        cc=[_person(person) for person in fields.get("cc", ())],
        subject=fields["subject"],
        date=date,
        message_id=mail.message_id,
        text=fields["text"],
        html=fields.get("html"),
        attachments=[known[name] for name in fields.get("attached", ())],
        in_reply_to=mail.thread[-1] if mail.thread else "",
        references=mail.thread,
        fields=[("List-Id", fields["list_id"])] if "list_id" in fields else (),
    )


def _delivery(store: Store, place: Place) -> Delivery:
    account = store.state.accounts.by_name[place.account]
    mailbox = store.state.mailboxes.of_account(account.id)[place.mailbox]
    prefix = b"" if place.mailbox in _OWN else f"Delivered-To: {place.account}@{DOMAIN}\r\n".encode()
    return Delivery(mailbox, prefix, place.flags)
