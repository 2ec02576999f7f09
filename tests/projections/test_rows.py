"""Rows for both derived files, from one reading of a message."""

import logging

import numpy as np
import pytest

from crockery.events.errors import BodyUnreadable
from crockery.projections.rows import RowMaker, Wanted
from crockery.projections.structure import kept_of
from tests.support.rows import Rows
from tests.support.store import TestStore


def append(store: TestStore, *mails: bytes) -> list[int]:
    anna = store.account()
    numbers = [store.append(anna, mail) for mail in mails]
    store.commit()
    return numbers


def test_one_reading_serves_both(store: TestStore) -> None:
    mails = (b"Subject: one\r\n\r\nfirst", b"Subject: two\r\n\r\nsecond")
    numbers = append(store, *mails)
    rows = Rows(store)
    rows.make(numbers)
    assert rows.structures.many(numbers) == [kept_of(mail) for mail in mails]
    assert rows.read == numbers
    assert rows.texts.last == numbers[1]
    assert rows.files.backlog == 0


def test_structure_comes_first_where_many_wait(store: TestStore) -> None:
    files = Rows(store).files
    files.follow([1, 2, 3, 4, 5])
    assert files.next(2) == Wanted([1, 2], True, False)
    files.pass_over(Wanted([1, 2], True, False))
    assert files.next(3) == Wanted([3, 4, 5], True, False)  # the texts are not so far
    files.pass_over(Wanted([3, 4, 5], True, False))
    assert files.next(3) == Wanted([1, 2, 3], False, True)
    files.pass_over(Wanted([1, 2, 3], False, True))
    files.follow([6])
    assert files.next(3) == Wanted([6], True, False)
    files.pass_over(Wanted([6], True, False))
    assert files.next(3) == Wanted([4, 5, 6], False, True)
    assert (files.waiting, files.backlog) == (3, 3)


def test_both_at_once_where_few_wait(store: TestStore) -> None:
    files = Rows(store).files
    files.follow([1, 2])
    assert files.next(2) == Wanted([1, 2], True, True)
    files.pass_over(Wanted([1, 2], True, True))
    assert files.next(2) is None


def test_either_may_be_ahead_when_all_begins(store: TestStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crockery.projections.structure.STRUCTURE_BLOCK_ROWS", 2)
    numbers = append(store, *[b"Subject: x\r\n\r\nx"] * 3)
    rows = Rows(store)
    rows.make(numbers)
    rows.close()
    again = Rows(store)
    again.files.resume(np.array(numbers, dtype=np.uint64))
    assert again.files.next(10) == Wanted(numbers[2:], True, False)
    assert again.files.backlog == 1 + 3


def test_a_maker_goes_on_where_another_was(store: TestStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks have the rows of both."""
    monkeypatch.setattr("crockery.projections.structure.STRUCTURE_BLOCK_ROWS", 3)
    monkeypatch.setattr("crockery.projections.text_file.TEXT_BLOCK_ROWS", 4)
    numbers = append(store, *[b"Subject: x\r\n\r\nx"] * 7)
    rows = Rows(store)
    for number in numbers:
        rows.make([number])
    assert rows.read == numbers
    rows.close()
    again = Rows(store)
    assert (again.structures.last, again.texts.last) == (numbers[5], numbers[3])


def test_an_answer_has_an_end(store: TestStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crockery.projections.rows.ROWS_ANSWER", 1000)
    numbers = append(store, *[b"Subject: x\r\n\r\n" + b"x" * 600] * 3)
    files = Rows(store).files
    files.follow(numbers)
    maker = RowMaker(files.begun, lambda number: b"".join(store.log.read_message(number)))
    done = []
    while (wanted := files.next(10)) is not None:
        made = maker.make(wanted)
        files.add(wanted, made)
        done.append(made.done)
    assert done == [2, 1]
    assert files.backlog == 0


def test_a_message_that_cannot_be_read_is_passed_over(store: TestStore) -> None:
    first, second = append(store, b"Subject: one\r\n\r\nx", b"Subject: two\r\n\r\nx")

    def read_message(number: int) -> tuple[bytes, bytes]:
        if number == first:
            raise BodyUnreadable(number, "damaged")
        return store.log.read_message(number)

    rows = Rows(store, read_message)
    rows.make([first, second])
    assert (rows.structures.last, rows.texts.last) == (second, second)
    assert rows.files.backlog == 0


def test_a_message_that_we_fail_at_is_passed_over(
    store: TestStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    numbers = append(store, b"Subject: one\r\n\r\nx", b"Subject: two\r\n\r\nx")
    caplog.set_level(logging.ERROR)

    def fail(data: bytes) -> None:
        if b"one" in data:
            raise RecursionError

    monkeypatch.setattr("crockery.projections.rows.parse_structure", fail)
    rows = Rows(store)
    rows.make(numbers)
    assert rows.structures.last == numbers[1]
    assert f"message {numbers[0]}" in caplog.text
