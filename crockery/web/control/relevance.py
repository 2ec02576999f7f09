"""Which events concern an account, a mailbox or a message: what `history` shows of the log."""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from crockery.events.ranges import unpack_numbers
from crockery.events.types import queue as queue_events
from crockery.events.types import trust as trust_events
from crockery.events.types.accounts import ACCOUNT_ADDED, ALIAS_ADDED, ALIAS_REMOVED, APP_PASSWORD_USED, WILDCARD_SET
from crockery.events.types.mail import (
    FLAGS_CHANGED,
    MAILBOX_CREATED,
    MAILBOX_DELETED,
    MAILBOXES_RENAMED,
    MESSAGE_RECEIVED,
    MESSAGES_COPIED,
    MESSAGES_EXPUNGED,
)
from crockery.events.types.queue import MESSAGE_QUEUED
from crockery.web.control.chronicle import Told
from crockery.web.narration import Names


class Relevance(Protocol):
    """Says of event after event whether it concerns somebody or something."""

    def concerns(self, names: Names, event: Told) -> bool:
        """Whether it does; `names` has folded all events before it."""


class OfAccount:
    """Events on an account of that name, and on what is its."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._ids: set[int] = set()

    def concerns(self, names: Names, event: Told) -> bool:
        facts, kind = event.facts, event.type
        if kind is ACCOUNT_ADDED and facts["name"] == self._name:
            self._ids.add(event.number)
            return True
        if kind in (ALIAS_ADDED, ALIAS_REMOVED):
            return self._name in facts["old"] or self._name in facts.get("targets", ())
        if kind is WILDCARD_SET:
            return facts["account"] in self._ids or facts["old"] in self._ids
        if kind is APP_PASSWORD_USED:
            app = names.apps.get(facts["app"])
            return app is not None and app.account in self._ids
        return facts.get("account") in self._ids or names.actor_account(facts) in self._ids or self._owns(names, facts)

    def _owns(self, names: Names, facts: Mapping[str, Any]) -> bool:
        box = names.mailboxes.get(facts.get("mailbox", 0))
        return box is not None and box.account in self._ids


class OfMailbox:
    """Events on the mailboxes with these numbers."""

    def __init__(self, mailboxes: set[int]) -> None:
        self._ids = mailboxes

    def concerns(self, names: Names, event: Told) -> bool:
        facts, kind = event.facts, event.type
        if kind is MAILBOX_CREATED:
            return event.number in self._ids
        if kind is MAILBOXES_RENAMED:
            return any(mailbox in self._ids for mailbox, _, _ in facts["names"])
        return facts.get("mailbox") in self._ids or facts.get("source") in self._ids


class OfMessages:
    """Events on these messages, wherever they are and were."""

    def __init__(self, messages: set[int]) -> None:
        self._numbers = messages
        self._places: set[tuple[int, int]] = set()
        """Mailbox and UID of each reference to one of them."""

    def concerns(self, names: Names, event: Told) -> bool:
        facts, kind = event.facts, event.type
        if kind is MESSAGE_RECEIVED:
            if event.number in self._numbers:
                self._places.add((facts["mailbox"], facts["uid"]))
            return event.number in self._numbers
        if kind is MESSAGE_QUEUED:
            return event.number in self._numbers
        if kind in queue_events.TYPES or kind in trust_events.TYPES:
            return facts.get("message") in self._numbers
        if kind is FLAGS_CHANGED:
            return self._changes_flags(facts)
        if kind is MESSAGES_COPIED:
            return self._copied(facts)
        if kind is MESSAGES_EXPUNGED:
            return self._among(facts["numbers"])
        if kind is MAILBOX_DELETED:
            return any(mailbox == facts["mailbox"] for mailbox, _ in self._places)
        return self._among(facts.get("numbers", b"")) or self._among(facts.get("orphaned", b""))

    def _among(self, packed: bytes) -> bool:
        return bool(packed) and not self._numbers.isdisjoint(unpack_numbers(packed).tolist())

    def _changes_flags(self, facts: Mapping[str, Any]) -> bool:
        uids = [uid for mailbox, uid in self._places if mailbox == facts["mailbox"]]
        changes = (*facts["added"].values(), *facts["removed"].values())
        return any(_within(uid, ranges) for uid in uids for ranges in changes)

    def _copied(self, facts: Mapping[str, Any]) -> bool:
        found = False
        for uid, number in enumerate(unpack_numbers(facts["numbers"]).tolist(), facts["first"]):
            if number in self._numbers:
                self._places.add((facts["mailbox"], uid))
                found = True
        return found


def _within(uid: int, ranges: list[int]) -> bool:
    return any(low <= uid <= high for low, high in zip(ranges[::2], ranges[1::2], strict=True))


def message_numbers(text: str, events: Iterable[Told]) -> set[int]:
    """The messages meant by a number of the log or a Message-ID."""
    if text.isascii() and text.isdigit():
        wanted = int(text)
        return {e.number for e in events if e.number == wanted and e.type in (MESSAGE_RECEIVED, MESSAGE_QUEUED)}
    wanted_id = text.strip().removeprefix("<").removesuffix(">")
    return {event.number for event in events if event.facts.get("message_id") == wanted_id}


def mailbox_numbers(account: str, name: str, names: Names, events: Iterable[Told]) -> set[int]:
    """All mailboxes that ever had that name in an account of that name. `events` folds `names` as it goes."""
    found = set()
    for event in events:
        for mailbox, owner, called in _called(event):
            if called == name and names.accounts.get(owner) == account:
                found.add(mailbox)
    return found


def _called(event: Told) -> list[tuple[int, int, str]]:
    """Mailboxes that get a name by this event: number, account, name."""
    facts = event.facts
    if event.type is MAILBOX_CREATED:
        return [(event.number, facts["account"], facts["name"])]
    if event.type is MAILBOXES_RENAMED:
        return [(mailbox, facts["account"], new) for mailbox, _, new in facts["names"]]
    return []


def messages_at(mailboxes: set[int], uid: int, events: Iterable[Told]) -> set[int]:
    """The messages that ever had that UID in one of the mailboxes."""
    found: set[int] = set()
    for event in events:
        facts = event.facts
        if facts.get("mailbox") not in mailboxes:
            continue
        if event.type is MESSAGE_RECEIVED and facts["uid"] == uid:
            found.add(event.number)
        elif event.type is MESSAGES_COPIED:
            numbers = unpack_numbers(facts["numbers"])
            if 0 <= uid - facts["first"] < len(numbers):
                found.add(int(numbers[uid - facts["first"]]))
    return found
