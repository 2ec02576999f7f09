"""The parts of the benchmark that can be wrong without a server: reading answers, checking mail, telling the ratio."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tools.bench.client import ImapError, Response, parse_responses
from tools.bench.material import WrongAnswer, check_received, mark
from tools.bench.report import BEGIN, END, Figures, Line, number, write_page
from tools.bench.round import Row
from tools.bench.rows import ROWS
from tools.bench.rows_mailbox import fetched, wanted_headers
from tools.bench.smtp_load import dot_stuffed


def test_responses_with_literals() -> None:
    answer = b"* 1 FETCH (UID 7 BODY[] {4}\r\na\r\nb BODY[1] {0}\r\n)\r\n* 2 FETCH (FLAGS ())\r\n"
    assert list(parse_responses(answer)) == [
        Response(b"* 1 FETCH (UID 7 BODY[] {4}\r\n BODY[1] {0}\r\n)", (b"a\r\nb", b"")),
        Response(b"* 2 FETCH (FLAGS ())"),
    ]


@pytest.mark.parametrize("answer", [b"* OK", b"* 1 FETCH (BODY[] {9}\r\nabc)\r\n", b"* 1 FETCH (BODY[] {1}\r\na)"])
def test_an_answer_cut_short_is_an_error(answer: bytes) -> None:
    with pytest.raises(ImapError):
        list(parse_responses(answer))


def test_fetched_misses_nothing() -> None:
    answer = bytearray(b"* 1 FETCH (UID 1)\r\n* 3 FETCH (UID 3)\r\n")
    with pytest.raises(WrongAnswer):
        list(fetched(answer, 2))


@pytest.mark.parametrize(
    ("change", "good"),
    [
        pytest.param(lambda mails: [b"Received: x\r\n" + mail for mail in reversed(mails)], True, id="trace headers"),
        pytest.param(lambda mails: mails[:-1], False, id="one missing"),
        pytest.param(lambda mails: [*mails, mails[0]], False, id="one twice"),
        pytest.param(lambda mails: [mails[0] + b" ", *mails[1:]], False, id="one altered"),
        pytest.param(lambda mails: [b"A: b\r\n\r\n", *mails], False, id="a stranger"),
    ],
)
def test_check_received(change: Callable[[list[bytes]], list[bytes]], good: bool) -> None:
    sent = mark([b"A: 1\r\n\r\nx\r\n", b"A: 2\r\n\r\ny\r\n"])
    if good:
        check_received(change(sent), sent)
    else:
        with pytest.raises(WrongAnswer):
            check_received(change(sent), sent)


def test_dot_stuffing() -> None:
    assert dot_stuffed(b".a\r\n..b\r\nc.\r\n") == b"..a\r\n...b\r\nc.\r\n.\r\n"


def test_wanted_headers() -> None:
    mail = b"Subject: a\r\n\tb\r\nX: y\r\nto: c\r\nSubjects: d\r\n\r\nFrom: body\r\n"
    assert wanted_headers(mail) == b"Subject: a\r\n\tb\r\nto: c\r\n\r\n"


@pytest.mark.parametrize(
    ("more_is_better", "crockery", "verdict"),
    [
        (True, 20.0, "2x, reached"),
        (True, 19.0, "2x, **not reached**"),
        (False, 5.0, "2x, reached"),
        (False, 6.0, "2x, **not reached**"),
    ],
)
def test_verdict(more_is_better: bool, crockery: float, verdict: str) -> None:
    row = Row("r", "r", "u", lambda _: 0.0, goal=2, more_is_better=more_is_better)
    assert Line(row, Figures((10.0,)), Figures((crockery,))).verdict() == verdict


def test_page_keeps_what_stands_around_the_table(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    begin, end = BEGIN.format("one"), END.format("one")
    page.write_text(f"before\n{begin}\nold\n{end}\nafter\n")
    write_page(page, "one", "new")
    kept = f"before\n{begin}\nnew\n{end}\nafter\n"
    assert page.read_text() == kept
    write_page(page, "other", "added")
    assert page.read_text() == f"{kept}\n{BEGIN.format('other')}\nadded\n{END.format('other')}\n"


def test_numbers_and_names() -> None:
    assert [number(v) for v in (0.04567, 5.5, 99.44, 123456.7)] == ["0.0457", "5.5", "99.4", "123,457"]
    assert len({row.name for row in ROWS}) == len(ROWS)
