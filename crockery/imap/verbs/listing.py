"""LIST and LSUB (RFC 9051 §6.3.9, RFC 3501 §6.3.8 and §6.3.9, RFC 5258, 5819, 6154, 9590).

Every level of a name is a mailbox here, so LIST never shows \\Noselect; names that are only subscribed show as
\\NonExistent.
"""

from collections.abc import Container, Iterable
from typing import Final

from crockery.actions.mailboxes import DELIMITER, INBOX
from crockery.imap.session import DONE, Completed, Session
from crockery.imap.verbs.metadata import metadata_position, visible_entries
from crockery.imap.verbs.status import status_of
from crockery.imap.wire.listing import List
from crockery.imap.wire.mailbox import ListPattern
from crockery.imap.wire.metadata import render_metadata
from crockery.imap.wire.parser import Command
from crockery.imap.wire.responses import render_list, render_status_data
from crockery.projections.mailboxes import Mailbox, Mailboxes

ROOT: Final = b'* LIST (\\Noselect) "/" ""\r\n'
BASE_OPTIONS: Final = ("SUBSCRIBED", "SPECIAL-USE")
"""Selection options that CHILDINFO tells (RFC 5258 §6, list-select-base-opt)."""
LSUB_ROOT: Final = b'* LSUB (\\Noselect) "/" ""\r\n'


async def handle_list(session: Session, command: Command, arguments: List) -> Completed:
    """Tell which mailboxes there are, INBOX first, then by name."""
    if not arguments.extended and arguments.patterns == ("",):
        session.out.write(ROOT)
        return DONE
    listing = _Listing(session, arguments)
    for name in sorted(await listing.candidates(), key=lambda name: (name != INBOX, name)):
        if listing.matches(name):
            session.out.write(listing.render(name), listing.position)
        await session.out.relieve()
    return DONE


async def handle_lsub(session: Session, command: Command, arguments: List) -> Completed:
    """Tell the subscribed names; with `%`, \\Noselect stands for a level that only leads to some (RFC 3501 §6.3.9)."""
    if arguments.patterns == ("",):
        session.out.write(LSUB_ROOT)
        return DONE
    listing = _Listing(session, arguments)
    pattern = arguments.reference + arguments.patterns[0]
    names = set(listing.subscribed)
    if "%" in pattern:
        names |= ancestors(names)
    for name in sorted(names):
        if listing.matches(name):
            attributes = () if name in listing.subscribed else ("\\Noselect",)
            line = render_list(name, attributes, utf8=session.utf8, lsub=True)
            session.out.write(line, listing.position)
        await session.out.relieve()
    return DONE


class _Listing:
    """One LIST: what was asked, and the account's names as of now."""

    def __init__(self, session: Session, arguments: List) -> None:
        mailboxes = session.store.state.mailboxes
        self._entries = arguments.metadata_entries()
        self.position = metadata_position(session) if self._entries else session.list_position
        self.existing = dict(mailboxes.of_account(session.account))
        self.subscribed = frozenset(mailboxes.subscriptions.get(session.account, ()))
        self._session = session
        self._parents = ancestors(self.existing)
        self._patterns = [ListPattern(arguments.reference + pattern) for pattern in arguments.patterns]
        self._selects = frozenset(option.name for option in arguments.selection)
        self._returns = frozenset(option.name for option in arguments.returns)
        self._status_items = arguments.status_items()
        self._utf8 = session.utf8
        self._criteria = tuple(option.name for option in arguments.selection if option.name in BASE_OPTIONS)
        self._leading: frozenset[str] = frozenset()
        """Names with something below them that meets the criteria and that the patterns do not show."""
        self._chosen: frozenset[str] = frozenset()
        """Names that meet the criteria themselves."""

    async def candidates(self) -> Iterable[str]:
        """The names that the selection options choose (RFC 5258 §3.1)."""
        names = set(self.subscribed) if "SUBSCRIBED" in self._selects else set(self.existing)
        if "SPECIAL-USE" in self._selects:
            names = {name for name in names if (box := self.existing.get(name)) is not None and box.special_use}
        self._chosen = frozenset(names)
        if "RECURSIVEMATCH" in self._selects:
            hidden: list[str] = []
            for name in names:
                if not self.matches(name):
                    hidden.append(name)
                await self._session.out.pause()  # patterns can be long
            self._leading = frozenset(ancestors(hidden))
            names |= self._leading
        return names

    def matches(self, name: str) -> bool:
        """Whether any of the patterns fits."""
        return any(pattern.matches(name) for pattern in self._patterns)

    def render(self, name: str) -> bytes:
        """The LIST response of a name, and its STATUS if that was asked for and there is such a mailbox."""
        mailbox = self.existing.get(name)
        attributes = ["\\NonExistent"] if mailbox is None else attributes_of(mailbox, self._parents)
        if "SUBSCRIBED" in self._returns | self._selects and name in self.subscribed:
            attributes.append("\\Subscribed")
        child_info = self._criteria if name in self._leading else ()
        line = render_list(name, attributes, utf8=self._utf8, child_info=child_info)
        if mailbox is None or name not in self._chosen:
            return line  # a name that only leads to others has no more to tell (RFC 5819 §3)
        return line + self._status(mailbox) + self._metadata(mailbox)

    def _status(self, mailbox: Mailbox) -> bytes:
        if not self._status_items:
            return b""
        self.position = max(self.position, mailbox.position)
        status = status_of(self._session, mailbox, self._status_items)
        return render_status_data(mailbox.name, status, utf8=self._utf8)

    def _metadata(self, mailbox: Mailbox) -> bytes:
        if not self._entries:
            return b""
        there = visible_entries(self._session, mailbox)
        return render_metadata(mailbox.name, {entry: there.get(entry) for entry in self._entries}, utf8=self._utf8)


def ancestors(names: Iterable[str]) -> set[str]:
    """All levels above these names."""
    found: set[str] = set()
    for name in names:
        parent = name.rpartition(DELIMITER)[0]
        while parent and parent not in found:
            found.add(parent)
            parent = parent.rpartition(DELIMITER)[0]
    return found


def list_attributes(mailboxes: Mailboxes, mailbox: Mailbox) -> list[str]:
    """The attributes of one mailbox."""
    below = mailbox.name + DELIMITER
    has_children = any(name.startswith(below) for name in mailboxes.of_account(mailbox.account))
    return attributes_of(mailbox, (mailbox.name,) if has_children else ())


def attributes_of(mailbox: Mailbox, parents: Container[str]) -> list[str]:
    """As `list_attributes`, of many mailboxes; `parents` are the names with others below them (`ancestors`)."""
    attributes = ["\\HasChildren" if mailbox.name in parents else "\\HasNoChildren"]
    if mailbox.special_use:
        attributes.append(mailbox.special_use)
    return attributes
