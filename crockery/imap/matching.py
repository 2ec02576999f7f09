"""Which messages a SEARCH finds (RFC 9051 §6.4.4).

A tree of keys is answered for all messages at once: keys of columns first, then dates and words, which are asked only
of the messages that the others leave open. A message that another session expunges meanwhile may be found or not.
"""

from collections.abc import Sequence
from datetime import date
from typing import Final

import numpy as np
import numpy.typing as npt

from crockery.imap.looking import Looking, Mask
from crockery.imap.messages import Messages
from crockery.imap.output import Output
from crockery.imap.progress import Progress
from crockery.imap.recent import in_ranges
from crockery.imap.selected import Indices, Selected
from crockery.imap.sorting import Keys
from crockery.imap.wire.search import (
    Aged,
    And,
    Changed,
    Dated,
    HasFlag,
    HasHeader,
    HasId,
    HasText,
    InSet,
    Key,
    Not,
    Or,
    SavedDated,
    Sized,
)
from crockery.projections.structure_order import UNDATED
from crockery.projections.text import FIELDS, Question, in_field, in_text

DAY: Final = 86400
FEW: Final = 10  # times as many messages in the mailbox: their dates are read one by one, else all are, and kept
EPOCH: Final = date(1970, 1, 1).toordinal()


class Matching:
    """One search over one view."""

    def __init__(
        self,
        selected: Selected,
        messages: Messages,
        keys: Keys,
        out: Output,
        *,
        now: int,
        among: Indices | None = None,
    ) -> None:
        """`keys`: the mailbox's; `now`: Unix seconds, for ages; `among`: ascending indices, look at these only."""
        self._selected = selected
        self._messages = messages
        self._keys = keys
        self._out = out
        self._now = now
        self._indices, self._rows = selected.rows(np.arange(len(selected)) if among is None else among)
        self._uids = selected.uids[self._indices]
        self._words = selected.mailbox.columns.flags[self._rows]
        self._sizes = selected.mailbox.columns.size[self._rows]
        self._dates = selected.mailbox.columns.date[self._rows]
        self._numbers = selected.mailbox.columns.number[self._rows]
        # As of now, since rows are: others may expunge while this one reads.
        self._columns = {name: selected.mailbox.columns.column(name) for name in ("modseq", "saved", "thread")}
        self._looking = Looking(messages, out, None)

    async def search(self, key: Key, progress: Progress | None = None) -> Indices:
        """Ascending indices of the messages of the view that fit. Others get turns while it reads. Raises Refusal."""
        self._looking = Looking(self._messages, self._out, progress)
        chosen: Indices = self._indices[await self._fitting(key, np.ones(len(self._indices), dtype=bool))]
        return chosen

    async def _fitting(self, key: Key, asked: Mask) -> Mask:
        """Which of the messages that are asked about fit."""
        await self._out.pause()
        match key:
            case And(keys):
                return await self._fitting_all(keys, asked)
            case Or(keys):
                return await self._fitting_any(keys, asked)
            case Not(inner):
                return asked & ~await self._fitting(inner, asked)
            case HasHeader(name, value):
                return await self._telling(in_field(name, value), asked)
            case HasText(value=value, headers=headers) if value:
                return await self._telling(in_text(value, headers=headers), asked)
            case Dated(relation, day, True):
                return await self._sent(relation, day, asked)
        return asked & self._in_columns(key)

    async def _fitting_all(self, keys: Sequence[Key], asked: Mask) -> Mask:
        """Those that fit all: the cheap keys first, the others only of what these leave."""
        for key in sorted(keys, key=_cost):
            asked = await self._fitting(key, asked)
        return asked

    async def _fitting_any(self, keys: Sequence[Key], asked: Mask) -> Mask:
        fit = np.zeros(len(asked), dtype=bool)
        for key in sorted(keys, key=_cost):
            fit |= await self._fitting(key, asked & ~fit)
        return fit

    async def _telling(self, questions: Sequence[Question], asked: Mask) -> Mask:
        """Those that fit any of the questions, each message looked at once however often it is in the mailbox."""
        numbers, sizes = self._numbers[asked], self._sizes[asked]
        fit = np.zeros(len(asked), dtype=bool)
        if (numbers[1:] > numbers[:-1]).all():
            fit[asked] = await self._looking.find(questions, numbers, sizes)
        else:
            distinct, first, places = np.unique(numbers, return_index=True, return_inverse=True)
            fit[asked] = (await self._looking.find(questions, distinct, sizes[first]))[places]
        return fit

    async def _sent(self, relation: str, day: date, asked: Mask) -> Mask:
        days = np.full(len(asked), UNDATED)
        if self._keys.has("SENTDAY") or np.count_nonzero(asked) * FEW >= len(self._selected):
            await self._keys.load(("SENTDAY",), self._messages, self._out)
            days[asked] = self._keys.values("SENTDAY", self._uids[asked])
        else:
            days[asked] = await self._keys.read("SENTDAY", self._uids[asked], self._messages, self._out)
        fit: Mask = _compare(days, day.toordinal() - EPOCH, relation) & (days != UNDATED)
        return fit

    def _in_columns(self, key: Key) -> Mask:
        """Which messages fit, of a key that the columns answer."""
        match key:
            case HasText():  # the empty text is in every message
                return np.ones(len(self._indices), dtype=bool)
            case HasFlag(flag):
                return self._flagged(flag)
            case InSet(messages, uid):
                return np.isin(self._indices, self._selected.indices(messages, uid=uid), assume_unique=True)
            case Sized(size, larger):
                sizes = self._sizes
                return sizes > size if larger else sizes < size
            case Dated(relation, day):
                return _compare(self._dates // DAY, day.toordinal() - EPOCH, relation)
            case SavedDated(relation, day):
                saved = self._columns["saved"][self._rows].astype(np.int64)
                return _compare(saved // DAY, day.toordinal() - EPOCH, relation)
            case HasId(number, thread):
                same: Mask = (self._columns["thread"][self._rows] if thread else self._numbers) == number
                return same
            case Changed(since):
                changed: Mask = self._columns["modseq"][self._rows] >= since
                return changed
            case Aged(seconds, older):
                before: Mask = self._dates < self._now - seconds
                return before if older else ~before
        raise TypeError(f"not a key of columns: {key!r}")

    def _flagged(self, flag: str) -> Mask:
        if flag == "\\Recent":
            return in_ranges(self._uids, self._selected.recent)
        bit = self._selected.mailbox.flag_bits.get(flag.lower(), 0)
        flagged: Mask = (self._words & np.uint64(bit)) != 0
        return flagged


def _cost(key: Key) -> int:
    """What it takes to look for a key: columns 0, Date or a field of FIELDS 1, any field 2, bodies 3, headers too 4."""
    match key:
        case And(keys) | Or(keys):
            return max(map(_cost, keys), default=0)
        case Not(inner):
            return _cost(inner)
        case HasHeader(name):
            return 1 if name.upper() in FIELDS else 2
        case HasText(headers=headers):
            return 4 if headers else 3
        case Dated(sent=True):
            return 1
    return 0


def _compare(days: npt.NDArray[np.int64], day: int, relation: str) -> Mask:
    fits: Mask = days == day if relation == "on" else days < day if relation == "before" else days >= day
    return fits
