"""APPEND, of one message or several (RFC 9051 section 6.3.12, RFC 3502 MULTIAPPEND, RFC 6855 UTF8)."""

from dataclasses import dataclass
from datetime import datetime

from crockery.imap.wire.cursor import Cursor
from crockery.imap.wire.dates import parse_date_time
from crockery.imap.wire.flags import parse_flag_list
from crockery.imap.wire.framer import Literal
from crockery.imap.wire.mailbox import parse_mailbox


@dataclass(frozen=True, slots=True)
class AppendMessage:
    """One message: a large literal was streamed and is known by its `index`, a small one has its octets in `data`.

    `utf8`: sent as `UTF8 (~{n}...)`, so its headers may hold UTF-8.
    """

    literal: Literal
    flags: tuple[str, ...] = ()
    internal_date: datetime | None = None
    utf8: bool = False


@dataclass(frozen=True, slots=True)
class Append:
    """APPEND; one message unless the client uses MULTIAPPEND."""

    mailbox: str
    messages: tuple[AppendMessage, ...]


def parse_append(cursor: Cursor) -> Append:
    """`append = "APPEND" SP mailbox 1*append-message`"""
    cursor.space()
    mailbox = parse_mailbox(cursor)
    messages: list[AppendMessage] = []
    while not messages or not cursor.at_end():
        messages.append(_parse_message(cursor))
    return Append(mailbox, tuple(messages))


def _parse_message(cursor: Cursor) -> AppendMessage:
    """`append-message = [SP flag-list] [SP date-time] SP append-data`"""
    cursor.accept_space()
    flags: tuple[str, ...] = ()
    if cursor.peek() == b"(":
        flags = parse_flag_list(cursor)
        cursor.accept_space()
    moment = None
    if cursor.peek() == b'"':
        moment = parse_date_time(cursor)
        cursor.accept_space()
    literal, utf8 = _parse_data(cursor)
    return AppendMessage(literal, flags, moment, utf8)


def _parse_data(cursor: Cursor) -> tuple[Literal, bool]:
    """`append-data = literal / literal8 / "UTF8" SP "(" literal8 ")"`"""
    utf8 = cursor.accept_word("UTF8")
    if utf8:
        cursor.space()
        cursor.expect(b"(")
    literal = cursor.accept_literal()
    if literal is None:
        cursor.fail("literal")
    if utf8 and not (cursor.frame.partial and cursor.at_end()):
        cursor.expect(b")")
    return literal, utf8
