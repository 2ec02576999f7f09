"""When rows are made: what happened when, and whether it is time then."""

import pytest

from crockery.followers.timing import Backlog, Timing
from crockery.limits import ROWS_AGE, ROWS_MANY, ROWS_QUIET, ROWS_SOME

FEW, SOME = ROWS_SOME - 1, ROWS_SOME
MOMENT = ROWS_QUIET / 2


@pytest.mark.parametrize(
    ("rows", "last_news", "now", "is_time"),
    [
        pytest.param(FEW, 0, ROWS_QUIET, False, id="few wait for more"),
        pytest.param(FEW, 0, ROWS_AGE, True, id="but not for ever"),
        pytest.param(FEW, ROWS_AGE - MOMENT, ROWS_AGE, True, id="even if more come all the time"),
        pytest.param(SOME, 0, MOMENT, False, id="more may be on their way"),
        pytest.param(SOME, 0, ROWS_QUIET, True, id="no more came"),
        pytest.param(SOME, 5 * ROWS_QUIET, 5 * ROWS_QUIET + MOMENT, False, id="mail pours in"),
        pytest.param(ROWS_MANY, 5 * ROWS_QUIET, 5 * ROWS_QUIET + MOMENT, True, id="and pours"),
    ],
)
def test_mail_comes(rows: int, last_news: float, now: float, *, is_time: bool) -> None:
    timing = Timing(0)
    timing.news(0, Backlog(0, 0, 7, has_worker=False))
    timing.news(last_news, Backlog(1, 0, 7, has_worker=False))
    assert timing.is_time(now, Backlog(rows, 0, 7, has_worker=False)) is is_time


@pytest.mark.parametrize(
    ("rows", "blocks", "missed", "has_worker", "at_once", "when_quiet"),
    [
        pytest.param(SOME, 0, 8, False, True, True, id="somebody asks for them"),
        pytest.param(FEW, 0, 8, False, False, False, id="somebody asks for few"),
        pytest.param(FEW, 0, 7, True, False, True, id="the worker runs anyway"),
        pytest.param(0, 1, 7, False, False, True, id="something is to be erased"),
    ],
)
def test_what_hastens_it(
    rows: int, blocks: int, missed: int, *, has_worker: bool, at_once: bool, when_quiet: bool
) -> None:
    timing = Timing(0)
    timing.news(0, Backlog(0, 0, 7, has_worker=False))
    backlog = Backlog(rows, blocks, missed, has_worker=has_worker)
    assert timing.is_time(MOMENT, backlog) is at_once
    assert timing.is_time(ROWS_QUIET, backlog) is when_quiet


def test_waiting_begins_anew_when_all_are_made() -> None:
    timing = Timing(0)
    timing.news(ROWS_AGE, Backlog(0, 0, 0, has_worker=False))
    assert not timing.is_time(ROWS_AGE + ROWS_QUIET, Backlog(FEW, 0, 0, has_worker=False))


def test_what_a_start_finds() -> None:
    timing = Timing(100)
    assert not timing.is_time(100 + ROWS_QUIET, Backlog(FEW, 0, 0, has_worker=False))
    assert timing.is_time(100 + ROWS_QUIET, Backlog(SOME, 0, 0, has_worker=False))
