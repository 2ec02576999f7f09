"""How many mailboxes refer to a message beyond the first, for the messages of which it is more than one.

Sorted columns, twelve octets a message, and before them a dict of what changed one by one: a COPY of a hundred thousand
is a few vector operations, and one of a single message touches no column.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.uint64]

FEW: Final = 64
"""Messages up to which they are counted one by one."""
NEW: Final = 4096
"""Messages in the dict before it goes into the columns."""


class References:
    """References beyond the first, by message number."""

    def __init__(self) -> None:
        self._numbers: Numbers = np.empty(0, dtype=np.uint64)
        self._extra: npt.NDArray[np.uint32] = np.empty(0, dtype=np.uint32)
        self._new: dict[int, int] = {}
        """Counts newer than those of the columns; 0: none any more."""

    def add(self, numbers: Numbers) -> None:
        """One more reference to each."""
        self._change(numbers, 1)

    def drop(self, numbers: Numbers) -> None:
        """One reference less to each, as often as it comes; its last one does not count here."""
        if len(self._numbers) or self._new:
            self._change(numbers, -1)

    def orphans(self, numbers: Numbers) -> Numbers:
        """Those of the messages that nobody refers to when these references go (a number may come several times)."""
        if not len(self._numbers) and not self._new:
            return numbers
        distinct, times = np.unique(numbers, return_counts=True)
        if len(distinct) > FEW:
            self._merge()
            extra = self._column(distinct)
        else:
            extra = np.array([self._one(number) for number in distinct.tolist()], dtype=np.int64)
        orphans: Numbers = distinct[times > extra]
        return orphans

    def dump(self) -> Any:
        """The columns as octets, for a snapshot."""
        self._merge()
        return [self._numbers.tobytes(), self._extra.tobytes()]

    def load(self, dumped: Any) -> None:
        """Replace the content with a dump."""
        numbers, extra = dumped
        self._numbers = np.frombuffer(numbers, dtype=np.uint64)
        self._extra = np.frombuffer(extra, dtype=np.uint32)
        self._new = {}

    def _change(self, numbers: Numbers, by: int) -> None:
        if len(numbers) > FEW:
            self._merge()
            distinct, times = np.unique(numbers, return_counts=True)
            self._set(distinct, np.maximum(self._column(distinct) + by * times, 0))
            return
        for number in numbers.tolist():
            self._new[number] = max(self._one(number) + by, 0)
        if len(self._new) >= NEW:
            self._merge()

    def _one(self, number: int) -> int:
        extra = self._new.get(number)
        if extra is not None:
            return extra
        at = int(self._numbers.searchsorted(np.uint64(number)))
        return int(self._extra[at]) if at < len(self._numbers) and self._numbers[at] == number else 0

    def _column(self, distinct: Numbers) -> npt.NDArray[np.int64]:
        """The counts of messages in order of number; nothing waits in the dict."""
        extra = np.zeros(len(distinct), dtype=np.int64)
        if len(self._numbers):
            at = np.minimum(self._numbers.searchsorted(distinct), len(self._numbers) - 1)
            found = self._numbers[at] == distinct
            extra[found] = self._extra[at[found]]
        return extra

    def _set(self, distinct: Numbers, extra: npt.NDArray[np.int64]) -> None:
        """Give messages in order of number other counts."""
        if len(self._numbers):
            at = self._numbers.searchsorted(distinct)
            found = at < len(self._numbers)
            found[found] = self._numbers[at[found]] == distinct[found]
            keep = np.ones(len(self._numbers), dtype=bool)
            keep[at[found]] = False
            self._numbers, self._extra = self._numbers[keep], self._extra[keep]
        more = extra > 0
        numbers = np.concatenate((self._numbers, distinct[more]))
        order = np.argsort(numbers, kind="stable")
        self._numbers = numbers[order]
        self._extra = np.concatenate((self._extra, extra[more].astype(np.uint32)))[order]

    def _merge(self) -> None:
        if self._new:
            changed = sorted(self._new.items())
            self._new = {}
            numbers, extra = zip(*changed, strict=True)
            self._set(np.array(numbers, dtype=np.uint64), np.array(extra, dtype=np.int64))
