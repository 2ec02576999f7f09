"""When rows are made: what happened when, and whether it is time then."""

import pytest

from crockery.followers.timing import Timing
from crockery.limits import ROWS_AGE, ROWS_QUIET, ROWS_SOME

FEW = ROWS_SOME - 1


@pytest.mark.parametrize(
    ("waiting", "has_worker", "last_news", "now", "is_time"),
    [
        pytest.param(ROWS_SOME, False, 0, 0, True, id="some"),
        pytest.param(FEW, False, 0, ROWS_QUIET, False, id="few wait for more"),
        pytest.param(FEW, False, 0, ROWS_AGE, True, id="but not for ever"),
        pytest.param(FEW, False, ROWS_AGE, ROWS_AGE, True, id="even if more come all the time"),
        pytest.param(FEW, True, 0, 0, False, id="more may be on their way"),
        pytest.param(FEW, True, 0, ROWS_QUIET, True, id="the worker runs anyway"),
        pytest.param(0, True, 0, ROWS_AGE, False, id="none"),
    ],
)
def test_when(waiting: int, last_news: float, now: float, *, has_worker: bool, is_time: bool) -> None:
    timing = Timing(0)
    timing.news(0, 0)
    timing.news(last_news, 1)
    assert timing.is_time(now, waiting, has_worker=has_worker) is is_time


def test_waiting_begins_anew_when_all_are_made() -> None:
    timing = Timing(0)
    timing.news(ROWS_AGE, 0)
    assert not timing.is_time(ROWS_AGE + ROWS_QUIET, FEW, has_worker=False)


def test_what_a_start_finds() -> None:
    timing = Timing(100)
    assert not timing.is_time(100 + ROWS_QUIET, FEW, has_worker=False)
    assert timing.is_time(100, ROWS_SOME, has_worker=False)


def test_quiet() -> None:
    timing = Timing(0)
    timing.news(5, 3)
    assert not timing.is_quiet(5)
    assert timing.is_quiet(5 + ROWS_QUIET)
