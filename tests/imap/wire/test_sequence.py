"""Sequence sets: as written, resolved, found in columns; hostile ones in bounded time."""

import time
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crockery.imap.wire.cursor import Cursor
from crockery.imap.wire.errors import BadCommand
from crockery.imap.wire.framer import Frame
from crockery.imap.wire.render import render_sequence_set
from crockery.imap.wire.sequence import STAR, SequenceSet, parse_sequence_set


def read(text: bytes) -> SequenceSet:
    cursor = Cursor(Frame(text, {}))
    found = parse_sequence_set(cursor)
    cursor.finish()
    return found


RESOLVED = [
    (b"1", 5, [(1, 1)]),
    (b"1:*", 5, [(1, 5)]),
    (b"*", 5, [(5, 5)]),
    (b"*:*", 5, [(5, 5)]),
    (b"9:*", 5, [(5, 5)]),
    (b"*:3", 5, [(3, 5)]),
    (b"4:2", 5, [(2, 4)]),
    (b"6", 5, []),
    (b"6:9", 5, []),
    (b"3:9", 5, [(3, 5)]),
    (b"4294967295:1", 5, [(1, 5)]),
    (b"5,1:2,3", 9, [(1, 3), (5, 5)]),
    (b"2:4,3:7,9,8", 9, [(2, 9)]),
    (b"1,1,1,3", 9, [(1, 1), (3, 3)]),
    (b"2,4:7,9,12:*", 15, [(2, 2), (4, 7), (9, 9), (12, 15)]),
    (b"*:4,5:7", 10, [(4, 10)]),
    (b"7:20,3", 5, [(3, 3)]),
    (b"1:*", 0, []),
    (b"*", 0, []),
    (b"$", 9, []),
]


@pytest.mark.parametrize(("text", "largest", "ranges"), RESOLVED)
def test_resolve(text: bytes, largest: int, ranges: list[tuple[int, int]]) -> None:
    assert read(text).resolve(largest) == ranges
    assert bytes(read(text)) == (text if text != b"*:*" else b"*")


@pytest.mark.parametrize(
    "text",
    [b"", b"0", b"1:0", b"1,", b",1", b"1,,2", b"1:", b":1", b"1:2:3", b"4294967296", b"00000000001", b"1,$", b"$,1",
     b"**", b"1*", b"*1", b"-1", b"a", b"1 :2", b"9" * 5000],
)  # fmt: skip
def test_refused(text: bytes) -> None:
    with pytest.raises(BadCommand):
        read(text)


def test_exceeds() -> None:
    assert not read(b"1:*").exceeds(1)
    assert read(b"1:*").exceeds(0)
    assert read(b"*").exceeds(0)
    assert read(b"1:4").exceeds(3)
    assert not read(b"4:1").exceeds(4)
    assert not read(b"$").exceeds(0)


def test_saved_result() -> None:
    assert read(b"$") == SequenceSet(saved=True)


bounds = st.integers(1, 60) | st.just(STAR)
sets = st.lists(st.tuples(bounds, bounds) | bounds.map(lambda n: (n, n)), min_size=1).map(
    lambda ranges: SequenceSet(tuple(ranges))
)


def members(found: SequenceSet, largest: int) -> set[int]:
    """The obvious reading of section 9."""
    numbers: set[int] = set()
    for a, b in found.ranges:
        low, high = sorted((a or largest, b or largest))
        numbers.update(range(low, high + 1))
    return {number for number in numbers if 1 <= number <= largest}


@given(sets)
def test_print_and_parse(found: SequenceSet) -> None:
    assert read(bytes(found)) == found


@given(sets, st.integers(0, 70))
def test_resolve_agrees_with_the_obvious(found: SequenceSet, largest: int) -> None:
    ranges = found.resolve(largest)
    assert {n for low, high in ranges for n in range(low, high + 1)} == members(found, largest)
    assert all(high + 1 < low for (_, high), (low, _) in pairwise(ranges))


@given(sets, st.sets(st.integers(1, 70)))
def test_indices_agree_with_the_obvious(found: SequenceSet, uids: set[int]) -> None:
    column = np.array(sorted(uids), dtype=np.uint32)
    wanted = members(found, max(uids, default=0)) & uids
    assert column[found.indices(column)].tolist() == sorted(wanted)


@given(sets, st.integers(0, 70))
def test_positions_agree_with_the_obvious(found: SequenceSet, count: int) -> None:
    assert found.positions(count).tolist() == [number - 1 for number in sorted(members(found, count))]


@given(st.sets(st.integers(1, 100), min_size=1))
def test_rendered_numbers_parse_to_themselves(numbers: set[int]) -> None:
    text = render_sequence_set(sorted(numbers))
    ranges = read(text).resolve(100)
    assert {n for low, high in ranges for n in range(low, high + 1)} == numbers
    assert len(ranges) == text.count(b",") + 1


def test_render_columns() -> None:
    assert render_sequence_set(np.array([1, 2, 3, 7, 9, 10, 4294967295], dtype=np.uint32)) == b"1:3,7,9:10,4294967295"
    assert render_sequence_set([5]) == b"5"


@pytest.mark.parametrize(
    "text",
    [b",".join([b"4294967295:1"] * 5000), b",".join(b"%d" % n for n in range(65000, 51000, -1)), b"1," * 32000 + b"*"],
    ids=["overlapping", "descending", "repeated"],
)
def test_hostile_sets_are_fast(text: bytes) -> None:
    column = np.arange(1, 1_000_001, dtype=np.uint32)
    started = time.process_time()
    read(text).indices(column)
    assert time.process_time() - started < 1


def test_hundred_thousand_numbers_render_fast() -> None:
    column = np.arange(1, 200_001, 2)
    best = 9.0
    for _ in range(5):
        started = time.process_time()
        render_sequence_set(column)
        best = min(best, time.process_time() - started)
    assert best < 0.1  # 12 ms where nothing else runs
