"""ESEARCH, the command that searches several mailboxes (RFC 7377), and mailbox filters (RFC 5465 section 8)."""

from dataclasses import dataclass
from typing import Final

from crockery.imap.wire.cursor import Cursor
from crockery.imap.wire.errors import BadCommand
from crockery.imap.wire.mailbox import parse_mailbox
from crockery.imap.wire.search import Search
from crockery.imap.wire.search_program import parse_after_returns
from crockery.imap.wire.search_returns import parse_returns

KINDS: Final = frozenset(("SELECTED", "INBOXES", "PERSONAL", "SUBSCRIBED"))
KINDS_OF_NAMES: Final = frozenset(("SUBTREE", "SUBTREE-ONE", "MAILBOXES"))


@dataclass(frozen=True, slots=True)
class MailboxFilter:
    """Mailboxes by kind, in upper case; SUBTREE, SUBTREE-ONE and MAILBOXES have names."""

    kind: str
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Multisearch:
    """ESEARCH; without `sources`, the selected mailbox."""

    sources: tuple[MailboxFilter, ...]
    search: Search


def parse_multisearch(cursor: Cursor) -> Multisearch:
    """`esearch = "ESEARCH" [SP esearch-source-opts] [SP search-return-opts] SP search-program`

    `esearch-source-opts = "IN" SP "(" source-mbox [SP "(" scope-options ")"] ")"`; no scope options are known.
    """
    cursor.space()
    sources: tuple[MailboxFilter, ...] = ()
    if cursor.accept_word("IN"):
        cursor.space()
        sources = cursor.items(parse_mailbox_filter)
        cursor.space()
    return Multisearch(sources, parse_after_returns(cursor, parse_returns(cursor)))


def parse_mailbox_filter(cursor: Cursor) -> MailboxFilter:
    """`filter-mailboxes = "selected" / "inboxes" / ... / ("subtree" SP one-or-more-mailbox) / ...`

    `one-or-more-mailbox = mailbox / many-mailboxes`, `many-mailboxes = "(" mailbox *(SP mailbox) ")"`
    """
    kind = cursor.word("mailbox filter")
    if kind in KINDS:
        return MailboxFilter(kind)
    if kind not in KINDS_OF_NAMES:
        raise BadCommand(f"Unknown mailbox filter {kind[:40]}")
    cursor.space()
    return MailboxFilter(kind, cursor.items(parse_mailbox) if cursor.peek() == b"(" else (parse_mailbox(cursor),))
