"""Deadlines: kept to a second, for any number of waits, by one task that is not there while nobody waits."""

import trio

from crockery.limits import DEADLINE_STEP
from crockery.net.deadlines import deadlines


class _Waiting:
    def __init__(self) -> None:
        self.told: list[float] = []

    def overdue(self) -> None:
        self.told.append(trio.current_time())


async def test_each_is_told_once_and_in_time(autojump_clock: trio.testing.MockClock) -> None:
    waits = {timeout: _Waiting() for timeout in (0, 0.5, 7, 300)}
    for timeout, waiting in waits.items():
        deadlines().begin(waiting, timeout)
    await trio.sleep(1000)
    for timeout, waiting in waits.items():
        (told,) = waiting.told
        assert timeout <= told <= timeout + DEADLINE_STEP


async def test_who_is_done_is_not_told(autojump_clock: trio.testing.MockClock) -> None:
    done, late = _Waiting(), _Waiting()
    deadlines().begin(done, 3)
    deadlines().end(done)
    deadlines().end(done)
    await trio.sleep(10)  # the watch is over
    deadlines().begin(late, 3)
    await trio.sleep(10)
    assert not done.told
    assert len(late.told) == 1


def test_each_run_has_its_own() -> None:
    async def find() -> object:
        assert deadlines() is deadlines()
        return deadlines()

    assert trio.run(find) is not trio.run(find)
