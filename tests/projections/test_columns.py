"""The columns of a mailbox against a list of rows; views taken earlier stay as they were."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crockery.projections.columns import DTYPE, Columns, Row

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["append", "append", "extend", "flags", "flag", "remove", "touch", "look"]),
        st.integers(0, 2**32 - 1),
    ),
    max_size=60,
)


@pytest.fixture(autouse=True, scope="module")
def few_staged() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("crockery.projections.columns.STAGED", 5)
        yield


class Both:
    """Columns, and the same as a list."""

    def __init__(self) -> None:
        self.columns = Columns()
        self.rows: list[Row] = []
        self.views: list[tuple[Any, list[int]]] = []

    def _row(self, bits: int, more: int = 0) -> Row:
        uid = (self.rows[-1].uid if self.rows else 0) + 1 + bits % 3 + more
        return Row(uid, bits + more, bits << 31, bits, bits, -bits, bits)

    def append(self, bits: int) -> None:
        row = self._row(bits)
        self.columns.append(row)
        self.rows.append(row)

    def extend(self, bits: int) -> None:
        rows = [self._row(bits, n * 3) for n in range(bits % 40)]
        arrays = zip(*rows, strict=True) if rows else [()] * len(DTYPE)
        self.columns.extend({name: np.array(v, dtype) for (name, dtype), v in zip(DTYPE, arrays, strict=True)})
        self.rows += rows

    def _some(self, bits: int) -> list[int]:
        return [index for index in range(len(self.rows)) if bits >> (index % 32) & 1]

    def flags(self, bits: int) -> None:
        at = self._some(bits)
        self.columns.set_flags(np.array(at, dtype=np.int64), np.full(len(at), bits, dtype=np.uint64), bits)
        for index in at:
            self.rows[index] = self.rows[index]._replace(flags=bits, modseq=bits)

    def flag(self, bits: int) -> None:
        uid, mask, on = (
            (self.rows[bits % len(self.rows)].uid if self.rows else 0) + bits % 2,
            1 << bits % 64,
            bits % 3 > 0,
        )
        changed = False
        for index, row in enumerate(self.rows):
            if row.uid == uid:
                flags = row.flags | mask if on else row.flags & ~mask
                changed = flags != row.flags
                self.rows[index] = row._replace(flags=flags, modseq=bits)
        assert self.columns.change_flag(uid, mask, on, bits) is changed

    def remove(self, bits: int) -> None:
        at = self._some(bits)
        self.columns.remove(np.array(at, dtype=np.int64))
        self.rows = [row for index, row in enumerate(self.rows) if index not in at]

    def touch(self, bits: int) -> None:
        self.columns.touch(bits)
        self.rows = [row._replace(modseq=bits) for row in self.rows]

    def look(self, bits: int) -> None:
        self.views.append((self.columns.uid, [row.uid for row in self.rows]))
        uids = np.array(sorted({bits % 50, bits % 7, *[row.uid for row in self.rows[:: 1 + bits % 5]]}))
        expected = [index for index, row in enumerate(self.rows) if row.uid in uids]
        assert self.columns.find(uids).tolist() == expected

    def check(self) -> None:
        assert len(self.columns) == len(self.rows)
        for name, _ in DTYPE:
            assert self.columns.column(name).tolist() == [getattr(row, name) for row in self.rows]
        for view, uids in self.views:
            assert view.tolist() == uids, "a view changed under somebody's hands"


@settings(max_examples=150, deadline=None)
@given(STEPS, st.booleans())
def test_columns_are_a_list_of_rows(steps: list[tuple[str, int]], always: bool) -> None:
    both = Both()
    for verb, bits in steps:
        step: Callable[[int], None] = getattr(both, verb)
        step(bits)
        if always:
            both.check()
    both.check()
    other = Columns()
    other.load(both.columns.dump())
    both.columns = other
    both.check()
    both.append(1)
    both.check()


def test_find_nothing() -> None:
    columns = Columns()
    assert columns.find(np.array([1, 2])).tolist() == []
    columns.append(Row(5, 1, 0, 1, 1, 1, 1))
    assert columns.find(np.array([], dtype=np.int64)).tolist() == []
    assert columns.find(np.array([4, 5, 6])).tolist() == [0]
    assert columns.find(np.array([6, 7])).tolist() == []
