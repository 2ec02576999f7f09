"""LIST and LSUB, plain and extended (RFC 3501 sections 6.3.8-9, RFC 9051 section 6.3.9, RFC 5258, 5819, 6154, 9590)."""

from dataclasses import dataclass
from typing import Final

from crockery import limits
from crockery.imap.wire.cursor import Cursor
from crockery.imap.wire.errors import BadCommand
from crockery.imap.wire.mailbox import parse_list_mailbox
from crockery.imap.wire.mailboxes import parse_status_items
from crockery.imap.wire.metadata import parse_list_metadata
from crockery.imap.wire.params import Option, OptionParsers, parse_options

SELECTION_OPTIONS: Final[OptionParsers] = {
    "SUBSCRIBED": None,
    "REMOTE": None,
    "RECURSIVEMATCH": None,
    "SPECIAL-USE": None,
}
RETURN_OPTIONS: Final[OptionParsers] = {
    "SUBSCRIBED": None,
    "CHILDREN": None,
    "SPECIAL-USE": None,
    "STATUS": parse_status_items,
    "METADATA": parse_list_metadata,
}


@dataclass(frozen=True, slots=True)
class List:
    """LIST and LSUB. `extended`: the client used the syntax of LIST-EXTENDED, so an empty pattern is no special case.

    The argument of the return option STATUS is a tuple of items as in `Status`, that of METADATA one of entries.
    """

    reference: str
    patterns: tuple[str, ...]
    selection: tuple[Option, ...] = ()
    returns: tuple[Option, ...] = ()
    extended: bool = False

    def status_items(self) -> tuple[str, ...]:
        """The items of `RETURN (STATUS (...))`; empty without it."""
        return self._argument("STATUS")

    def metadata_entries(self) -> tuple[str, ...]:
        """The entries of `RETURN (METADATA (...))`; empty without it."""
        return self._argument("METADATA")

    def _argument(self, name: str) -> tuple[str, ...]:
        for option in self.returns:
            if option.name == name and isinstance(option.argument, tuple):
                return option.argument
        return ()


def parse_list(cursor: Cursor) -> List:
    """`list = "LIST" [SP list-select-opts] SP mailbox SP mbox-or-pat [SP list-return-opts]`

    `mbox-or-pat = list-mailbox / patterns`, `patterns = "(" list-mailbox *(SP list-mailbox) ")"`,
    `list-return-opts = "RETURN" SP "(" [return-option *(SP return-option)] ")"`
    """
    cursor.space()
    extended = cursor.peek() == b"("
    selection = parse_options(cursor, SELECTION_OPTIONS) if extended else ()
    if extended:
        cursor.accept_space()
    reference = parse_list_mailbox(cursor)
    cursor.space()
    if cursor.peek() == b"(":
        extended = True
        patterns = cursor.items(parse_list_mailbox)
    else:
        patterns = (parse_list_mailbox(cursor),)
    returns: tuple[Option, ...] = ()
    if not cursor.at_end():
        extended = True
        returns = _parse_returns(cursor)
    if len(patterns) > limits.IMAP_LIST_PATTERNS_MAX:
        raise BadCommand("Too many patterns")
    names = {option.name for option in selection}
    if "RECURSIVEMATCH" in names and names <= {"RECURSIVEMATCH", "REMOTE"}:
        raise BadCommand("RECURSIVEMATCH needs another selection option")  # RFC 9051 section 6.3.9.1
    return List(reference, patterns, selection, returns, extended)


def _parse_returns(cursor: Cursor) -> tuple[Option, ...]:
    if not cursor.accept_word("RETURN"):
        cursor.fail("RETURN")
    cursor.accept_space()
    return parse_options(cursor, RETURN_OPTIONS)


def parse_lsub(cursor: Cursor) -> List:
    """`lsub = "LSUB" SP mailbox SP list-mailbox`"""
    cursor.space()
    reference = parse_list_mailbox(cursor)
    cursor.space()
    return List(reference, (parse_list_mailbox(cursor),))
