"""Numbers of messages by the time when something is to be done for them. Pure.

A hundred thousand may wait, so an entry is one integer, the time above the number: a pair would take three times the
memory.
"""

import heapq
from collections.abc import Container
from typing import Final

NEVER: Final = 1 << 62

_BITS: Final = 64  # of a number
_NUMBER: Final = (1 << _BITS) - 1


class Timetable:
    """A heap: adding and taking cost the logarithm of what is in it. A number may be in it more than once."""

    __slots__ = ("_entries",)

    def __init__(self) -> None:
        self._entries: list[int] = []

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def first(self) -> int:
        """The earliest time; NEVER if there is none."""
        return self._entries[0] >> _BITS if self._entries else NEVER

    def add(self, time: int, number: int) -> None:
        """Something is to be done for `number` at `time`: unix seconds."""
        heapq.heappush(self._entries, time << _BITS | number)

    def take(self, now: int) -> int | None:
        """The number whose time was first, if that has come."""
        if self.first > now:
            return None
        return heapq.heappop(self._entries) & _NUMBER

    def keep(self, numbers: Container[int]) -> None:
        """Forget all other numbers, and all times of a number but its first."""
        first: dict[int, int] = {}
        for entry in sorted(self._entries):
            number = entry & _NUMBER
            if number in numbers:
                first.setdefault(number, entry)
        self._entries = list(first.values())
