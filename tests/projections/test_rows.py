"""Rows for both derived files, from one reading of a message."""

from pathlib import Path

import pytest

from crockery.events.errors import BodyUnreadable
from crockery.projections.rows import RowMaker, Wanted, read
from crockery.projections.structure import Structures
from crockery.projections.text import Texts
from tests.support.store import TestStore


class Maker:
    """A RowMaker on a log, and how often a message was read."""

    def __init__(self, folder: Path) -> None:
        self.store = TestStore(folder / "log.crk")
        self.read: list[int] = []
        place = (self.store.folder, self.store.log.file, self.store.log.header, self.read_message)
        self.structures, self.texts = Structures(*place), Texts(*place)
        self.rows = RowMaker(self.structures, self.texts, self.read_message)

    def read_message(self, number: int) -> tuple[bytes, bytes]:
        self.read.append(number)
        return self.store.log.read_message(number)

    def append(self, *mails: bytes) -> list[int]:
        anna = self.store.account()
        numbers = [self.store.append(anna, mail) for mail in mails]
        self.store.commit()
        self.rows.follow(numbers)
        return numbers

    def close(self) -> None:
        self.rows.close()
        self.store.close()


@pytest.fixture
def maker(tmp_path: Path):  # type: ignore[no-untyped-def]
    made = Maker(tmp_path)
    yield made
    made.close()


def test_one_reading_serves_both(maker: Maker) -> None:
    numbers = maker.append(b"Subject: one\r\n\r\nfirst", b"Subject: two\r\n\r\nsecond")
    assert maker.rows.work(100) == 0
    assert maker.read == numbers
    assert [kept.order.texts[0] for kept in maker.structures.many(numbers)] == ["ONE", "TWO"]
    assert maker.read == numbers
    assert maker.texts.last == numbers[1]


def test_either_may_be_ahead(maker: Maker) -> None:
    first, second = maker.append(b"Subject: one\r\n\r\nx", b"Subject: two\r\n\r\nx")
    maker.structures.work(1)
    assert maker.rows.next() == Wanted(second, True, False)
    assert maker.rows.next(structures=False) == Wanted(first, False, True)
    assert maker.rows.next(texts=False) == Wanted(second, True, False)
    assert maker.rows.work(100) == 0
    assert maker.rows.next() is None
    assert (maker.structures.last, maker.texts.last) == (second, second)


def test_what_was_asked_for_before_is_not_made_again(maker: Maker) -> None:
    (number,) = maker.append(b"Subject: one\r\n\r\nx")
    kept = maker.structures.kept(number)
    wanted = Wanted(number, True, True)
    made = maker.rows.make(wanted, read(b"Subject: one\r\n\r\nx"))
    assert made.structure is kept and made.text is not None
    assert maker.read == [number]
    maker.rows.add(wanted, made)
    assert maker.rows.make(wanted) == (None, None)
    assert maker.read == [number]


def test_a_message_that_cannot_be_read_is_passed_over(maker: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = maker.append(b"Subject: one\r\n\r\nx", b"Subject: two\r\n\r\nx")

    def read_message(number: int) -> tuple[bytes, bytes]:
        if number == first:
            raise BodyUnreadable(number, "damaged")
        return maker.store.log.read_message(number)

    monkeypatch.setattr(maker.rows, "_read_message", read_message)
    assert maker.rows.work(100) == 0
    assert (maker.structures.last, maker.texts.last) == (second, second)


def test_rows_computed_for_who_asked_are_kept_in_their_order(maker: Maker) -> None:
    first, second, third = maker.append(*[b"Subject: x\r\n\r\nx"] * 3)
    maker.structures.many([first, second])
    assert maker.structures.asked_for == 2
    assert maker.structures.adopt(1) == 1
    assert maker.structures.adopt(100) == 1
    assert maker.structures.next == third
    assert maker.read == [first, second]
