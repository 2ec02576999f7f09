"""The structure follower: rows from the file equal rows computed, whatever happened to the file."""

import numpy as np
import pytest

from crockery.events.errors import BodyUnreadable
from crockery.events.format import HEADER_SIZE
from crockery.message.headers import header_fields
from crockery.message.summary import VERSION as SUMMARY_VERSION
from crockery.message.summary import summarize
from crockery.projections.structure import Ask, HeaderFields, Listing
from crockery.projections.structure_file import StructureFile
from crockery.projections.structure_order import NUMBERS, REFERENCES, TEXTS, Chosen, Order
from tests.support.rows import Rows
from tests.support.store import TestStore

MESSAGES = [
    b"From: anna@example.test\r\nSubject: one\r\nX-Unusual: yes\r\n\r\nbody\r\n",
    b"Subject: =?utf-8?q?zwei_=C3=BC?=\r\nMessage-ID: <2@example.test>\r\nReferences: <1@example.test>\r\n\r\n",
    b"Subject: eight \xc3\xbc bits\r\n\r\ntext",
    b"no header at all",
    b"",
    b"To: " + b", ".join(b"someone%d@example.test" % n for n in range(2000)) + b"\r\n\r\nlong header\r\n",
]


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crockery.projections.structure.STRUCTURE_BLOCK_ROWS", 2)
    monkeypatch.setattr("crockery.projections.structure_file.STRUCTURE_PARTS", 500)


def fill(store: TestStore) -> list[int]:
    anna = store.account()
    numbers = [store.append(anna, message, b"Delivered-To: anna@example.test\r\n") for message in MESSAGES]
    store.commit()
    return numbers


def test_rows_from_the_file_equal_rows_computed(store: TestStore) -> None:
    numbers = fill(store)
    rows = Rows(store)
    computed = rows.structures.many(numbers)
    for at in range(0, len(numbers), 2):
        rows.make(numbers[at : at + 2])
    assert rows.structures.last == numbers[-1]
    assert rows.structures.many(numbers) == computed
    rows.close()
    again = Rows(store).structures
    assert again.last == numbers[-1]
    assert again.many(numbers[::-1]) == computed[::-1]
    assert len(again.kept(numbers[1]).order.references) == 1


def test_a_row_says_what_the_summary_says(store: TestStore) -> None:
    numbers = fill(store)
    structures = Rows(store).structures
    for number, message in zip(numbers, MESSAGES, strict=True):
        whole = b"Delivered-To: anna@example.test\r\n" + message
        summary = summarize(whole)
        kept = structures.kept(number)
        assert (kept.envelope, kept.bodystructure) == (summary.envelope, summary.bodystructure)
        if kept.header is not None:
            names = (b"subject", b"from")
            assert header_fields(kept.header, names) == header_fields(whole, names)
    assert structures.kept(numbers[-1]).header is None  # too long to keep


def test_a_message_without_a_row_is_computed_beside_those_with_one(store: TestStore) -> None:
    numbers = fill(store)
    rows = Rows(store)
    rows.make(numbers[:3])
    structures = rows.structures
    mixed = [numbers[4], numbers[0], numbers[5], numbers[2]]
    assert structures.many(np.array(mixed)) == [structures.many(numbers)[numbers.index(n)] for n in mixed]


@pytest.mark.parametrize(
    "damage", ["flip", "cut rows", "cut index", "zero rows", "empty", "other version", "junk index"]
)
def test_a_damaged_file_gives_the_same_answers(store: TestStore, damage: str) -> None:
    numbers = fill(store)
    made = Rows(store)
    expected = made.structures.many(numbers)
    made.make(numbers)
    made.close()
    rows, index = store.folder / "structure", store.folder / "structure.index"
    data = bytearray(rows.read_bytes())
    if damage == "flip":
        data[len(data) // 2] ^= 1
        rows.write_bytes(data)
    elif damage == "cut rows":
        rows.write_bytes(data[:-7])
    elif damage == "cut index":
        index.write_bytes(index.read_bytes()[:-5])
    elif damage == "zero rows":
        rows.write_bytes(data[:200] + bytes(len(data) - 200))
    elif damage == "empty":
        rows.write_bytes(b"")
    elif damage == "other version":
        data[8] += 1
        rows.write_bytes(data)
    else:
        index.write_bytes(b"\xff" * 64)
    again = Rows(store)
    assert again.structures.many(numbers) == expected
    again.make(numbers)
    assert again.structures.many(numbers) == expected


def test_rows_gather_until_they_are_a_block(store: TestStore) -> None:
    numbers = fill(store)
    rows = Rows(store)
    rows.make(numbers[:3])
    assert rows.structures.last == numbers[2]
    computed = rows.structures.many(numbers[:3])
    rows.close()
    again = Rows(store).structures
    assert again.last == numbers[1]
    assert again.many(numbers[:3]) == computed


@pytest.mark.parametrize("erased", [(0,), (1,), (0, 1), (2, 3), (5,), (0, 2, 4), (0, 1, 2, 3, 4, 5)], ids=str)
def test_erased_messages_leave_nothing_in_the_file(store: TestStore, erased: tuple[int, ...]) -> None:
    numbers = fill(store)
    gone: set[int] = set()

    def read(number: int) -> tuple[bytes, bytes]:
        if number in gone:
            raise BodyUnreadable(number, "erased")
        return store.log.read_message(number)

    rows = Rows(store, read)
    rows.make(numbers)
    structures = rows.structures
    expected = dict(zip(numbers, structures.many(numbers), strict=True))
    for index in erased:
        gone.add(numbers[index])
        rows.files.erase([numbers[index]])
    for _ in range(2):
        for number in numbers:
            if number in gone:
                with pytest.raises(BodyUnreadable):
                    structures.kept(number)
            else:
                assert structures.kept(number) == expected[number]
        rows.erase_all()
    rows.close()
    in_file = StructureFile(store.folder, store.log.file.read(0, HEADER_SIZE), SUMMARY_VERSION)
    blocks = in_file.blocks_of(np.array(numbers, dtype=np.uint64))
    found = {number: kept for block in set(blocks.tolist()) for number, kept in in_file.rows(block).items()}
    assert found == {number: kept for number, kept in expected.items() if number not in gone}


def test_an_erasure_cut_short_by_a_crash_is_done_again(store: TestStore) -> None:
    numbers = fill(store)
    rows = Rows(store)
    rows.make(numbers)
    before = (store.folder / "structure").read_bytes()
    rows.files.erase(numbers[:1])
    assert (store.folder / "structure").read_bytes() == before
    again = Rows(store)
    again.files.erase(numbers[:1])
    again.files.erase_some(1)
    assert again.files.backlog == 0
    after = (store.folder / "structure").read_bytes()
    assert after != before and len(after) == len(before)


def test_an_unreadable_body_is_said_and_skipped(store: TestStore) -> None:
    numbers = fill(store)

    def read(number: int) -> tuple[bytes, bytes]:
        if number == numbers[1]:
            raise BodyUnreadable(number, "damaged")
        return store.log.read_message(number)

    rows = Rows(store, read)
    rows.make(numbers)
    structures = rows.structures
    assert structures.last == numbers[-1]
    with pytest.raises(BodyUnreadable):
        structures.kept(numbers[1])


def test_columns_are_the_same_from_the_file_as_computed(store: TestStore) -> None:
    numbers = fill(store)
    rows = Rows(store)
    expected = [kept.order for kept in rows.structures.many(numbers)]
    rows.make(numbers)
    rows.close()
    made = Rows(store)
    again = made.structures
    wanted = [numbers[at] for at in (0, 1, 3, 4)]  # some of a block, all of one
    chosen = again.orders(wanted, lambda number: again.kept(number).order)
    for name in (*NUMBERS, *TEXTS, REFERENCES):
        values = [column(part, name) for part in chosen]
        assert [value for part in values for value in part] == [value_of(expected[at], name) for at in (0, 1, 3, 4)]
    assert made.read == []


def column(chosen: Chosen, name: str) -> list[object]:
    values = chosen.values(name)
    if isinstance(values, tuple):
        counts, joined = values
        return [tuple(part.tolist()) for part in np.split(joined, np.cumsum(counts)[:-1])]
    return list(values)


def value_of(order: Order, name: str) -> object:
    if name == REFERENCES:
        return order.references
    return order.texts[TEXTS.index(name)] if name in TEXTS else order.numbers[NUMBERS.index(name)]


def test_it_tells_of_which_a_row_would_have_to_be_computed(store: TestStore) -> None:
    numbers = fill(store)
    rows = Rows(store)
    structures = rows.structures
    assert structures.lacking(numbers) == [0, 1, 2, 3, 4, 5]
    rows.make(numbers[:3])
    structures.kept(numbers[4])
    assert structures.lacking(numbers) == [3, 5]
    structures.orders(numbers, lambda number: structures.kept(number).order)
    assert structures.lacking(numbers) == []


def test_what_is_not_kept_is_known_to_be_missing_for_those_who_ask_for_it(store: TestStore) -> None:
    numbers = fill(store)
    rows = Rows(store)

    def known(ask: Ask) -> list[bool]:
        return rows.structures.known(numbers, ask)

    assert known(Listing(True, True, False)) == [False] * 6
    assert rows.read == []
    rows.make(numbers)
    assert known(Listing(True, True, utf8=False)) == [True] * 6
    assert known(Listing(True, False, utf8=True)) == [True, True, False, True, True, True]
    assert known(HeaderFields((b"subject",))) == [True] * 5 + [False]
    assert rows.read == numbers


@pytest.mark.parametrize(
    "ask", [Listing(True, True, False), Listing(True, False, True), HeaderFields((b"subject",))], ids=str
)
def test_what_was_computed_is_known_until_it_is_in_the_file(store: TestStore, ask: Ask) -> None:
    numbers = fill(store)
    structures = Rows(store).structures
    assert structures.known(numbers, ask) == [False] * 6
    told = structures.texts(numbers, ask)
    assert structures.known(numbers, ask) == [text is not None for text in told]


def test_an_index_whose_sums_are_too_large_is_not_believed(store: TestStore) -> None:
    numbers = fill(store)
    rows = Rows(store)
    rows.make(numbers)
    rows.close()
    index = store.folder / "structure.index"
    lengths = (1 << 63).to_bytes(8, "little") * 2 + bytes(8)
    index.write_bytes(index.read_bytes()[:24] + lengths)  # their sum is 0
    assert Rows(store).structures.last == 0
