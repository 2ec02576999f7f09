"""What a mailbox has lost: which UIDs are gone, and since which event. VANISHED (EARLIER) of RFC 7162 reads it.

Sixteen octets for each range of UIDs that one event took out, for ever: a client that was away for years is told
exactly what went. The ranges are disjoint, since no UID comes twice.
"""

from array import array
from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]


class Vanished:
    """Ranges of UIDs in the order in which they went."""

    __slots__ = ("_highs", "_lows", "_sequences")

    def __init__(self) -> None:
        self._lows = array("I")
        self._highs = array("I")
        self._sequences = array("Q")

    def __len__(self) -> int:
        return len(self._lows)

    def add(self, sequence: int, ranges: Sequence[int]) -> None:
        """Event `sequence` took these out: flat ranges, low and high in turn. Events come in order."""
        self._lows.extend(ranges[::2])
        self._highs.extend(ranges[1::2])
        self._sequences.extend([sequence] * (len(ranges) // 2))

    def since(self, sequence: int) -> IntArray:
        """The UIDs that went after event `sequence`: rows of (low, high), ascending, that do not touch each other."""
        start = bisect_right(self._sequences, sequence)
        lows = np.array(self._lows[start:], dtype=np.int64)
        highs = np.array(self._highs[start:], dtype=np.int64)
        if not len(lows):
            return np.empty((0, 2), dtype=np.int64)
        order = np.argsort(lows, kind="stable")
        lows, highs = lows[order], highs[order]
        begins = np.concatenate(([True], lows[1:] != highs[:-1] + 1))
        ends = np.concatenate((begins[1:], [True]))
        return np.column_stack((lows[begins], highs[ends]))

    def dump(self) -> list[bytes]:
        """Plain values for a snapshot."""
        return [self._lows.tobytes(), self._highs.tobytes(), self._sequences.tobytes()]

    def load(self, dumped: Any) -> None:
        """Become what was dumped."""
        self.__init__()  # type: ignore[misc]
        for column, octets in zip((self._lows, self._highs, self._sequences), dumped, strict=True):
            column.frombytes(octets)
