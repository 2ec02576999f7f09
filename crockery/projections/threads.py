"""Projection: which conversation a mail belongs to, by what it and those that it answers are called.

A key stands for one message id under one subject in one account (`message.conversation`, `actions.mail`); with each the
number of the conversation, which is that of its first message. The action that receives a mail looks its keys up and
writes what it found into the event, so that folding allots nothing.

Bounded: keys fill a generation, and the one before the last is forgotten, so a conversation that nobody wrote to
during the last half a million messages begins anew. Sixteen octets a key.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from crockery.limits import THREAD_KEYS

KeyArray = npt.NDArray[np.uint64]

NEW_KEYS: Final = 4096
"""Keys in a dict before they are sorted into the small arrays."""
SMALL_KEYS: Final = 32768
"""Keys in the small arrays before these are merged into the large ones."""


class _Sorted:
    """Keys in order, each with its conversation."""

    __slots__ = ("keys", "threads")

    def __init__(self) -> None:
        self.keys: KeyArray = np.empty(0, dtype=np.uint64)
        self.threads: KeyArray = np.empty(0, dtype=np.uint64)

    def merge(self, keys: KeyArray, threads: KeyArray) -> None:
        """Add newer ones; where a key comes twice, the newer is found."""
        joined = np.concatenate((keys, self.keys))
        order = np.argsort(joined, kind="stable")
        self.keys = joined[order]
        self.threads = np.concatenate((threads, self.threads))[order]

    def find(self, wanted: KeyArray) -> dict[int, int]:
        """Those that are there."""
        if not len(self.keys):
            return {}
        at = np.minimum(self.keys.searchsorted(wanted), len(self.keys) - 1)
        here = self.keys[at] == wanted
        return dict(zip(wanted[here].tolist(), self.threads[at[here]].tolist(), strict=True))


class _Generation:
    """Keys that came one after the other: the newest in a dict, the others sorted."""

    __slots__ = ("_large", "_new", "_small")

    def __init__(self) -> None:
        self._new: dict[int, int] = {}
        self._small = _Sorted()
        self._large = _Sorted()

    def __len__(self) -> int:
        return len(self._new) + len(self._small.keys) + len(self._large.keys)

    def add(self, key: int, thread: int) -> None:
        self._new[key] = thread
        if len(self._new) >= NEW_KEYS:
            keys = np.fromiter(self._new.keys(), dtype=np.uint64, count=len(self._new))
            threads = np.fromiter(self._new.values(), dtype=np.uint64, count=len(self._new))
            self._small.merge(keys, threads)
            self._new = {}
            if len(self._small.keys) >= SMALL_KEYS:
                self._large.merge(self._small.keys, self._small.threads)
                self._small = _Sorted()

    def find(self, keys: list[int], wanted: KeyArray) -> dict[int, int]:
        found = self._large.find(wanted) | self._small.find(wanted)
        return found | {key: self._new[key] for key in keys if key in self._new}

    def dump(self) -> Any:
        arrays = [[part.keys.tobytes(), part.threads.tobytes()] for part in (self._small, self._large)]
        return [list(self._new.items()), *arrays]

    def load(self, dumped: Any) -> None:
        new, *arrays = dumped
        self._new = dict(new)
        for part, (keys, threads) in zip((self._small, self._large), arrays, strict=True):
            part.keys = np.frombuffer(keys, dtype=np.uint64)
            part.threads = np.frombuffer(threads, dtype=np.uint64)


class Threads:
    """The conversations of late."""

    def __init__(self) -> None:
        self._older = _Generation()
        self._newer = _Generation()

    def find(self, keys: Iterable[int]) -> dict[int, int]:
        """Those of the keys that are known, with the numbers of their conversations."""
        wanted = list(keys)
        if not wanted:
            return {}
        column = np.array(wanted, dtype=np.uint64)
        return self._older.find(wanted, column) | self._newer.find(wanted, column)

    def dump(self) -> Any:
        return [self._older.dump(), self._newer.dump()]

    def load(self, dumped: Any) -> None:
        for generation, part in zip((self._older, self._newer), dumped, strict=True):
            generation.load(part)

    # Folding.

    def message_received(self, sequence: int, time: int, facts: Mapping[str, Any]) -> None:
        packed = facts.get("keys")
        if not packed:
            return
        thread = facts.get("thread", sequence)
        for key in np.frombuffer(packed, dtype="<u8").tolist():
            self._newer.add(key, thread)
        if len(self._newer) >= THREAD_KEYS:
            self._older, self._newer = self._newer, _Generation()
