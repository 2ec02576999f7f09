"""Columns of sort keys: ranks are the order of the texts whatever comes and goes; mailboxes not used are forgotten."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crockery import limits
from crockery.imap.selected import NO_UIDS
from crockery.imap.sorting import ListColumn, SortKeys, TextColumn, _rank
from crockery.projections.columns import Row
from crockery.projections.mailboxes import Mailbox

texts = st.lists(st.text("ABé", max_size=3), max_size=8)


@given(st.lists(st.tuples(texts, st.integers(0, 255)), max_size=8))
async def test_ranks_are_the_order_of_texts(rounds: list[tuple[list[str], int]]) -> None:
    column, there = TextColumn(), list[str]()
    for added, bits in rounds:
        column.add(added)
        there += added
        if bits % 2:
            await column.settle()
        kept = [bits >> at % 8 & 1 == 1 for at in range(len(there))]
        column.keep(np.array(kept, dtype=bool))
        there = [text for text, keep in zip(there, kept, strict=True) if keep]
    await column.settle()
    assert len(column.numbers) == len(there)
    by_rank = sorted(zip(column.numbers.tolist(), there, strict=True))
    assert [text for _, text in by_rank] == sorted(there)
    assert all((rank == 0) == (text == "") for rank, text in by_rank)
    assert len({rank for rank, _ in by_rank}) == len(set(there))


def test_many_texts_rank_as_few_do() -> None:
    many = [f"{number * 7919 % 100_003:06}" for number in range(20_000)]
    nothing = np.empty(0, dtype=np.int64)
    at_once = _rank([""], nothing, many)
    in_two_steps = _rank(*_rank([""], nothing, many[:10]), many[10:])
    assert in_two_steps[0] == at_once[0] == ["", *sorted(many)]
    assert in_two_steps[1].tolist() == at_once[1].tolist()


def test_lists_keep_together() -> None:
    column = ListColumn()
    column.add((np.array([2, 0, 1, 2]), np.array([1, 2, 3, 4, 5])))
    column.keep(np.array([True, True, False, True]))
    assert column.numbers.tolist() == [1, 2, 4, 5]
    assert column.counts.tolist() == [2, 0, 2]


def test_mailboxes_not_used_for_longest_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "IMAP_SORT_KEYS_KEPT", 4)
    boxes = [Mailbox(number, 1, f"{number}", 1, None) for number in (1, 2, 3)]
    keys = SortKeys()
    first = keys.of(boxes[0])
    for box in boxes:
        keys.of(box)._uids["DATE"] = np.arange(1, 3, dtype=np.uint32)
    second = keys.of(boxes[1])
    assert keys.of(boxes[2])._uids["DATE"] is not NO_UIDS
    assert keys.of(boxes[1]) is second
    assert keys.of(boxes[0]) is not first


def test_a_mailbox_of_the_same_id_is_another() -> None:
    keys = SortKeys()
    box, again = Mailbox(1, 1, "a", 1, None), Mailbox(1, 1, "a", 2, None)
    box.columns.append(Row(1, 1, 0, 1, 1, 1, 1))
    assert keys.of(box) is keys.of(box)
    assert keys.of(box) is not keys.of(again)
