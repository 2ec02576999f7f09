"""When rows are made: what happened when, and whether it is time then."""

import pytest

from crockery.followers.timing import Backlog, Timing
from crockery.limits import ROWS_AGE, ROWS_QUIET, ROWS_SOME

FEW = ROWS_SOME - 1


@pytest.mark.parametrize(
    ("backlog", "last_news", "now", "is_time"),
    [
        pytest.param(Backlog(ROWS_SOME, 0, has_worker=False), 0, 0, True, id="some"),
        pytest.param(Backlog(FEW, 0, has_worker=False), 0, ROWS_QUIET, False, id="few wait for more"),
        pytest.param(Backlog(FEW, 0, has_worker=False), 0, ROWS_AGE, True, id="but not for ever"),
        pytest.param(Backlog(FEW, 0, has_worker=False), ROWS_AGE, ROWS_AGE, True, id="even if more come all the time"),
        pytest.param(Backlog(FEW, 0, has_worker=True), 0, 0, False, id="more may be on their way"),
        pytest.param(Backlog(FEW, 0, has_worker=True), 0, ROWS_QUIET, True, id="the worker runs anyway"),
        pytest.param(Backlog(0, 1, has_worker=False), 0, ROWS_QUIET, True, id="something is to be erased"),
    ],
)
def test_when(backlog: Backlog, last_news: float, now: float, *, is_time: bool) -> None:
    timing = Timing(0)
    timing.news(0, Backlog(0, 0, has_worker=False))
    timing.news(last_news, Backlog(1, 0, has_worker=False))
    assert timing.is_time(now, backlog) is is_time


def test_waiting_begins_anew_when_all_are_made() -> None:
    timing = Timing(0)
    timing.news(ROWS_AGE, Backlog(0, 0, has_worker=False))
    assert not timing.is_time(ROWS_AGE + ROWS_QUIET, Backlog(FEW, 0, has_worker=False))


def test_what_a_start_finds() -> None:
    timing = Timing(100)
    assert not timing.is_time(100 + ROWS_QUIET, Backlog(FEW, 0, has_worker=False))
    assert timing.is_time(100, Backlog(ROWS_SOME, 0, has_worker=False))
