"""The text follower: what a scan says is true of every message that has a row, whatever happened to the files."""

import numpy as np
import pytest

from crockery.events.errors import BodyUnreadable
from crockery.message.searched import searched
from crockery.projections.text import Question, Texts, in_field, in_text, rows_of
from tests.support.rows import Rows
from tests.support.store import TestStore

WORDS = ("one", "two", "lunch", "é", "anna@example.test", "", "nowhere")
MESSAGES = [
    b"From: anna@example.test\r\nSubject: one\r\nX-Lunch: at noon\r\n\r\nbody with one word\r\n",
    b"Subject: =?utf-8?q?two_=C3=89?=\r\nTo: one@example.test\r\n\r\n",
    b"Content-Type: text/html; charset=utf-8\r\n\r\n<p title=two>l<b>un</b>ch</p>",
    b"no header at all",
    b"",
    b"To: " + b", ".join(b"someone%d@example.test" % n for n in range(500)) + b"\r\n\r\nlong header, lunch\r\n",
    b"Subject: the last\r\n\r\n" + b"two " * 1000,
]
QUESTIONS: list[Question] = [
    question
    for word in WORDS
    for asked in (in_field("subject", word), in_field("to", word), in_field("x-lunch", word))
    for question in (*asked, *(in_text(word, headers=True) if word else ()))
]


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crockery.projections.text_file.TEXT_BLOCK_ROWS", 2)
    monkeypatch.setattr("crockery.projections.text_file.TEXT_SPARSE", 1_000_000)


def fill(store: TestStore) -> list[int]:
    anna = store.account()
    numbers = [store.append(anna, message) for message in MESSAGES]
    store.commit()
    return numbers


def answers(texts: Texts, numbers: list[int]) -> list[tuple[set[int], set[int]]]:
    """For each question who has a row, and who fits."""
    found = []
    for question in QUESTIONS:
        seen = [texts.scan(question, run) for run in texts.runs(question, np.array(numbers, dtype=np.uint64))]
        rows = {number for one in seen for number in one.rows.tolist()}
        hits = {number for one in seen for number in one.hits.tolist()}
        assert len(rows) == sum(len(one.rows) for one in seen) and hits <= rows
        found.append((rows, hits))
    return found


def expected(numbers: list[int], known: set[int]) -> list[tuple[set[int], set[int]]]:
    rows = {number: rows_of(searched(message)) for number, message in zip(numbers, MESSAGES, strict=True)}
    return [(known, {number for number in known if question.fits(rows[number])}) for question in QUESTIONS]


@pytest.mark.parametrize("count", [0, 1, 2, 3, 6, 7])
def test_a_scan_tells_of_all_that_have_a_row(store: TestStore, count: int) -> None:
    numbers = fill(store)
    rows = Rows(store)
    rows.make(numbers[:count])
    assert rows.texts.last == (numbers[count - 1] if count else 0)
    assert answers(rows.texts, numbers) == expected(numbers, set(numbers[:count]))
    rows.close()
    again = Rows(store)
    kept = count - count % 2
    assert again.texts.last == (numbers[kept - 1] if kept else 0)
    assert answers(again.texts, numbers) == expected(numbers, set(numbers[:kept]))
    again.make(numbers)
    assert answers(again.texts, numbers) == expected(numbers, set(numbers))


@pytest.mark.parametrize("damage", ["flip", "cut rows", "cut index", "zero rows", "empty", "version", "junk index"])
@pytest.mark.parametrize("name", ["text-fields", "text-headers", "text-bodies"])
def test_a_damaged_file_knows_less_and_nothing_wrong(store: TestStore, name: str, damage: str) -> None:
    numbers = fill(store)
    made = Rows(store)
    made.make(numbers)
    made.close()
    rows, index = store.folder / name, store.folder / (name + ".index")
    data = bytearray(rows.read_bytes())
    match damage:
        case "flip":
            data[len(data) // 2] ^= 1
        case "cut rows":
            del data[-7:]
        case "zero rows":
            data[200:] = bytes(len(data) - 200)
        case "empty":
            data.clear()
        case "version":
            data[8] += 1
        case "cut index":
            index.write_bytes(index.read_bytes()[:-5])
        case "junk index":
            index.write_bytes(b"\xff" * 64)
    rows.write_bytes(data)
    again = Rows(store)
    for (known, hits), (_, fits) in zip(answers(again.texts, numbers), expected(numbers, set(numbers)), strict=True):
        assert hits == fits & known
    again.make(numbers)
    for (known, hits), (_, fits) in zip(answers(again.texts, numbers), expected(numbers, set(numbers)), strict=True):
        assert hits == fits & known
        assert len(known) >= len(numbers) - 2


def test_messages_wanted_singly_of_a_large_block_are_left_to_the_reader(
    store: TestStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crockery.projections.text_file.TEXT_SPARSE", 1)
    numbers = fill(store)
    rows = Rows(store)
    rows.make(numbers)
    texts = rows.texts
    (question,) = in_text("lunch", headers=False)
    assert list(texts.runs(question, np.array(numbers[:1], dtype=np.uint64))) == []
    assert len(list(texts.runs(question, np.array(numbers[-1:], dtype=np.uint64)))) == 1


@pytest.mark.parametrize("erased", [(0,), (1,), (0, 1), (2, 3), (6,), (0, 2, 4), tuple(range(7))], ids=str)
def test_erased_messages_leave_nothing_in_the_files(store: TestStore, erased: tuple[int, ...]) -> None:
    numbers = fill(store)
    rows = Rows(store)
    rows.make(numbers)
    gone = {numbers[index] for index in erased}
    rows.files.erase(gone)
    left = set(numbers) - gone
    assert answers(rows.texts, numbers) == expected(numbers, left)
    rows.erase_all()
    assert answers(rows.texts, numbers) == expected(numbers, left)
    rows.close()
    again = Rows(store)
    in_blocks = left - {numbers[-1]}
    assert answers(again.texts, numbers) == expected(numbers, in_blocks)
    again.files.clear()
    again.make(numbers)
    assert answers(again.texts, numbers) == expected(numbers, set(numbers))


def test_an_erasure_cut_short_by_a_crash_is_done_again(store: TestStore) -> None:
    numbers = fill(store)
    rows = Rows(store)
    rows.make(numbers)
    before = (store.folder / "text-bodies").read_bytes()
    rows.files.erase(numbers[:1])
    assert (store.folder / "text-bodies").read_bytes() == before
    again = Rows(store)
    again.files.erase(numbers[:1])
    again.files.erase_some(1)
    assert again.files.backlog == 0
    after = (store.folder / "text-bodies").read_bytes()
    assert after != before and len(after) == len(before)


def test_areas_that_a_crash_left_apart_come_together(store: TestStore, monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = fill(store)
    rows = Rows(store)
    rows.make(numbers[:4])
    rows.close()
    index = store.folder / "text-headers.index"
    index.write_bytes(index.read_bytes()[:32])
    again = Rows(store)
    assert again.texts.last == numbers[1]
    again.make(numbers)
    assert answers(again.texts, numbers) == expected(numbers, set(numbers))


def test_an_unreadable_body_is_skipped(store: TestStore) -> None:
    numbers = fill(store)

    def read(number: int) -> tuple[bytes, bytes]:
        if number == numbers[1]:
            raise BodyUnreadable(number, "damaged")
        return store.log.read_message(number)

    rows = Rows(store, read)
    rows.make(numbers)
    assert answers(rows.texts, numbers) == expected(numbers, set(numbers) - {numbers[1]})
