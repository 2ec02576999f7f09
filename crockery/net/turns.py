"""Turns of the event loop that do not get long: who has more to do than an answer asks for its turn.

Trio runs all tasks that can run, then looks at the sockets again. Ten mails that end at the same moment are some
milliseconds of work, and a NOOP that comes meanwhile would wait for all of them. Invariant: work done after `turn` is
begun within `LOOP_TURN` of the loop's last look at the sockets, unless the loop was overfull ten times running.
"""

from time import perf_counter
from typing import Final

import trio

from crockery.limits import LOOP_TURN

_PATIENCE: Final = 10
"""Turns that somebody lets pass at most."""


class _Clock(trio.abc.Instrument):
    """When the present turn began."""

    def __init__(self) -> None:
        self.began = perf_counter()

    def after_io_wait(self, timeout: float) -> None:
        self.began = perf_counter()


_OF_THIS_RUN: Final = trio.lowlevel.RunVar[_Clock]("turns")


async def turn() -> None:
    """Return at once if this turn of the loop is young, else in one that is."""
    try:
        clock = _OF_THIS_RUN.get()
    except LookupError:
        clock = _Clock()
        _OF_THIS_RUN.set(clock)
        trio.lowlevel.add_instrument(clock)
    for _ in range(_PATIENCE):
        if perf_counter() - clock.began < LOOP_TURN:
            return
        await trio.lowlevel.checkpoint()
