"""NOTIFY (RFC 5465): which events a client wants to hear of, in which mailboxes."""

from dataclasses import dataclass
from typing import Final

from crockery import limits
from crockery.imap.wire.cursor import Cursor
from crockery.imap.wire.errors import BadCommand
from crockery.imap.wire.fetch import Item, parse_fetch_item
from crockery.imap.wire.mailbox import parse_mailbox

NEW: Final = "MESSAGENEW"
EXPUNGED: Final = "MESSAGEEXPUNGE"
FLAGGED: Final = "FLAGCHANGE"
NAME: Final = "MAILBOXNAME"
SUBSCRIPTION: Final = "SUBSCRIPTIONCHANGE"
METADATA: Final = "MAILBOXMETADATACHANGE"
SERVER_METADATA: Final = "SERVERMETADATACHANGE"

MESSAGE_EVENTS: Final = frozenset((NEW, EXPUNGED, FLAGGED))
EVENTS: Final = MESSAGE_EVENTS | {NAME, SUBSCRIPTION, METADATA, SERVER_METADATA}

SELECTED: Final = "SELECTED"
SELECTED_DELAYED: Final = "SELECTED-DELAYED"
NAMING: Final = frozenset(("SUBTREE", "MAILBOXES"))
FILTERS: Final = NAMING | {SELECTED, SELECTED_DELAYED, "INBOXES", "PERSONAL", "SUBSCRIBED"}


class BadEvent(BadCommand):
    """An event that is not offered: NO, with a list of those that are (section 3.1)."""

    status = b"NO"
    code = (
        b"BADEVENT (MessageNew MessageExpunge FlagChange MailboxName SubscriptionChange MailboxMetadataChange "
        b"ServerMetadataChange)"
    )


@dataclass(frozen=True, slots=True)
class Group:
    """One event group: mailboxes as one of FILTERS, with `names` for those of NAMING; and what happens to them.

    `items` are what to fetch of new messages of the selected mailbox.
    """

    mailboxes: str
    names: tuple[str, ...] = ()
    events: frozenset[str] = frozenset()
    items: tuple[Item, ...] = ()


@dataclass(frozen=True, slots=True)
class Notify:
    """NOTIFY NONE has no groups; `status`: the client wants a STATUS of each mailbox to begin with."""

    groups: tuple[Group, ...] = ()
    status: bool = False


def parse_notify(cursor: Cursor) -> Notify:
    """`notify = "NOTIFY" SP (notify-set / notify-none)`

    `notify-set = "SET" [status-indicator] SP event-groups`, `event-groups = event-group *(SP event-group)`
    """
    cursor.space()
    if cursor.accept_word("NONE"):
        return Notify()
    if not cursor.accept_word("SET"):
        cursor.fail("SET or NONE")
    cursor.space()
    status = cursor.accept_word("STATUS")
    if status:
        cursor.space()
    groups = [_parse_group(cursor)]
    while not cursor.at_end():
        cursor.count_item()
        groups.append(_parse_group(cursor))
    if sum(group.mailboxes in (SELECTED, SELECTED_DELAYED) for group in groups) > 1:
        raise BadCommand("One group can be of the selected mailbox")
    if sum(len(group.names) + 1 for group in groups) > limits.IMAP_NOTIFY_NAMES_MAX:
        raise BadCommand("Too many groups and names")
    return Notify(tuple(groups), status)


def _parse_group(cursor: Cursor) -> Group:
    """`event-group = "(" filter-mailboxes SP events ")"`, `many-mailboxes = "(" mailbox *(SP mailbox) ")"`"""
    cursor.expect(b"(")
    cursor.accept_space()
    mailboxes = cursor.word("mailboxes")
    if mailboxes not in FILTERS:
        raise BadCommand(f"Unknown kind of mailboxes {mailboxes[:40]}")
    names: tuple[str, ...] = ()
    if mailboxes in NAMING:
        cursor.space()
        names = cursor.items(parse_mailbox) if cursor.peek() == b"(" else (parse_mailbox(cursor),)
    cursor.space()
    events, items = _parse_events(cursor)
    cursor.accept_space()
    cursor.expect(b")")
    _check(mailboxes, events, items)
    return Group(mailboxes, names, events, items)


def _parse_events(cursor: Cursor) -> tuple[frozenset[str], tuple[Item, ...]]:
    """`events = ( "(" event *(SP event) ")" ) / "NONE"`"""
    if cursor.accept_word("NONE"):
        return frozenset(), ()
    parsed = cursor.items(_parse_event)
    items = [item for _, wanted in parsed for item in wanted]
    return frozenset(name for name, _ in parsed), tuple(dict.fromkeys(items))


def _parse_event(cursor: Cursor) -> tuple[str, tuple[Item, ...]]:
    """`message-event = ( "MessageNew" [SP "(" fetch-att *(SP fetch-att) ")" ] ) / "MessageExpunge" / ...`"""
    name = cursor.word("event")
    if name not in EVENTS:
        raise BadEvent(f"There is no event {name[:40]} to be notified of")
    start = cursor.position
    cursor.accept_space()
    if name == NEW and cursor.peek() == b"(":
        return name, cursor.items(parse_fetch_item)
    cursor.position = start
    return name, ()


def _check(mailboxes: str, events: frozenset[str], items: tuple[Item, ...]) -> None:
    """The rules of sections 5 and 6.1."""
    selected = mailboxes in (SELECTED, SELECTED_DELAYED)
    if (NEW in events) != (EXPUNGED in events) or (FLAGGED in events and NEW not in events):
        raise BadCommand("MessageNew and MessageExpunge go together, and FlagChange with them")
    if selected and not events <= MESSAGE_EVENTS:
        raise BadCommand("Of the selected mailbox there are message events only")
    if items and not selected:
        raise BadCommand("Only of the selected mailbox can messages be fetched")
