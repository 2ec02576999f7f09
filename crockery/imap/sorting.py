"""What SORT and THREAD compare, as columns of numbers (RFC 5256, RFC 5957), so that sorting is vector work.

For each mailbox that is sorted, a column a key: one number for each message, by UID, as UIDs rise and never come again.
Text is folded (i;unicode-casemap, RFC 5051) and stands as its rank among all texts of the column. A column is read
once, from what the structure file has, and then follows the mailbox: new messages are added, expunged ones dropped.
Invariant: a column holds every message up to its last UID that was there when it was added.
"""

import bisect
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import trio

from crockery import limits
from crockery.imap.messages import Messages
from crockery.imap.output import Output
from crockery.imap.selected import NO_UIDS, Uids
from crockery.imap.wire.sort import Criterion
from crockery.projections.mailboxes import Mailbox
from crockery.projections.structure_order import NUMBERS, REFERENCES, TEXTS, UNDATED, Chosen, Numbers


class Column(Protocol):
    """The values of one key."""

    def add(self, values: Any) -> None:
        """Add values of messages at the end, as `Chosen.values` has them."""

    def keep(self, mask: npt.NDArray[np.bool_]) -> None:
        """Drop the values that are False in the mask."""

    async def settle(self) -> None:
        """Make `numbers` ready."""

    @property
    def numbers(self) -> Numbers:
        """A number a message, to compare; of a ragged column as many as each has, joined."""


class NumberColumn:
    """Dates, ids, truth."""

    def __init__(self) -> None:
        self.numbers: Numbers = np.empty(0, dtype=np.int64)

    def add(self, values: Any) -> None:
        self.numbers = np.concatenate((self.numbers, values))

    def keep(self, mask: npt.NDArray[np.bool_]) -> None:
        self.numbers = self.numbers[mask]

    async def settle(self) -> None:
        pass


class ListColumn:
    """Several numbers a message: `counts` tells how many."""

    def __init__(self) -> None:
        self.numbers: Numbers = np.empty(0, dtype=np.int64)
        self.counts: Numbers = np.empty(0, dtype=np.int64)

    def add(self, values: Any) -> None:
        counts, numbers = values
        self.numbers = np.concatenate((self.numbers, numbers))
        self.counts = np.concatenate((self.counts, counts))

    def keep(self, mask: npt.NDArray[np.bool_]) -> None:
        self.numbers = self.numbers[np.repeat(mask, self.counts)]
        self.counts = self.counts[mask]

    async def settle(self) -> None:
        pass


class TextColumn:
    """Texts as ranks: 0 is the empty text."""

    def __init__(self) -> None:
        self.numbers: Numbers = np.empty(0, dtype=np.int64)
        self.texts: list[str] = [""]
        self._waiting: list[str] = []

    def add(self, values: Any) -> None:
        self._waiting.extend(values)

    def keep(self, mask: npt.NDArray[np.bool_]) -> None:
        settled = len(self.numbers)
        self.numbers = self.numbers[mask[:settled]]
        self._waiting = [text for text, kept in zip(self._waiting, mask[settled:].tolist(), strict=True) if kept]

    async def settle(self) -> None:
        """Give the texts that wait their ranks, many of them in a thread."""
        while self._waiting:
            numbers, waiting = self.numbers, self._waiting
            count = len(waiting)
            if count > limits.IMAP_SLICE:
                done = await trio.to_thread.run_sync(_rank, self.texts, numbers, waiting[:count])
            else:
                done = _rank(self.texts, numbers, waiting)
            if self.numbers is numbers and self._waiting is waiting:  # else somebody else was here meanwhile
                self.texts, self.numbers = done
                self._waiting = waiting[count:]


def _rank(texts: list[str], numbers: Numbers, waiting: list[str]) -> tuple[list[str], Numbers]:
    new = [text for text in set(waiting) if texts[bisect.bisect_left(texts, text) : bisect.bisect(texts, text)] == []]
    new = _sorted_by_parts(new)
    places = np.array([bisect.bisect_left(texts, text) for text in new], dtype=np.int64)
    merged = sorted(texts + new)  # two runs: one merge
    shifted = numbers + places.searchsorted(numbers, side="right")
    if len(waiting) > limits.IMAP_SLICE:
        ranks = {text: rank for rank, text in enumerate(merged)}
        added = [ranks[text] for text in waiting]
    else:
        added = [bisect.bisect_left(merged, text) for text in waiting]
    return merged, np.concatenate((shifted, np.array(added, dtype=np.int64)))


def _sorted_by_parts(texts: list[str]) -> list[str]:
    """As `sorted`, in steps of a few milliseconds: one step lets no other thread run."""
    parts: list[str] = []
    for start in range(0, len(texts), limits.IMAP_SLICE * 5):
        parts.extend(sorted(texts[start : start + limits.IMAP_SLICE * 5]))
    return sorted(parts)


KINDS: Final[dict[str, Callable[[], Column]]] = {
    **dict.fromkeys(NUMBERS, NumberColumn),
    **dict.fromkeys(TEXTS, TextColumn),
    REFERENCES: ListColumn,
}
"""The kind of each column that is read from the structure file."""


class Answer(NamedTuple):
    """A response to THREAD, and of which messages it speaks by which numbers."""

    uids: Uids
    numbers: npt.NDArray[Any]
    response: bytes


class Keys:
    """The columns of one mailbox."""

    def __init__(self, mailbox: Mailbox) -> None:
        self.mailbox = mailbox
        self.columns: dict[str, Column] = {}
        self.threads: dict[str, Answer] = {}
        """By algorithm, what was answered last."""
        self._uids: dict[str, Uids] = {}

    def __len__(self) -> int:
        return max((len(uids) for uids in self._uids.values()), default=0)

    async def load(self, names: Iterable[str], messages: Messages, out: Output) -> None:
        """Have these columns hold every message of now. Others get turns meanwhile."""
        names = [name for name in names if name in KINDS]
        for name in names:
            if name not in self.columns:
                self.columns[name], self._uids[name] = KINDS[name](), NO_UIDS
        while missing := self._missing(names, limits.IMAP_SLICE_ORDERED):
            places = _places(self.mailbox.columns.uid, max(missing.values(), key=len))
            if not messages.have_rows(self.mailbox.columns.number[places]):
                missing = self._missing(names, limits.IMAP_SLICE_MADE)
            await self._read(missing, messages, out)
            await out.pause()
        for name in names:
            self._drop_gone(name)
            await self.columns[name].settle()
            await out.pause()

    def has(self, name: str) -> bool:
        """Whether the column was loaded, so that little is missing."""
        return name in self.columns

    async def read(self, name: str, uids: Uids, messages: Messages, out: Output) -> list[int]:
        """The numbers of a NumberColumn for a few messages, read for this once."""
        found: list[int] = []
        for start in range(0, len(uids), limits.IMAP_SLICE_MADE):
            for chosen in await self._open(uids[start : start + limits.IMAP_SLICE_MADE], messages, out):
                found += chosen.values(name).tolist()  # type: ignore[union-attr]
            await out.pause()
        return found

    def values(self, name: str, uids: Uids) -> Numbers:
        """The numbers of a loaded column for these messages, in any order; those that it lacks are as the first."""
        mailbox = self.mailbox
        if name in ("ARRIVAL", "SIZE"):
            column = mailbox.columns.date if name == "ARRIVAL" else mailbox.columns.size.astype(np.int64)
            return column[_places(mailbox.columns.uid, uids)]
        numbers = self.columns[name].numbers[_places(self._uids[name], uids)]
        if name == "DATE":
            undated = numbers == UNDATED
            if undated.any():
                numbers[undated] = mailbox.columns.date[_places(mailbox.columns.uid, uids[undated])]
        return numbers

    def lists(self, name: str, uids: Uids) -> tuple[Numbers, Numbers]:
        """The numbers of a ListColumn for these ascending messages: all joined, and where each one's end."""
        column = self.columns[name]
        assert isinstance(column, ListColumn)
        chosen = np.zeros(len(column.counts), dtype=bool)
        chosen[_places(self._uids[name], uids)] = True
        return column.numbers[np.repeat(chosen, column.counts)], np.cumsum(column.counts[chosen])

    def order(self, criteria: Sequence[Criterion], uids: Uids) -> Numbers:
        """How to put these messages in order: their places, by the criteria, then as they are."""
        keys = []
        for criterion in reversed(criteria):
            numbers = self.values(criterion.key, uids)
            keys.append(-numbers if criterion.reverse else numbers)
        order: Numbers = keys[0].argsort(kind="stable") if len(keys) == 1 else np.lexsort(keys)
        return order

    def _missing(self, names: Iterable[str], step: int) -> dict[str, Uids]:
        """What columns lack, up to `step` messages from the first message that any lacks."""
        current = self.mailbox.columns.uid
        lacking = {name: current[current.searchsorted(self._last(name), side="right") :] for name in names}
        starts = [int(uids[0]) for uids in lacking.values() if len(uids)]
        if not starts:
            return {}
        start = int(current.searchsorted(min(starts)))
        stop = current[start : start + step][-1]
        found = {name: uids[: uids.searchsorted(stop, side="right")] for name, uids in lacking.items()}
        return {name: uids for name, uids in found.items() if len(uids)}

    def _last(self, name: str) -> int:
        uids = self._uids[name]
        return int(uids[-1]) if len(uids) else 0

    async def _read(self, missing: dict[str, Uids], messages: Messages, out: Output) -> None:
        uids = max(missing.values(), key=len)
        found = await self._open(uids, messages, out)
        for name, wanted in missing.items():
            # Another session may have added some of them while this one waited.
            fresh = wanted[wanted > self._last(name)]
            for chosen in _without(found, len(uids) - len(fresh)):
                self.columns[name].add(chosen.values(name))
            self._uids[name] = np.concatenate((self._uids[name], fresh))

    async def _open(self, uids: Uids, messages: Messages, out: Output) -> list[Chosen]:
        """What is compared of these messages."""
        columns = self.mailbox.columns
        rows = _places(columns.uid, uids)
        return await messages.orders(columns.number[rows].tolist(), columns.size[rows].tolist(), out)

    def _drop_gone(self, name: str) -> None:
        uids, current = self._uids[name], self.mailbox.columns.uid
        if len(uids) == len(current) or not len(uids):
            return
        mask = np.isin(uids, current, assume_unique=True)
        self.columns[name].keep(mask)
        self._uids[name] = uids[mask]


def _without(found: list[Chosen], count: int) -> Iterator[Chosen]:
    """All but the first `count` messages."""
    for chosen in found:
        rest = chosen.places[count:]
        count = max(count - len(chosen.places), 0)
        if len(rest):
            yield Chosen(chosen.orders, rest)


def _places(column: Uids, uids: Uids) -> Numbers:
    """Where the UIDs stand in a sorted column; for one that has gone, somewhere in it."""
    return np.minimum(column.searchsorted(uids), max(len(column) - 1, 0))


class SortKeys:
    """The columns of all mailboxes that were sorted lately; one for all sessions."""

    def __init__(self) -> None:
        self._mailboxes: OrderedDict[int, Keys] = OrderedDict()

    def of(self, mailbox: Mailbox) -> Keys:
        """The columns of a mailbox; those that nobody used for longest are forgotten when there are too many."""
        keys = self._mailboxes.get(mailbox.id)
        if keys is None or keys.mailbox is not mailbox:
            keys = self._mailboxes[mailbox.id] = Keys(mailbox)
        self._mailboxes.move_to_end(mailbox.id)
        while len(self._mailboxes) > 1 and sum(map(len, self._mailboxes.values())) > limits.IMAP_SORT_KEYS_KEPT:
            self._mailboxes.popitem(last=False)
        return keys
