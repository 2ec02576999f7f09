"""The search program of SEARCH, SORT, THREAD and ESEARCH: keys joined and nested (RFC 3501, RFC 9051 §6.4.4)."""

from typing import Final

from crockery.imap.wire.cursor import Cursor
from crockery.imap.wire.errors import BadCommand, UnknownCharset
from crockery.imap.wire.params import Option
from crockery.imap.wire.search import And, InSet, Key, Not, Or, Search
from crockery.imap.wire.search_keys import KEYS
from crockery.imap.wire.search_returns import parse_returns
from crockery.imap.wire.sequence import parse_sequence_set

CHARSETS: Final = frozenset((b"US-ASCII", b"UTF-8"))


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
