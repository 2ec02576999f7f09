"""The messages of one mailbox as NumPy columns: 52 octets a message, ordered by UID.

Rows are appended into spare capacity and never change place, so that a view (a slice) taken earlier stays right; an
expunge makes new arrays. New rows are staged in a list and moved into the arrays when somebody looks.
"""

from bisect import bisect_left
from operator import attrgetter
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]
STAGED: Final = 1024
"""Rows that may be staged: one by one they take ten times the memory."""

DTYPE: Final = (
    ("uid", np.uint32),
    ("number", np.uint64),
    ("flags", np.uint64),
    ("modseq", np.uint64),
    ("size", np.uint32),
    ("date", np.int64),
    ("saved", np.uint32),
    ("thread", np.uint64),
)


class Row(NamedTuple):
    """One message in one mailbox."""

    uid: int
    number: int
    flags: int
    modseq: int
    size: int
    """Octets of prefix and body together: RFC822.SIZE."""
    date: int
    """Internal date, unix seconds."""
    saved: int
    """When it came into this mailbox, unix seconds (RFC 8514)."""
    thread: int = 0
    """Its conversation: the number of the first message of it (RFC 8474)."""


_uid: Final = attrgetter("uid")


class Columns:
    """Columns as in DTYPE: index i is message sequence number i + 1."""

    __slots__ = ("_arrays", "_length", "_staged")

    def __init__(self) -> None:
        self._arrays: dict[str, npt.NDArray[Any]] = {name: np.empty(0, dtype) for name, dtype in DTYPE}
        self._length = 0
        self._staged: list[Row] = []

    def __len__(self) -> int:
        return self._length + len(self._staged)

    def column(self, name: str) -> npt.NDArray[Any]:
        """One column, as long as there are messages. Do not write into it."""
        if self._staged:
            self._flush()
        return self._arrays[name][: self._length]

    @property
    def uid(self) -> npt.NDArray[np.uint32]:
        return self.column("uid")

    @property
    def number(self) -> npt.NDArray[np.uint64]:
        return self.column("number")

    @property
    def flags(self) -> npt.NDArray[np.uint64]:
        return self.column("flags")

    @property
    def modseq(self) -> npt.NDArray[np.uint64]:
        return self.column("modseq")

    @property
    def size(self) -> npt.NDArray[np.uint32]:
        return self.column("size")

    @property
    def date(self) -> npt.NDArray[np.int64]:
        return self.column("date")

    @property
    def saved(self) -> npt.NDArray[np.uint32]:
        return self.column("saved")

    @property
    def thread(self) -> npt.NDArray[np.uint64]:
        return self.column("thread")

    def append(self, row: Row) -> None:
        """Add a message whose UID is greater than all before it."""
        self._staged.append(row)
        if len(self._staged) >= STAGED:
            self._flush()

    def extend(self, columns: dict[str, npt.NDArray[Any]]) -> None:
        """Add many messages, as arrays by column name."""
        self._flush()
        added = len(columns["uid"])
        self._make_room(added)
        for name, array in self._arrays.items():
            array[self._length : self._length + added] = columns[name]
        self._length += added

    def find(self, uids: npt.NDArray[Any]) -> IntArray:
        """Indices of those of the sorted UIDs that are there."""
        mine = self.uid
        if not len(mine) or not len(uids):
            return np.empty(0, dtype=np.int64)
        at = np.searchsorted(mine, uids)
        at = at[at < len(mine)] if len(uids) == 0 or uids[-1] > mine[-1] else at
        found: IntArray = at[mine[at] == uids[: len(at)]].astype(np.int64)
        return found

    def set_flags(self, indices: IntArray, flags: npt.NDArray[np.uint64], modseq: int) -> None:
        """Give the messages at `indices` new flag words and a modseq."""
        self._flush()
        self._arrays["flags"][indices] = flags
        self._arrays["modseq"][indices] = modseq

    def change_flag(self, uid: int, mask: int, on: bool, modseq: int) -> bool:
        """Set or clear a flag of one message, if it is there; returns whether that changed anything.

        What flags do one by one, a replay does by the million: a new row is found without moving it into the arrays.
        """
        staged = self._staged
        if staged and uid >= staged[0].uid:
            at = bisect_left(staged, uid, key=_uid)
            if at == len(staged) or staged[at].uid != uid:
                return False
            row = staged[at]
            flags = row.flags | mask if on else row.flags & ~mask
            staged[at] = row._replace(flags=flags, modseq=modseq)
            return flags != row.flags
        uids = self._arrays["uid"][: self._length]
        at = int(uids.searchsorted(np.uint32(uid)))
        if at == self._length or uids[at] != uid:
            return False
        words = self._arrays["flags"]
        word = int(words[at])
        flags = word | mask if on else word & ~mask
        words[at] = flags
        self._arrays["modseq"][at] = modseq
        return flags != word

    def touch(self, modseq: int) -> None:
        """Every message has changed."""
        self._flush()
        self._arrays["modseq"][: self._length] = modseq

    def remove(self, indices: IntArray) -> None:
        """Take messages out. Views taken before keep showing them."""
        self._flush()
        keep = np.ones(self._length, dtype=bool)
        keep[indices] = False
        self._arrays = {name: array[: self._length][keep] for name, array in self._arrays.items()}
        self._length = len(self._arrays["uid"])

    def dump(self) -> dict[str, bytes]:
        """All columns as octets, for a snapshot."""
        return {name: self.column(name).tobytes() for name, _ in DTYPE}

    def load(self, dumped: dict[str, bytes]) -> None:
        """Replace the content with a dump."""
        self._arrays = {name: np.frombuffer(dumped[name], dtype).copy() for name, dtype in DTYPE}
        self._length = len(self._arrays["uid"])
        self._staged = []

    def _flush(self) -> None:
        staged, self._staged = self._staged, []
        if not staged:
            return
        added = len(staged)
        self._make_room(added)
        for (name, _), values in zip(DTYPE, zip(*staged, strict=True), strict=True):
            self._arrays[name][self._length : self._length + added] = values
        self._length += added

    def _make_room(self, added: int) -> None:
        needed = self._length + added
        if needed <= len(self._arrays["uid"]):
            return
        capacity = max(needed, 16, needed + needed // 8)
        for name, dtype in DTYPE:
            grown: npt.NDArray[Any] = np.empty(capacity, dtype)
            grown[: self._length] = self._arrays[name][: self._length]
            self._arrays[name] = grown
