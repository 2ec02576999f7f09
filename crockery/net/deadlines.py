"""Deadlines of waits on peers, for next to nothing: one task looks once a second who has waited too long.

A cancel scope for each wait costs as much as the wait; here it is an entry in a dict. Invariant: whoever waits longer
than its time is told so, at most `DEADLINE_STEP` late; while nobody waits, nothing runs.
"""

from collections.abc import Hashable
from typing import Final, Protocol

import trio

from crockery.limits import DEADLINE_STEP


class Waiting(Hashable, Protocol):
    """Something that waits, once at a time."""

    def overdue(self) -> None:
        """End the wait: its time is over."""


class Deadlines:
    """Who waits, and until when. One serves all waits of a Trio run: see `deadlines`."""

    __slots__ = ("_due", "_is_watched")

    def __init__(self) -> None:
        self._due: dict[Waiting, float] = {}
        self._is_watched = False

    def begin(self, waiting: Waiting, timeout: float) -> None:
        """It waits from now on, for `timeout` seconds at most."""
        self._due[waiting] = trio.current_time() + timeout
        if not self._is_watched:
            self._is_watched = True
            trio.lowlevel.spawn_system_task(self._watch)

    def end(self, waiting: Waiting) -> None:
        """It waits no more."""
        self._due.pop(waiting, None)

    async def _watch(self) -> None:
        try:
            while self._due:
                await trio.sleep(DEADLINE_STEP)
                now = trio.current_time()
                for waiting in [waiting for waiting, due in self._due.items() if due <= now]:
                    del self._due[waiting]
                    waiting.overdue()
        finally:
            self._is_watched = False


_OF_THIS_RUN: Final = trio.lowlevel.RunVar[Deadlines]("deadlines")


def deadlines() -> Deadlines:
    """Those of the Trio run that this is called in."""
    try:
        return _OF_THIS_RUN.get()
    except LookupError:
        made = Deadlines()
        _OF_THIS_RUN.set(made)
        return made
