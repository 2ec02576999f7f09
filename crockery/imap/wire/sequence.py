"""Sequence sets: which messages, by sequence number or by UID (RFC 9051 section 9, RFC 5182 for `$`).

A set is kept as written. `resolve` gives its meaning against the largest number in use, as sorted ranges that neither
overlap nor touch; `indices` finds its members in a sorted column of UIDs, `positions` among sequence
numbers. Cost: linear in the text of the set (and the result), whatever the size of the numbers in it.
"""

import re
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from crockery.imap.wire.cursor import NUMBER_MAX, Cursor
from crockery.imap.wire.errors import BadCommand

STAR: Final = 0
"""Stands for `*`, the largest number in use: zero is never a message's number."""

SEQ_NUMBER: Final = rb"(?:[1-9][0-9]{0,9}+|\*)"
SEQ_RANGE: Final = SEQ_NUMBER + b"(?::" + SEQ_NUMBER + b")?+"
SEQUENCE_SET = re.compile(SEQ_RANGE + b"(?:," + SEQ_RANGE + rb")*+|\$")

Columns = npt.NDArray[np.uint32] | npt.NDArray[np.uint64] | npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class SequenceSet:
    """`ranges` as the client wrote them, a single number as (n, n), `*` as STAR; `saved` is `$`, and then alone."""

    ranges: tuple[tuple[int, int], ...] = ()
    saved: bool = False

    def resolve(self, largest: int) -> list[tuple[int, int]]:
        """The (low, high) ranges meant, ascending and merged, clipped to 1..largest; empty if `largest` is 0.

        `9:*` with nothing above 5 means 5:9 and so holds 5 (RFC 9051 section 9, seq-range). `$` gives no ranges:
        the caller knows the saved result.
        """
        if largest <= 0:
            return []
        if len(self.ranges) == 1:
            low, high = _ordered(*self.ranges[0], largest)
            return [(low, min(high, largest))] if low <= largest else []
        merged: list[tuple[int, int]] = []
        last_low, last_high = 0, -1
        for low, high in sorted([_ordered(a, b, largest) for a, b in self.ranges]):
            if low > largest:
                break
            if low <= last_high + 1:
                last_high = max(last_high, high)
                continue
            if last_low:
                merged.append((last_low, last_high))
            last_low, last_high = low, high
        if last_low:
            merged.append((last_low, min(last_high, largest)))
        return merged

    def indices(self, numbers: Columns) -> npt.NDArray[np.int64]:
        """Ascending indices into `numbers` (sorted, unique; UIDs for instance) of the members of this set."""
        if not len(numbers):
            return np.empty(0, dtype=np.int64)
        ranges = np.array(self.resolve(int(numbers[-1])), dtype=numbers.dtype).reshape(-1, 2)
        starts = np.searchsorted(numbers, ranges[:, 0], side="left").astype(np.int64)
        stops = np.searchsorted(numbers, ranges[:, 1], side="right").astype(np.int64)
        return _expand(starts, stops)

    def positions(self, count: int) -> npt.NDArray[np.int64]:
        """Ascending indices, from 0, of the sequence numbers meant, in a mailbox of `count` messages."""
        ranges = np.array(self.resolve(count), dtype=np.int64).reshape(-1, 2)
        return _expand(ranges[:, 0] - 1, ranges[:, 1])

    def exceeds(self, count: int) -> bool:
        """True if it names a sequence number that a mailbox of `count` messages has not: BAD (section 6.4.8)."""
        return any(max(a, b) > count or (count == 0 and STAR in (a, b)) for a, b in self.ranges)

    def __contains__(self, number: int) -> bool:
        """For small sets without `*`."""
        return any(a <= number <= b or b <= number <= a for a, b in self.ranges)

    def __bytes__(self) -> bytes:
        if self.saved:
            return b"$"
        return b",".join(_number(a) if a == b else b"%b:%b" % (_number(a), _number(b)) for a, b in self.ranges)


def _number(number: int) -> bytes:
    return b"*" if number == STAR else b"%d" % number


def _ordered(a: int, b: int, largest: int) -> tuple[int, int]:
    a, b = a or largest, b or largest
    return (a, b) if a <= b else (b, a)


def _expand(starts: npt.NDArray[np.int64], stops: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """All of start..stop-1 of every pair, joined: a running count shifted at each range's beginning."""
    if len(starts) == 1:
        return np.arange(starts[0], stops[0], dtype=np.int64)
    if not len(starts):
        return np.empty(0, dtype=np.int64)
    lengths = stops - starts
    ends = np.cumsum(lengths)
    shifts: npt.NDArray[np.int64] = np.repeat(starts - (ends - lengths), lengths)
    return np.arange(ends[-1], dtype=np.int64) + shifts


def parse_sequence_set(cursor: Cursor) -> SequenceSet:
    """`sequence-set = (seq-number / seq-range) ["," sequence-set] / seq-last-command` (RFC 9051 section 9)

    `seq-range = seq-number ":" seq-number`, `seq-number = nz-number / "*"`, `seq-last-command = "$"`
    """
    found = cursor.match(SEQUENCE_SET)
    if found is None:
        cursor.fail("sequence set")
    if found[0] == b"$":
        return SequenceSet(saved=True)
    items = found[0].replace(b"*", b"%d" % STAR).split(b",")
    if b":" in found[0]:
        ranges = [_range(item) for item in items]
    else:
        numbers = [int(item) for item in items]
        ranges = list(zip(numbers, numbers, strict=True))
    if max(map(max, ranges)) > NUMBER_MAX:
        raise BadCommand("Number too large")
    return SequenceSet(tuple(ranges))


def _range(item: bytes) -> tuple[int, int]:
    low, colon, high = item.partition(b":")
    return int(low), int(high if colon else low)
