"""Commands on mailboxes by name: SELECT, CREATE, RENAME, STATUS and their like (RFC 9051 section 6.3)."""

from dataclasses import dataclass
from typing import Final

from crockery.imap.wire.cursor import Cursor
from crockery.imap.wire.errors import BadCommand
from crockery.imap.wire.flags import parse_flag
from crockery.imap.wire.mailbox import parse_mailbox
from crockery.imap.wire.params import Param, parse_params

STATUS_ITEMS: Final = frozenset(
    (
        "MESSAGES", "RECENT", "UIDNEXT", "UIDVALIDITY", "UNSEEN", "SIZE", "DELETED", "DELETED-STORAGE", "HIGHESTMODSEQ",
        "MAILBOXID", "APPENDLIMIT",
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Select:
    """SELECT and EXAMINE (sections 6.3.2, 6.3.3)."""

    mailbox: str
    params: tuple[Param, ...] = ()


@dataclass(frozen=True, slots=True)
class Create:
    """CREATE; `special_use` from `(USE (\\Sent))` (section 6.3.4, RFC 6154). A final delimiter is left in the name."""

    mailbox: str
    special_use: tuple[str, ...] = ()
    params: tuple[Param, ...] = ()


@dataclass(frozen=True, slots=True)
class MailboxArgument:
    """DELETE, SUBSCRIBE, UNSUBSCRIBE (sections 6.3.5, 6.3.7, 6.3.8)."""

    mailbox: str


@dataclass(frozen=True, slots=True)
class Rename:
    """RENAME (section 6.3.6)."""

    mailbox: str
    new_name: str


@dataclass(frozen=True, slots=True)
class Status:
    """STATUS; items in upper case, each once, in the client's order (section 6.3.11)."""

    mailbox: str
    items: tuple[str, ...]


def parse_select(cursor: Cursor) -> Select:
    """`select = "SELECT" SP mailbox [select-params]`"""
    cursor.space()
    return Select(parse_mailbox(cursor), parse_params(cursor))


def parse_create(cursor: Cursor) -> Create:
    """`create = "CREATE" SP mailbox [create-params]`, `create-param =/ "USE" SP "(" [use-attr *(SP use-attr)] ")"`"""
    cursor.space()
    mailbox = parse_mailbox(cursor)
    special_use: tuple[str, ...] = ()
    params: list[Param] = []
    for param in _create_params(cursor):
        if isinstance(param, Param):
            params.append(param)
        else:
            special_use += param
    return Create(mailbox, special_use, tuple(params))


def _create_params(cursor: Cursor) -> tuple[Param | tuple[str, ...], ...]:
    if cursor.at_end():
        return ()
    return cursor.items(_create_param)


def _create_param(cursor: Cursor) -> Param | tuple[str, ...]:
    name = cursor.word("parameter")
    if name != "USE":
        return Param(name)
    cursor.space()
    return cursor.items(parse_flag, empty=True)


def parse_mailbox_argument(cursor: Cursor) -> MailboxArgument:
    """`delete = "DELETE" SP mailbox`, `subscribe = "SUBSCRIBE" SP mailbox`"""
    cursor.space()
    return MailboxArgument(parse_mailbox(cursor))


def parse_rename(cursor: Cursor) -> Rename:
    """`rename = "RENAME" SP mailbox SP mailbox`"""
    cursor.space()
    mailbox = parse_mailbox(cursor)
    cursor.space()
    return Rename(mailbox, parse_mailbox(cursor))


def parse_status(cursor: Cursor) -> Status:
    """`status = "STATUS" SP mailbox SP "(" status-att *(SP status-att) ")"`"""
    cursor.space()
    mailbox = parse_mailbox(cursor)
    cursor.accept_space()
    return Status(mailbox, parse_status_items(cursor))


def parse_status_items(cursor: Cursor) -> tuple[str, ...]:
    """`"(" status-att *(SP status-att) ")"`"""
    items = cursor.items(lambda cursor: cursor.word("status item"))
    for item in items:
        if item not in STATUS_ITEMS:
            raise BadCommand(f"Unknown status item {item}")
    return tuple(dict.fromkeys(items))
