"""Lines made from columns are those that formatting each would give."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crockery.imap.wire.lines import FEW, WIDE, Piece, Texts, date_pieces, render_apart, render_lines, texts_of
from crockery.imap.wire.render import render_internal_date

NUMBERS = st.one_of(
    st.integers(0, 30), st.integers(9_990, 10_010), st.integers(99_999_990, 100_000_010), st.integers(0, 2**64 - 1)
)


@given(st.lists(NUMBERS, min_size=1, max_size=3 * FEW), st.integers(1, 40))
def test_numbers(numbers: list[int], times: int) -> None:
    column = np.array(numbers * times, dtype=np.uint64)
    expected = b"".join(b"* %d FETCH (UID %d)\r\n" % (number, number) for number in numbers * times)
    assert render_lines(len(column), [b"* ", column, b" FETCH (UID ", column, b")\r\n"]) == expected


@pytest.mark.parametrize("dtype", [np.uint16, np.uint32, np.uint64, np.int64])
def test_numbers_of_any_kind(dtype: type[np.generic]) -> None:
    numbers = [0, 7, 999, 1000, 9999, 10_000, 12_345, 65_535] * FEW
    column = np.array(numbers).astype(dtype)
    assert render_lines(len(column), [column, b","]) == b"".join(b"%d," % number for number in numbers)


@pytest.mark.parametrize("width", [1, WIDE, WIDE + 1])
@pytest.mark.parametrize("count", [0, 1, FEW - 1, FEW, 5 * FEW])
def test_texts(count: int, width: int) -> None:
    table = [b"", b"\\Seen", b"k" * width]
    at = np.arange(count) % 3
    expected = b"".join(b"FLAGS (%b) " % table[n % 3] for n in range(count))
    assert render_lines(count, [b"FLAGS (", Texts(table, at), b") "]) == expected


def test_texts_are_asked_for_once() -> None:
    asked: list[int] = []

    def render(value: int) -> bytes:
        asked.append(value)
        return b"<%d>" % value

    values = np.array([5, 3, 5, 5, 3] * FEW, dtype=np.uint64)
    expected = b"<5><3><5><5><3>" * FEW
    assert render_lines(len(values), [texts_of(values, render)]) == expected
    assert sorted(asked) == [3, 5]


@given(st.lists(st.integers(-62135596800, 253402300799), max_size=2 * FEW))
def test_dates(seconds: list[int]) -> None:
    pieces = date_pieces(np.array(seconds, dtype=np.int64))
    assert render_lines(len(seconds), pieces) == b"".join(map(render_internal_date, seconds))


@pytest.mark.parametrize("count", [0, 1, FEW - 1, FEW, 3 * FEW])
def test_octets_of_each_line_are_neither_changed_nor_copied(count: int) -> None:
    texts = [b"\0\1\r\n" * n for n in range(count)]
    column = np.arange(count)
    pieces: list[Piece] = [column, b" {", column, b"}\r\n", texts, b")\r\n", texts, texts, b"end", column]
    expected = [b"%d {%d}\r\n%b)\r\n%b%bend%d" % (n, n, text, text, text, n) for n, text in enumerate(texts)]
    assert render_lines(count, pieces) == b"".join(expected)
    apart = render_apart(count, pieces)
    assert b"".join(apart) == b"".join(expected)
    assert all(any(piece is text for piece in apart) for text in texts)


def test_columns_must_be_of_one_length() -> None:
    with pytest.raises(ValueError):
        render_lines(2, [np.arange(2), [b"one"]])
    with pytest.raises(ValueError):
        render_lines(2 * FEW, [np.arange(2 * FEW), np.arange(FEW)])
