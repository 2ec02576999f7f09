"""Where the records with bodies are: sequence number to file offset, eight octets each, and which are erased."""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from typing import Final

import numpy as np

_ERASED: Final = 1 << 31
"""Set in an entry's offset when its body was erased; so a run spans less than that."""
_DUMPED_ERASED: Final = 1 << 63
"""The same in a dump; no file is that long."""
_NUMBERS: Final = 1 << 32
_AT_ONCE: Final = 1 << 20
"""Entries of a dump looked at together."""


class Catalog:
    """A sorted map from sequence number to the offset of its record; only ever appended to.

    Entries are in runs, each within two GiB of the file, and count from where their run begins. Threads may look while
    one thread adds.
    """

    def __init__(self) -> None:
        self._numbers = array("I")
        self._offsets = array("I")
        # Of each run the index of its first entry, that one's offset and number.
        self._starts: list[int] = []
        self._base_offsets: list[int] = []
        self._base_numbers: list[int] = []

    def __len__(self) -> int:
        return len(self._numbers)

    def add(self, number: int, offset: int) -> None:
        """Note a record; numbers come in growing order."""
        begins = not self._starts
        if begins or number - self._base_numbers[-1] >= _NUMBERS or not 0 <= offset - self._base_offsets[-1] < _ERASED:
            self._begin_run(number, offset)
        self._offsets.append(offset - self._base_offsets[-1])
        self._numbers.append(number - self._base_numbers[-1])

    def find(self, number: int) -> int | None:
        """The offset of the record with this number, or None."""
        run, at = self._place(number)
        return None if at < 0 else self._base_offsets[run] + (self._offsets[at] & ~_ERASED)

    def find_kept(self, number: int) -> int | None:
        """As `find`; None too where the body is erased."""
        run, at = self._place(number)
        return None if at < 0 or self._offsets[at] & _ERASED else self._base_offsets[run] + self._offsets[at]

    def erase(self, numbers: Iterable[int]) -> None:
        """Note that the bodies of these records are erased."""
        for number in numbers:
            _, at = self._place(number)
            if at >= 0:
                self._offsets[at] |= _ERASED

    def is_erased(self, number: int) -> bool:
        """Whether the record's body was erased."""
        _, at = self._place(number)
        return at >= 0 and bool(self._offsets[at] & _ERASED)

    def dump(self) -> tuple[bytes, bytes]:
        """Numbers and offsets in eight octets each, for a snapshot."""
        lengths = np.diff([*self._starts, len(self)])
        # Copies: an array that somebody looks at cannot grow.
        numbers = np.array(self._numbers, np.uint64) + np.repeat(np.array(self._base_numbers, np.uint64), lengths)
        entries = np.array(self._offsets, np.uint64)
        offsets = (entries & np.uint64(_ERASED - 1)) + np.repeat(np.array(self._base_offsets, np.uint64), lengths)
        offsets[entries >= _ERASED] |= np.uint64(_DUMPED_ERASED)
        return numbers.tobytes(), offsets.tobytes()

    def load(self, numbers: bytes, offsets: bytes) -> None:
        """Replace the content with a dump."""
        self._numbers, self._offsets = array("I"), array("I")
        self._starts, self._base_offsets, self._base_numbers = [], [], []
        all_numbers, dumped = np.frombuffer(numbers, np.uint64), np.frombuffer(offsets, np.uint64)
        at = 0
        while at < len(dumped):
            some_numbers, some = all_numbers[at : at + _AT_ONCE], dumped[at : at + _AT_ONCE]
            some_offsets = some & np.uint64(_DUMPED_ERASED - 1)
            from_number, from_offset = some_numbers - some_numbers[0], some_offsets - some_offsets[0]
            fits = (from_number < _NUMBERS) & (from_offset < _ERASED)  # what is below the first wraps around
            stop = len(fits) if fits.all() else int(np.argmin(fits))
            entries = from_offset[:stop] | np.where(some[:stop] >= _DUMPED_ERASED, np.uint64(_ERASED), np.uint64(0))
            self._begin_run(int(some_numbers[0]), int(some_offsets[0]))
            self._offsets.frombytes(entries.astype(np.uint32).tobytes())
            self._numbers.frombytes(from_number[:stop].astype(np.uint32).tobytes())
            at += stop

    def _begin_run(self, number: int, offset: int) -> None:
        self._starts.append(len(self))
        self._base_offsets.append(offset)
        self._base_numbers.append(number)

    def _place(self, number: int) -> tuple[int, int]:
        """The run and the index of an entry; -1 where there is none."""
        run = bisect_right(self._base_numbers, number) - 1
        if run < 0:
            return run, -1
        end = self._starts[run + 1] if run + 1 < len(self._starts) else len(self)
        wanted = number - self._base_numbers[run]
        at = bisect_left(self._numbers, wanted, self._starts[run], end)
        return run, at if at < end and self._numbers[at] == wanted else -1
