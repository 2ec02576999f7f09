"""Flags: the system flags in their usual spelling, keywords as the client wrote them (RFC 9051 section 2.3.2)."""

import re
from typing import Final

from crockery.imap.wire.cursor import ATOM, Cursor

SYSTEM_FLAGS: Final = ("\\Answered", "\\Flagged", "\\Deleted", "\\Seen", "\\Draft", "\\Recent")
SPELLING: Final = {flag.lower(): flag for flag in SYSTEM_FLAGS}

FLAG = re.compile(rb"\\?" + ATOM.pattern)


def parse_flag(cursor: Cursor) -> str:
    """`flag = "\\Answered" / "\\Flagged" / "\\Deleted" / "\\Seen" / "\\Draft" / flag-keyword / flag-extension`

    Also reads `\\Recent` and unknown `\\X`, which the server refuses or ignores with a better word than BAD.
    """
    found = cursor.match(FLAG)
    if found is None:
        cursor.fail("flag")
    flag = found[0].decode("ascii")
    return SPELLING.get(flag.lower(), flag) if flag[0] == "\\" else flag


def parse_flag_list(cursor: Cursor) -> tuple[str, ...]:
    """`flag-list = "(" [flag *(SP flag)] ")"`, without repetitions."""
    return tuple(dict.fromkeys(cursor.items(parse_flag, empty=True)))


def parse_store_flags(cursor: Cursor) -> tuple[str, ...]:
    """`(flag-list / (flag *(SP flag)))` (RFC 9051 section 9, store-att-flags): the parentheses may be left out."""
    if cursor.peek() == b"(":
        return parse_flag_list(cursor)
    flags = [parse_flag(cursor)]
    while not cursor.at_end():
        cursor.count_item()
        flags.append(parse_flag(cursor))
    return tuple(dict.fromkeys(flags))
