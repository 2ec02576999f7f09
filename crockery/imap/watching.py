"""What a session hears of beside its commands: NOTIFY (RFC 5465), and annotations after ENABLE METADATA (RFC 5464).

Durable events of the account come in (`net.changes`), whatever the session is doing, and are noted here, each mailbox
and name once; when the session may tell, it tells what is noted, as of then. What the session did itself is not noted.
Pure, but for the event that wakes the session.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Flag, auto
from typing import TYPE_CHECKING, Any, Final

import trio

from crockery import limits
from crockery.actions.mailboxes import DELIMITER, INBOX, canonical_name
from crockery.events.log import Appended
from crockery.events.ranges import unpack_ranges
from crockery.events.types import annotations, mail
from crockery.imap.wire.notify import (
    FLAGGED,
    MESSAGE_EVENTS,
    METADATA,
    NAME,
    NEW,
    SELECTED,
    SELECTED_DELAYED,
    SERVER_METADATA,
    SUBSCRIPTION,
    Group,
    Notify,
)
from crockery.projections.mailboxes import Mailboxes

if TYPE_CHECKING:
    from crockery.imap.session import Session

SPECIAL_USE: Final = "/private/specialuse"


class Happened(Flag):
    """What happened to a mailbox."""

    NOTHING = 0
    CREATED = auto()
    MESSAGES = auto()
    FLAGS = auto()
    SEEN = auto()
    """\\Seen was among the flags, so UNSEEN is another number."""


@dataclass(slots=True)
class Watch:
    """What one session wants to hear, and what it has not heard yet."""

    account: int
    mailboxes: Mailboxes
    is_own: Callable[[Mapping[str, Any]], bool]
    """Whether this session did what these facts say."""
    stop: Callable[[], None] = lambda: None
    notify: Notify | None = None
    """None: as ever, only the selected mailbox and only when a command is done."""
    metadata: bool = False
    """ENABLE METADATA was given: all annotations are of interest."""
    idling: bool = False
    overflowed: bool = False
    boxes: dict[int, Happened] = field(default_factory=dict)
    names: dict[str, str | None] = field(default_factory=dict)
    """Names to be listed, with the name before a RENAME."""
    entries: dict[int, dict[str, None]] = field(default_factory=dict)
    """Annotations that changed, by mailbox; 0: the server's."""
    arrived: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    """UIDs that came into a mailbox, as ranges: to be fetched, if it is the selected one."""
    held: int = 0
    """Names, annotations and messages to be fetched; past IMAP_NOTIFY_HELD it is an overflow."""
    news: trio.Event = field(default_factory=trio.Event)
    _names: dict[Group, frozenset[str]] = field(default_factory=dict)

    # What is wanted.

    @property
    def attends(self) -> bool:
        """Whether it tells while the session waits for its client."""
        return self.notify is not None or self.idling

    @property
    def selected(self) -> Group | None:
        """What is wanted of the selected mailbox; None: nothing."""
        if self.notify is None:
            return Group(SELECTED_DELAYED, (), MESSAGE_EVENTS)
        groups = (group for group in self.notify.groups if group.mailboxes in (SELECTED, SELECTED_DELAYED))
        return next((group for group in groups if group.events), None)

    @property
    def expunges(self) -> bool:
        """Whether EXPUNGE may be told between commands."""
        group = self.selected
        return group is not None and (self.idling or group.mailboxes == SELECTED)

    def listen(self, notify: Notify) -> None:
        """From now on this is wanted; what was noted before is forgotten."""
        self.notify = notify
        self._names = {group: frozenset(map(canonical_name, group.names)) for group in notify.groups}
        self.forget()

    def wants(self, name: str) -> frozenset[str]:
        """The events wanted of a mailbox by its name, selected or not."""
        wanted: set[str] = {METADATA} if self.metadata else set()
        for group in self.notify.groups if self.notify is not None else ():
            if self._covers(group, name):
                wanted |= group.events
        return frozenset(wanted)

    @property
    def wants_server_metadata(self) -> bool:
        """Whether annotations of the server are of interest."""
        groups = self.notify.groups if self.notify is not None else ()
        return self.metadata or any(SERVER_METADATA in group.events for group in groups)

    def _covers(self, group: Group, name: str) -> bool:
        match group.mailboxes:
            case "PERSONAL":
                return True
            case "INBOXES":
                return name == INBOX  # delivery knows no other: `delivery.destinations`
            case "SUBSCRIBED":
                return name in self.mailboxes.subscriptions.get(self.account, ())
            case "MAILBOXES":
                return name in self._names[group]
            case "SUBTREE":
                tops = self._names[group]
                return any(name[:end] in tops for end in _level_ends(name))
        return False

    # What happened.

    def take(self, event: Appended) -> None:
        """Note a durable event of the account."""
        if self.is_own(event.facts):
            return
        note = NOTES.get(event.type.code)
        if note is not None and not self.overflowed:
            note(self, event.sequence, event.facts)
            self.overflowed = self.held > limits.IMAP_NOTIFY_HELD
            self.news.set()

    def forget(self) -> None:
        """All that is noted was told, or will not be."""
        for noted in (self.boxes, self.names, self.entries, self.arrived):
            noted.clear()
        self.held = 0
        self.overflowed = False
        self.news = trio.Event()

    def _note_box(self, mailbox: int, what: Happened) -> None:
        self.boxes[mailbox] = self.boxes.get(mailbox, Happened.NOTHING) | what

    def _note_arrived(self, mailbox: int, first: int, count: int) -> None:
        self._note_box(mailbox, Happened.MESSAGES)
        group = self.selected
        if group is not None and group.items:
            self.arrived.setdefault(mailbox, []).append((first, first + count - 1))
            self.held += count

    def _note_name(self, name: str, event: str, old: str | None = None) -> None:
        if event in self.wants(name) or (old is not None and event in self.wants(old)):
            self.names.pop(name, None)
            self.names[name] = old
            self.held += 1

    def _note_entry(self, box: int, entry: str) -> None:
        mailbox = self.mailboxes.by_id.get(box)
        if (mailbox is not None and METADATA in self.wants(mailbox.name)) or (not box and self.wants_server_metadata):
            self.entries.setdefault(box, {})[entry] = None
            self.held += 1

    def mailbox_created(self, sequence: int, facts: Mapping[str, Any]) -> None:
        self._note_box(sequence, Happened.CREATED)
        self._note_with_parent(facts["name"])

    def mailbox_deleted(self, sequence: int, facts: Mapping[str, Any]) -> None:
        self._note_box(facts["mailbox"], Happened.NOTHING)
        self._note_with_parent(facts["name"])

    def _note_with_parent(self, name: str) -> None:
        """The parent is affected too: it has a child more or less (section 5.4)."""
        parent = name.rpartition(DELIMITER)[0]
        for each in (parent, name):
            if each:
                self._note_name(each, NAME)

    def mailboxes_renamed(self, sequence: int, facts: Mapping[str, Any]) -> None:
        _, old, new = facts["names"][0]  # those below it are not told of
        self._note_name(new, NAME, old)

    def subscriptions_changed(self, sequence: int, facts: Mapping[str, Any]) -> None:
        for name in (*facts["added"], *facts["removed"]):
            self._note_name(name, SUBSCRIPTION)

    def message_received(self, sequence: int, facts: Mapping[str, Any]) -> None:
        self._note_arrived(facts["mailbox"], facts["uid"], 1)

    def messages_copied(self, sequence: int, facts: Mapping[str, Any]) -> None:
        self._note_arrived(facts["mailbox"], facts["first"], len(unpack_ranges(facts["uids"])))

    def messages_expunged(self, sequence: int, facts: Mapping[str, Any]) -> None:
        self._note_box(facts["mailbox"], Happened.MESSAGES)

    def flags_changed(self, sequence: int, facts: Mapping[str, Any]) -> None:
        seen = "\\Seen" in facts["added"] or "\\Seen" in facts["removed"]
        self._note_box(facts["mailbox"], Happened.FLAGS | Happened.SEEN if seen else Happened.FLAGS)

    def metadata_changed(self, sequence: int, facts: Mapping[str, Any]) -> None:
        for entry, _, _ in facts["entries"]:
            self._note_entry(facts["box"], entry)

    def special_uses_changed(self, sequence: int, facts: Mapping[str, Any]) -> None:
        for box, _, _ in facts["uses"]:
            self._note_entry(box, SPECIAL_USE)


NOTES: Final[dict[int, Callable[[Watch, int, Mapping[str, Any]], None]]] = {
    mail.MAILBOX_CREATED.code: Watch.mailbox_created,
    mail.MAILBOX_DELETED.code: Watch.mailbox_deleted,
    mail.MAILBOXES_RENAMED.code: Watch.mailboxes_renamed,
    mail.SUBSCRIPTIONS_CHANGED.code: Watch.subscriptions_changed,
    mail.MESSAGE_RECEIVED.code: Watch.message_received,
    mail.MESSAGES_COPIED.code: Watch.messages_copied,
    mail.MESSAGES_EXPUNGED.code: Watch.messages_expunged,
    mail.FLAGS_CHANGED.code: Watch.flags_changed,
    annotations.METADATA_CHANGED.code: Watch.metadata_changed,
    annotations.SPECIAL_USES_CHANGED.code: Watch.special_uses_changed,
}


def _level_ends(name: str) -> Iterator[int]:
    """Where each level of a name ends, from the first to the whole."""
    for at, character in enumerate(name):
        if character == DELIMITER:
            yield at
    yield len(name)


def begin_watch(session: "Session") -> Watch:
    """The session's watch; made when it has none."""
    if session.watch is None:
        actor, mailboxes = session.actor, session.store.state.mailboxes
        watch = Watch(session.account, mailboxes, lambda facts: bool(actor.number) and facts.get("by") == actor.number)
        watch.stop = session.services.changes.listen(session.account, watch.take)
        session.watch = watch
    return session.watch


def status_items(happened: Happened, wanted: frozenset[str], *, condstore: bool) -> tuple[str, ...]:
    """The STATUS items that tell of this to a client that wants these events (sections 5.1 to 5.3); empty: none."""
    items: dict[str, None] = {}
    if NEW in wanted and happened & (Happened.CREATED | Happened.MESSAGES):
        items |= dict.fromkeys(("MESSAGES", "UIDNEXT"))
    if FLAGGED in wanted and happened & Happened.CREATED:
        items["UIDVALIDITY"] = None
    if FLAGGED in wanted and (happened & Happened.SEEN or (condstore and happened & Happened.FLAGS)):
        items |= dict.fromkeys(("UIDVALIDITY", "UNSEEN"))
    if items and condstore:
        items["HIGHESTMODSEQ"] = None
    return tuple(items)
