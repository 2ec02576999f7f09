"""The search keys by name: `KEYS` maps each to the parser of its arguments; an extension adds its row.

Chains, brackets and numbers, which have no name, are `search_program`'s.
"""

import re
from collections.abc import Callable
from typing import Final

from crockery.imap.wire.cursor import NUMBER64_MAX, NUMBER_MAX, Cursor
from crockery.imap.wire.dates import parse_date
from crockery.imap.wire.errors import BadCommand
from crockery.imap.wire.search import (
    Aged,
    And,
    Changed,
    Dated,
    HasFlag,
    HasHeader,
    HasId,
    HasText,
    InSet,
    Key,
    Named,
    Not,
    SavedDated,
    Sized,
)
from crockery.imap.wire.sequence import SequenceSet, parse_sequence_set


def _constant(key: Key) -> Callable[[Cursor], Key]:
    return lambda cursor: key


def _keyword(negated: bool) -> Callable[[Cursor], Key]:
    def parse(cursor: Cursor) -> Key:
        """`"KEYWORD" SP flag-keyword`"""
        cursor.space()
        key = HasFlag(cursor.atom("keyword").decode("ascii"))
        return Not(key) if negated else key

    return parse


def _field(name: str) -> Callable[[Cursor], Key]:
    def parse(cursor: Cursor) -> Key:
        """`"FROM" SP astring`"""
        cursor.space()
        return HasHeader(name, cursor.utf8_string())

    return parse


def _header(cursor: Cursor) -> Key:
    """`"HEADER" SP header-fld-name SP astring`"""
    cursor.space()
    name = cursor.utf8_string()
    cursor.space()
    return HasHeader(name, cursor.utf8_string())


def _text(headers: bool) -> Callable[[Cursor], Key]:
    def parse(cursor: Cursor) -> Key:
        """`"TEXT" SP astring`"""
        cursor.space()
        return HasText(cursor.utf8_string(), headers)

    return parse


def _date(relation: str, sent: bool) -> Callable[[Cursor], Key]:
    def parse(cursor: Cursor) -> Key:
        """`"SINCE" SP date`"""
        cursor.space()
        return Dated(relation, parse_date(cursor), sent)

    return parse


def _saved_date(relation: str) -> Callable[[Cursor], Key]:
    def parse(cursor: Cursor) -> Key:
        """`"SAVEDSINCE" SP date` (RFC 8514)"""
        cursor.space()
        return SavedDated(relation, parse_date(cursor))

    return parse


def _age(older: bool) -> Callable[[Cursor], Key]:
    def parse(cursor: Cursor) -> Key:
        """`"OLDER" SP nz-number` (RFC 5032)"""
        cursor.space()
        return Aged(cursor.number(smallest=1), older)

    return parse


def _filter(cursor: Cursor) -> Key:
    """`"FILTER" SP filter-name`, `filter-name = 1*<any ATOM-CHAR except "/">` (RFC 5466)"""
    cursor.space()
    name = cursor.atom("filter name").decode("ascii")
    if "/" in name:
        raise BadCommand("A filter's name has no /")
    return Named(name)


def _size(larger: bool) -> Callable[[Cursor], Key]:
    def parse(cursor: Cursor) -> Key:
        """`"LARGER" SP number64`"""
        cursor.space()
        return Sized(cursor.number(NUMBER64_MAX), larger)

    return parse


MODSEQ_ENTRY_KINDS: Final = ("priv", "shared", "all")


def _modseq(cursor: Cursor) -> Key:
    """`"MODSEQ" [SP entry-name SP entry-type-req] SP mod-sequence-valzer`; entries share one MODSEQ (RFC 7162)"""
    cursor.space()
    if cursor.accept_string() is not None:
        cursor.space()
        if not any(cursor.accept_word(kind.upper()) for kind in MODSEQ_ENTRY_KINDS):
            cursor.fail("priv, shared or all")
        cursor.space()
    return Changed(cursor.number(NUMBER64_MAX))


OBJECT_ID: Final = re.compile(rb"[A-Za-z0-9_-]{1,255}+(?![^ )])")


def _object_id(letter: bytes) -> Callable[[Cursor], Key]:
    def parse(cursor: Cursor) -> Key:
        """`"EMAILID" SP objectid`, `objectid = 1*255(ALPHA / DIGIT / "_" / "-")` (RFC 8474 section 7)"""
        cursor.space()
        found = cursor.match(OBJECT_ID)
        if found is None:
            cursor.fail("object id")
        digits = found[0][1:]
        ours = found[0][:1] == letter and digits.isdigit() and len(digits) < 20 and digits[:1] != b"0"
        return HasId(int(digits) if ours else 0, letter == b"T")

    return parse


def _uid_beyond(after: bool) -> Callable[[Cursor], Key]:
    def parse(cursor: Cursor) -> Key:
        """`"UIDAFTER" SP uniqueid`, `"UIDBEFORE" SP uniqueid` (RFC 9738)"""
        cursor.space()
        uid = cursor.number(smallest=1)
        if after:
            beyond = SequenceSet(((uid + 1, NUMBER_MAX),)) if uid < NUMBER_MAX else None
        else:
            beyond = SequenceSet(((1, uid - 1),)) if uid > 1 else None
        return Not(And(())) if beyond is None else InSet(beyond, uid=True)

    return parse


def _uid(cursor: Cursor) -> Key:
    """`"UID" SP sequence-set`"""
    cursor.space()
    return InSet(parse_sequence_set(cursor), uid=True)


KEYS: Final[dict[str, Callable[[Cursor], Key]]] = {
    "ALL": _constant(And(())),
    "ANSWERED": _constant(HasFlag("\\Answered")),
    "DELETED": _constant(HasFlag("\\Deleted")),
    "DRAFT": _constant(HasFlag("\\Draft")),
    "FLAGGED": _constant(HasFlag("\\Flagged")),
    "RECENT": _constant(HasFlag("\\Recent")),
    "SEEN": _constant(HasFlag("\\Seen")),
    "UNANSWERED": _constant(Not(HasFlag("\\Answered"))),
    "UNDELETED": _constant(Not(HasFlag("\\Deleted"))),
    "UNDRAFT": _constant(Not(HasFlag("\\Draft"))),
    "UNFLAGGED": _constant(Not(HasFlag("\\Flagged"))),
    "UNSEEN": _constant(Not(HasFlag("\\Seen"))),
    "NEW": _constant(And((HasFlag("\\Recent"), Not(HasFlag("\\Seen"))))),
    "OLD": _constant(Not(HasFlag("\\Recent"))),
    "KEYWORD": _keyword(negated=False),
    "UNKEYWORD": _keyword(negated=True),
    "BCC": _field("Bcc"),
    "CC": _field("Cc"),
    "FROM": _field("From"),
    "SUBJECT": _field("Subject"),
    "TO": _field("To"),
    "HEADER": _header,
    "BODY": _text(headers=False),
    "TEXT": _text(headers=True),
    "BEFORE": _date("before", sent=False),
    "ON": _date("on", sent=False),
    "SINCE": _date("since", sent=False),
    "SENTBEFORE": _date("before", sent=True),
    "SENTON": _date("on", sent=True),
    "SENTSINCE": _date("since", sent=True),
    "LARGER": _size(larger=True),
    "SMALLER": _size(larger=False),
    "UID": _uid,
    "UIDAFTER": _uid_beyond(after=True),
    "UIDBEFORE": _uid_beyond(after=False),
    "MODSEQ": _modseq,
    "EMAILID": _object_id(b"M"),
    "THREADID": _object_id(b"T"),
    "OLDER": _age(older=True),
    "YOUNGER": _age(older=False),
    "SAVEDBEFORE": _saved_date("before"),
    "SAVEDON": _saved_date("on"),
    "SAVEDSINCE": _saved_date("since"),
    "SAVEDATESUPPORTED": _constant(And(())),
    "FILTER": _filter,
}
