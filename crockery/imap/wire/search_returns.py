"""Return options of SEARCH and SORT, and CANCELUPDATE (RFC 4731, RFC 5182, RFC 5267, RFC 5465 section 7, RFC 9394).

`search-return-opts = SP "RETURN" SP "(" [search-return-opt *(SP search-return-opt)] ")"`
"""

from dataclasses import dataclass
from typing import Final

from crockery.imap.wire.cursor import Cursor
from crockery.imap.wire.errors import BadCommand
from crockery.imap.wire.fetch import Item, parse_fetch_item
from crockery.imap.wire.params import Option, OptionParsers, parse_options


@dataclass(frozen=True, slots=True)
class PartialRange:
    """Results `first` to `last` by their place in the result, from 1; negative ones count from the end, -1 the last.

    As the client wrote it: `first` may be the greater.
    """

    first: int
    last: int

    def bounds(self, count: int) -> tuple[int, int]:
        """The half-open slice of a result of `count` messages."""
        low, high = sorted((abs(self.first), abs(self.last)))
        if self.first > 0:
            return min(low - 1, count), min(high, count)
        return max(count - high, 0), max(count - low + 1, 0)

    def __bytes__(self) -> bytes:
        return b"%d:%d" % (self.first, self.last)


@dataclass(frozen=True, slots=True)
class CancelUpdate:
    """CANCELUPDATE: the tags of searches that were to be kept up to date."""

    tags: tuple[bytes, ...]


def parse_cancel_update(cursor: Cursor) -> CancelUpdate:
    """`"CANCELUPDATE" 1*(SP quoted)`"""
    tags: list[bytes] = []
    while not cursor.at_end() or not tags:
        cursor.count_item()
        tags.append(cursor.string())
    return CancelUpdate(tuple(tags))


def parse_partial_range(cursor: Cursor) -> PartialRange:
    """`partial-range-first = nz-number ":" nz-number`, `partial-range-last = MINUS nz-number ":" MINUS nz-number`"""
    sign = -1 if cursor.accept(b"-") else 1
    first = cursor.number(smallest=1)
    cursor.expect(b":")
    if sign < 0:
        cursor.expect(b"-")
    return PartialRange(sign * first, sign * cursor.number(smallest=1))


def parse_update_items(cursor: Cursor) -> tuple[Item, ...]:
    """`modifier-update = "UPDATE" [ "(" fetch-att *(SP fetch-att) ")" ]`, from the parenthesis on (RFC 5465)."""
    return tuple(dict.fromkeys(cursor.items(parse_fetch_item)))


RETURN_OPTIONS: Final[OptionParsers] = {
    "MIN": None,
    "MAX": None,
    "ALL": None,
    "COUNT": None,
    "SAVE": None,
    "CONTEXT": None,
    "UPDATE": parse_update_items,
    "PARTIAL": parse_partial_range,
}


OPTIONAL: Final = frozenset(("UPDATE",))


def parse_returns(cursor: Cursor) -> tuple[Option, ...] | None:
    """The options, None without RETURN. `RETURN ()` is `RETURN (ALL)`, which it means (RFC 4731 §3.1).

    PARTIAL stands once and not beside ALL (RFC 9394 §3.1).
    """
    if not cursor.accept_word("RETURN"):
        return None
    cursor.accept_space()
    seen: list[PartialRange] = []

    def partial(cursor: Cursor) -> PartialRange:
        seen.append(parse_partial_range(cursor))
        return seen[-1]

    options = parse_options(cursor, {**RETURN_OPTIONS, "PARTIAL": partial}, OPTIONAL)
    cursor.accept_space()
    if len(seen) + any(option.name == "ALL" for option in options) > 1:
        raise BadCommand("PARTIAL goes with neither ALL nor another PARTIAL")
    return options or (Option("ALL"),)
