"""SORT and THREAD (RFC 5256, RFC 5957, RFC 5267 section 3)."""

from dataclasses import dataclass
from typing import Final

from crockery.imap.wire.cursor import Cursor
from crockery.imap.wire.errors import BadCommand, UnknownCharset
from crockery.imap.wire.params import Option
from crockery.imap.wire.search import Search
from crockery.imap.wire.search_program import parse_charset, parse_search_program
from crockery.imap.wire.search_returns import parse_returns

SORT_KEYS: Final = frozenset(("ARRIVAL", "CC", "DATE", "DISPLAYFROM", "DISPLAYTO", "FROM", "SIZE", "SUBJECT", "TO"))
ALGORITHMS: Final = frozenset(("ORDEREDSUBJECT", "REFERENCES", "REFS"))


@dataclass(frozen=True, slots=True)
class Criterion:
    """A key to sort by, in upper case, and whether in descending order."""

    key: str
    reverse: bool = False


@dataclass(frozen=True, slots=True)
class Sort:
    """SORT and UID SORT; the first criterion counts most."""

    criteria: tuple[Criterion, ...]
    search: Search


@dataclass(frozen=True, slots=True)
class Thread:
    """THREAD and UID THREAD."""

    algorithm: str
    search: Search


def parse_sort(cursor: Cursor) -> Sort:
    """`sort = "SORT" [SP sort-return-opts] SP sort-criteria SP search-criteria`

    `sort-criteria = "(" sort-criterion *(SP sort-criterion) ")"`; each key counts once.
    """
    cursor.space()
    returns = parse_returns(cursor)
    criteria: dict[str, Criterion] = {}
    for criterion in cursor.items(_criterion):
        criteria.setdefault(criterion.key, criterion)  # what is equal by a key is equal by it a second time
    cursor.space()
    return Sort(tuple(criteria.values()), _parse_search_criteria(cursor, returns))


def _criterion(cursor: Cursor) -> Criterion:
    """`sort-criterion = ["REVERSE" SP] sort-key`"""
    reverse = cursor.accept_word("REVERSE")
    if reverse:
        cursor.space()
    key = cursor.word("sort key")
    if key not in SORT_KEYS:
        raise BadCommand(f"Unknown sort key {key[:40]}")
    return Criterion(key, reverse)


def parse_thread(cursor: Cursor) -> Thread:
    """`thread = "THREAD" SP thread-alg SP search-criteria`"""
    cursor.space()
    algorithm = cursor.word("threading algorithm")
    if algorithm not in ALGORITHMS:
        raise BadCommand(f"Unknown threading algorithm {algorithm[:40]}")
    cursor.space()
    return Thread(algorithm, _parse_search_criteria(cursor, None))


def _parse_search_criteria(cursor: Cursor, returns: tuple[Option, ...] | None) -> Search:
    """`search-criteria = charset 1*(SP search-key)`"""
    try:
        charset = parse_charset(cursor)
    except UnknownCharset as error:
        error.saves = any(option.name == "SAVE" for option in returns or ())
        raise
    cursor.space()
    return Search(parse_search_program(cursor), returns, charset)
