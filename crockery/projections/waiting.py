"""The messages that wait for a row of a follower, in order of number."""

from array import array
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt


class Waiting:
    """A queue of message numbers, eight octets each."""

    __slots__ = ("_done", "_numbers")

    def __init__(self) -> None:
        self._numbers = array("Q")
        self._done = 0  # how many of them wait no more

    def __len__(self) -> int:
        return len(self._numbers) - self._done

    def first(self, count: int) -> list[int]:
        """Up to `count` messages whose turn it is."""
        return self._numbers[self._done : self._done + count].tolist()

    def add(self, numbers: Iterable[int] | npt.NDArray[np.uint64]) -> None:
        """Note new messages, in order of number."""
        if isinstance(numbers, np.ndarray):
            self._numbers.frombytes(numbers.astype(np.uint64).tobytes())
        else:
            self._numbers.extend(numbers)

    def pop(self, count: int) -> None:
        """The `first` of them wait no more."""
        self._done += count
        if not self:
            self.clear()

    def clear(self) -> None:
        """Nothing waits."""
        self._numbers, self._done = array("Q"), 0
