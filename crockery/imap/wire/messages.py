"""Commands on messages of the selected mailbox but FETCH and SEARCH: STORE, COPY, MOVE, UID EXPUNGE (section 6.4)."""

import re
from dataclasses import dataclass

from crockery.imap.wire.cursor import Cursor
from crockery.imap.wire.flags import parse_store_flags
from crockery.imap.wire.mailbox import parse_mailbox
from crockery.imap.wire.params import Param, parse_params
from crockery.imap.wire.sequence import SequenceSet, parse_sequence_set

STORE_ITEM = re.compile(rb"([+-]?)FLAGS(\.SILENT)?(?![^ (])", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Store:
    """STORE and UID STORE; `action` is "+", "-" or "" to replace (RFC 9051 section 6.4.6)."""

    messages: SequenceSet
    action: str
    flags: tuple[str, ...]
    silent: bool = False
    modifiers: tuple[Param, ...] = ()


@dataclass(frozen=True, slots=True)
class Copy:
    """COPY, MOVE and their UID forms (RFC 9051 sections 6.4.7, 6.4.8)."""

    messages: SequenceSet
    mailbox: str


@dataclass(frozen=True, slots=True)
class UidExpunge:
    """UID EXPUNGE (RFC 4315 section 2.1, RFC 9051 section 6.4.9)."""

    messages: SequenceSet


def parse_store(cursor: Cursor) -> Store:
    """`store = "STORE" SP sequence-set [store-modifiers] SP store-att-flags`

    `store-att-flags = (["+" / "-"] "FLAGS" [".SILENT"]) SP (flag-list / (flag *(SP flag)))`
    """
    cursor.space()
    messages = parse_sequence_set(cursor)
    modifiers = parse_params(cursor)
    cursor.space()
    found = cursor.match(STORE_ITEM)
    if found is None:
        cursor.fail("FLAGS")
    cursor.accept_space()
    return Store(messages, found[1].decode("ascii"), parse_store_flags(cursor), found[2] is not None, modifiers)


def parse_copy(cursor: Cursor) -> Copy:
    """`copy = "COPY" SP sequence-set SP mailbox`, `move = "MOVE" SP sequence-set SP mailbox`"""
    cursor.space()
    messages = parse_sequence_set(cursor)
    cursor.space()
    return Copy(messages, parse_mailbox(cursor))


def parse_uid_expunge(cursor: Cursor) -> UidExpunge:
    """`uid-expunge = "UID" SP "EXPUNGE" SP sequence-set`"""
    cursor.space()
    return UidExpunge(parse_sequence_set(cursor))
