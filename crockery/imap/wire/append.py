"""APPEND, of one message or several, and REPLACE (RFC 9051 section 6.3.12, RFC 3502 MULTIAPPEND, RFC 4469 CATENATE,
RFC 8508 REPLACE, RFC 6855 UTF8).
"""

from dataclasses import dataclass
from datetime import datetime

from crockery.imap.wire.cursor import Cursor
from crockery.imap.wire.dates import parse_date_time
from crockery.imap.wire.errors import BadCommand
from crockery.imap.wire.flags import parse_flag_list
from crockery.imap.wire.framer import Literal
from crockery.imap.wire.mailbox import parse_mailbox
from crockery.imap.wire.sequence import SequenceSet, parse_sequence_set

Piece = Literal | str
"""Of a message put together: octets, or the URL of octets that are here already."""


@dataclass(frozen=True, slots=True)
class AppendMessage:
    """One message: a large literal was streamed and is known by its `index`, a small one has its octets in `data`.

    `utf8`: sent as `UTF8 (~{n}...)`, so its headers may hold UTF-8. `catenate`: the message is put together of these
    pieces, and `literal` is None.
    """

    literal: Literal | None
    flags: tuple[str, ...] = ()
    internal_date: datetime | None = None
    utf8: bool = False
    catenate: tuple[Piece, ...] = ()

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """What it is made of, in order."""
        return self.catenate if self.literal is None else (self.literal,)


@dataclass(frozen=True, slots=True)
class Append:
    """APPEND; one message unless the client uses MULTIAPPEND."""

    mailbox: str
    messages: tuple[AppendMessage, ...]


@dataclass(frozen=True, slots=True)
class Replace:
    """REPLACE and UID REPLACE: `append` has one message, which comes in place of the `replaced` one."""

    replaced: SequenceSet
    append: Append


def parse_append(cursor: Cursor) -> Append:
    """`append = "APPEND" SP mailbox 1*append-message`"""
    cursor.space()
    mailbox = parse_mailbox(cursor)
    messages: list[AppendMessage] = []
    while not messages or not cursor.at_end():
        messages.append(_parse_message(cursor))
    return Append(mailbox, tuple(messages))


def parse_replace(cursor: Cursor) -> Replace:
    """`replace = "REPLACE" SP seq-number SP mailbox append-message` (RFC 8508 section 7)"""
    cursor.space()
    replaced = parse_sequence_set(cursor)
    if replaced.saved or len(replaced.ranges) != 1 or replaced.ranges[0][0] != replaced.ranges[0][1]:
        raise BadCommand("One message is replaced at a time")
    cursor.space()
    return Replace(replaced, Append(parse_mailbox(cursor), (_parse_message(cursor),)))


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
    if cursor.accept_word("CATENATE"):
        cursor.space()
        return AppendMessage(None, flags, moment, catenate=_parse_pieces(cursor))
    literal, utf8 = _parse_data(cursor)
    return AppendMessage(literal, flags, moment, utf8)


def _parse_pieces(cursor: Cursor) -> tuple[Piece, ...]:
    """`append-data =/ "CATENATE" SP "(" cat-part *(SP cat-part) ")"`, `cat-part = text-literal / url`

    `text-literal = "TEXT" SP literal`, `url = "URL" SP astring`. The list of a partial frame breaks off.
    """
    cursor.expect(b"(")
    pieces: list[Piece] = []
    while True:
        cursor.accept_space()
        cursor.count_item()
        if cursor.accept_word("TEXT"):
            cursor.space()
            literal = cursor.accept_literal()
            if literal is None:
                cursor.fail("literal")
            pieces.append(literal)
        elif cursor.accept_word("URL"):
            cursor.space()
            pieces.append(cursor.utf8_string())
        else:
            cursor.fail("TEXT or URL")
        if (cursor.frame.partial and not cursor.peek()) or cursor.accept(b")"):
            return tuple(pieces)
        if not cursor.accept_space():
            cursor.fail("space or )")
        if cursor.accept(b")"):
            return tuple(pieces)


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
