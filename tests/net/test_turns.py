"""Much work at a time is spread over turns of the event loop, and sockets are looked at in between."""

from time import perf_counter

import trio

from crockery.limits import LOOP_TURN
from crockery.net.turns import turn


class _Looks(trio.abc.Instrument):
    def __init__(self) -> None:
        self.count = 0

    def after_io_wait(self, timeout: float) -> None:
        self.count += 1


async def test_work_is_spread() -> None:
    """Four that each take longer than a turn may: none is done in the turn of another."""
    looks = _Looks()
    done: list[int] = []

    async def work() -> None:
        await turn()
        done.append(looks.count)
        end = perf_counter() + 1.1 * LOOP_TURN
        while perf_counter() < end:
            pass

    async with trio.open_nursery() as nursery:
        trio.lowlevel.add_instrument(looks)
        for _ in range(4):
            nursery.start_soon(work)
    trio.lowlevel.remove_instrument(looks)
    assert len(done) == 4
    assert len(set(done)) == 4
