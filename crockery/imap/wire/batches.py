"""UIDBATCHES: the mailbox in batches of as many messages each, by UID (RFC 10022)."""

from collections.abc import Iterable
from dataclasses import dataclass

from crockery.imap.wire.cursor import Cursor
from crockery.imap.wire.render import render_quoted


@dataclass(frozen=True, slots=True)
class UidBatches:
    """`size` messages each, the newest batch first; `first` to `last` of the batches, from 1, or all."""

    size: int
    first: int = 1
    last: int | None = None


def parse_uid_batches(cursor: Cursor) -> UidBatches:
    """`message-batches = "UIDBATCHES" SP nz-number [SP nz-number ":" nz-number]`"""
    cursor.space()
    size = cursor.number(smallest=1)
    if cursor.at_end():
        return UidBatches(size)
    first = cursor.number(smallest=1)
    cursor.expect(b":")
    return UidBatches(size, first, cursor.number(smallest=1))


def render_uid_batches(tag: bytes, batches: Iterable[tuple[int, int]]) -> bytes:
    """`"UIDBATCHES" search-correlator [SP uid-range *("," uid-range)]`: pairs of high and low UID, descending."""
    ranges = b",".join([b"%d:%d" % pair for pair in batches])
    return b"* UIDBATCHES (TAG %b)%b\r\n" % (render_quoted(tag), b" " + ranges if ranges else b"")
