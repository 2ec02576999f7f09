"""SEARCH: its keys as a tree, its return options (RFC 3501 section 6.4.4, RFC 9051 section 6.4.4).

`KEYS` maps each key's name to the parser of its arguments: an extension adds its row. Negations, NEW, OLD and the
address keys are written out in simpler ones, so that whoever evaluates the tree knows few kinds.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

from crockery.imap.wire.cursor import NUMBER64_MAX, NUMBER_MAX, Cursor
from crockery.imap.wire.dates import parse_date
from crockery.imap.wire.errors import BadCommand, UnknownCharset
from crockery.imap.wire.params import Option
from crockery.imap.wire.search_returns import PartialRange, parse_returns
from crockery.imap.wire.sequence import SequenceSet, parse_sequence_set

CHARSETS: Final = frozenset((b"US-ASCII", b"UTF-8"))


@dataclass(frozen=True, slots=True)
class And:
    """All of `keys`; of none of them: every message, which is what ALL says."""

    keys: tuple["Key", ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Any of `keys`, at least two: a chain of ORs is one."""

    keys: tuple["Key", ...]


@dataclass(frozen=True, slots=True)
class Not:
    """Whatever `key` is not."""

    key: "Key"


@dataclass(frozen=True, slots=True)
class HasFlag:
    """The flag (`\\Seen`, `\\Recent`) or keyword is set; keywords compare without regard to case."""

    flag: str


@dataclass(frozen=True, slots=True)
class InSet:
    """In the sequence set, of UIDs if `uid`, else of message sequence numbers."""

    messages: SequenceSet
    uid: bool


@dataclass(frozen=True, slots=True)
class HasHeader:
    """A header field `name` holds `value`; with an empty value, there is such a field."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class HasText:
    """BODY: the text of the body parts holds `value`; TEXT, which is `headers` too: or any header does."""

    value: str
    headers: bool


@dataclass(frozen=True, slots=True)
class Dated:
    """The internal date (or the Date field, if `sent`) without time and zone is "before", "on" or "since" the day."""

    relation: str
    day: date
    sent: bool


@dataclass(frozen=True, slots=True)
class Sized:
    """More octets than `size` if `larger`, else fewer."""

    size: int
    larger: bool


@dataclass(frozen=True, slots=True)
class SavedDated:
    """The day on which the message came into this mailbox is "before", "on" or "since" the day (RFC 8514 §4.3)."""

    relation: str
    day: date


@dataclass(frozen=True, slots=True)
class Aged:
    """The internal date is further back than `seconds` if `older`, else not so far (RFC 5032)."""

    seconds: int
    older: bool


@dataclass(frozen=True, slots=True)
class Changed:
    """MODSEQ is `since` or above (RFC 7162 §3.1.5)."""

    since: int


@dataclass(frozen=True, slots=True)
class HasId:
    """EMAILID is M and the number, or THREADID is T and the number; 0 stands for an id that none has (RFC 8474)."""

    number: int
    thread: bool


@dataclass(frozen=True, slots=True)
class Named:
    """FILTER: the search that is kept under `name` (RFC 5466)."""

    name: str


Key = (
    And | Or | Not | HasFlag | InSet | HasHeader | HasText | Dated | Sized | SavedDated | Aged | Changed | HasId | Named
)


def iterate_keys(key: Key) -> Iterator[Key]:
    """A key and all within it."""
    yield key
    match key:
        case And(keys) | Or(keys):
            for one in keys:
                yield from iterate_keys(one)
        case Not(inner):
            yield from iterate_keys(inner)


@dataclass(frozen=True, slots=True)
class Search:
    """SEARCH and UID SEARCH. `returns` is None without RETURN, when a rev1 client expects the old response.

    `RETURN ()` is given as `RETURN (ALL)`, which it means.
    """

    key: Key
    returns: tuple[Option, ...] | None = None
    charset: str | None = None

    def wants(self, option: str) -> bool:
        """True if the return option was given."""
        return any(given.name == option for given in self.returns or ())

    @property
    def partial(self) -> PartialRange | None:
        """The range of the return option PARTIAL, if it was given."""
        for given in self.returns or ():
            if isinstance(given.argument, PartialRange):
                return given.argument
        return None


def parse_search(cursor: Cursor) -> Search:
    """`search = "SEARCH" [search-return-opts] SP search-program`

    `search-return-opts = SP "RETURN" SP "(" [search-return-opt *(SP search-return-opt)] ")"`,
    `search-program = ["CHARSET" SP charset SP] search-key *(SP search-key)`
    """
    cursor.space()
    return parse_after_returns(cursor, parse_returns(cursor))


def parse_after_returns(cursor: Cursor, returns: tuple[Option, ...] | None) -> Search:
    """The search program to the end of the command."""
    charset = None
    try:
        if cursor.accept_word("CHARSET"):
            cursor.space()
            charset = parse_charset(cursor)
            cursor.space()
    except UnknownCharset as error:
        error.saves = any(option.name == "SAVE" for option in returns or ())
        raise
    return Search(parse_search_program(cursor), returns, charset)


def parse_charset(cursor: Cursor) -> str:
    """`charset = atom / quoted`; raises UnknownCharset for one that is not ours."""
    charset = cursor.astring().upper()
    if charset not in CHARSETS:
        raise UnknownCharset("Charset not supported")
    return charset.decode("ascii")


def parse_search_program(cursor: Cursor) -> Key:
    """`search-key *(SP search-key)` to the end of the command."""
    keys = [parse_search_key(cursor)]
    while not cursor.at_end():
        keys.append(parse_search_key(cursor))
    return keys[0] if len(keys) == 1 else And(tuple(keys))


def parse_search_key(cursor: Cursor) -> Key:
    """`search-key = "ALL" / "ANSWERED" / ... / sequence-set / "(" search-key *(SP search-key) ")"`

    `"OR" SP search-key SP search-key`, `"NOT" SP search-key`. Chains as `OR a OR b OR c d`, which programs write for
    long lists, are read in a loop and so are of any length; all else is bounded in depth.
    """
    cursor.count_item()
    if cursor.accept_word("OR"):
        return _parse_or(cursor)
    if not cursor.accept_word("NOT"):
        return _parse_plain_key(cursor)
    negated = True
    cursor.space()
    while cursor.accept_word("NOT"):
        negated = not negated
        cursor.space()
    key = _parse_nested(cursor)
    return Not(key) if negated else key


def _parse_or(cursor: Cursor) -> Or:
    keys: list[Key] = []
    more = True
    while more:
        cursor.space()
        keys.append(_parse_nested(cursor))
        cursor.space()
        more = cursor.accept_word("OR")
    keys.append(_parse_nested(cursor))
    return Or(tuple(keys))


def _parse_nested(cursor: Cursor) -> Key:
    cursor.descend()
    key = parse_search_key(cursor)
    cursor.ascend()
    return key


def _parse_plain_key(cursor: Cursor) -> Key:
    start = cursor.peek()
    if start == b"(":
        keys = cursor.items(parse_search_key)
        return keys[0] if len(keys) == 1 else And(keys)
    if start and start in b"0123456789*$":
        return InSet(parse_sequence_set(cursor), uid=False)
    name = cursor.word("search key")
    parse = KEYS.get(name)
    if parse is None:
        raise BadCommand(f"Unknown search key {name[:40]}")
    return parse(cursor)


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


OBJECT_ID = re.compile(rb"[A-Za-z0-9_-]{1,255}+(?![^ )])")


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
