"""Which messages a SEARCH finds (RFC 9051 §6.4.4).

Two passes. The first looks at all messages at once and finds for every key which fit for sure and which may fit: keys
of columns first, then words in the derived file `text`, asked only of the messages that the others leave open. Those
that are possible and not sure then, since they have no row there yet, are read in the second pass, each once, and the
tree is evaluated for that message alone.
"""

import contextlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt
import trio

from crockery import limits
from crockery.imap.looking import Mask, look
from crockery.imap.messages import Messages
from crockery.imap.output import Output
from crockery.imap.progress import Progress
from crockery.imap.recent import in_ranges
from crockery.imap.selected import Indices, Selected
from crockery.imap.sorting import UNDATED, Keys
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
from crockery.message.dates import parse_date
from crockery.message.headers import field_values, header_length
from crockery.message.searched import Searched, searched, searched_header
from crockery.projections.structure import Kept
from crockery.projections.text import FIELDS, Question, Rows, in_field, in_text, rows_of

DAY: Final = 86400
FEW: Final = 10  # times as many messages in the mailbox: their dates are read one by one, else all are, and kept
EPOCH: Final = date(1970, 1, 1).toordinal()


@dataclass(frozen=True, slots=True)
class Found:
    """For every message that was asked about: fits for sure; may fit."""

    sure: Mask
    possible: Mask


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
        self._masks: dict[int, Mask] = {}  # by the key's id
        self._questions: dict[int, list[Question]] = {}
        self._needs_kept = False
        self._needs_text = False
        self._progress: Progress | None = None

    async def search(self, key: Key, progress: Progress | None = None) -> Indices:
        """Ascending indices of the messages of the view that fit. Others get turns while it reads."""
        self._progress = progress
        found = await self._look(key, np.ones(len(self._indices), dtype=bool))
        result = found.sure.copy()
        open_ones = np.flatnonzero(found.possible & ~found.sure)
        for start in range(0, len(open_ones), limits.IMAP_SLICE_KEPT):
            some = open_ones[start : start + limits.IMAP_SLICE_KEPT].tolist()
            if progress is not None:
                await progress.tell(start, len(open_ones))
            kept = self._kept(some)
            read = {at: _Opened(self._messages, int(self._numbers[at]), kept.get(at)) for at in some}
            foreign: dict[int, _Opened] = {}  # 8-bit text, whose charset may have to be guessed: that takes long
            for at, opened in read.items():
                if self._sizes[at] > limits.IMAP_STREAMED_MIN:
                    result[at] = (await self._read_in_thread(key, {at: opened}))[0]
                elif self._needs_text and not opened.data.isascii():
                    foreign[at] = opened
                else:
                    result[at] = self._fits(key, at, opened)
                await self._out.pause()
            if foreign:
                result[list(foreign)] = await self._read_in_thread(key, foreign)
            self._keep_rows(read.values())
        chosen: Indices = self._indices[result]
        return chosen

    # First pass. `asked`: the messages whose answer matters; of others anything may be said.

    async def _look(self, key: Key, asked: Mask) -> Found:
        await self._out.pause()
        match key:
            case And(keys):
                found = await self._look_all(keys, asked, every=True)
            case Or(keys):
                found = await self._look_all(keys, asked, every=False)
            case Not(inner):
                inside = await self._look(inner, asked)
                found = Found(~inside.possible, ~inside.sure)
            case HasHeader(name, value):
                self._needs_kept |= name.upper() in FIELDS
                found = await self._look_for(key, in_field(name, value), asked)
            case HasText(value=value, headers=headers) if value:
                self._needs_text = True
                found = await self._look_for(key, in_text(value, headers=headers), asked)
            case Dated(relation, day, True):
                found = await self._look_at_dates(key, relation, day, asked)
            case _:
                mask = self._masks[id(key)] = self._in_columns(key)
                found = Found(mask, mask)
        return found

    async def _look_all(self, keys: Iterable[Key], asked: Mask, *, every: bool) -> Found:
        """All of the keys together, or any: the cheap ones first, the others only where that leaves a doubt."""
        sure = np.full(len(asked), every)
        possible = sure.copy()
        for key in sorted(keys, key=_cost):
            found = await self._look(key, asked & possible if every else asked & ~sure)
            if every:
                sure &= found.sure
                possible &= found.possible
            else:
                sure |= found.sure
                possible |= found.possible
        return Found(sure, possible)

    async def _look_for(self, key: Key, questions: list[Question], asked: Mask) -> Found:
        self._questions[id(key)] = questions
        sure, possible = np.zeros(len(asked), dtype=bool), np.ones(len(asked), dtype=bool)
        looked = await look(self._messages.searchable, questions, self._numbers[asked], self._turn)
        sure[asked] = looked.hit
        possible[asked] = looked.hit | ~looked.known
        return Found(sure, possible)

    async def _look_at_dates(self, key: Key, relation: str, day: date, asked: Mask) -> Found:
        if "SENTDAY" not in self._keys.columns and np.count_nonzero(asked) * FEW < len(self._selected):
            self._needs_kept = True
            return Found(np.zeros(len(asked), dtype=bool), np.ones(len(asked), dtype=bool))
        await self._keys.load(("SENTDAY",), self._messages, self._out)
        days = self._keys.values("SENTDAY", self._uids)
        mask = _compare(days, day.toordinal() - EPOCH, relation) & (days != UNDATED)
        self._masks[id(key)] = mask
        return Found(mask, mask)

    async def _turn(self) -> None:
        if self._progress is not None:
            await self._progress.tell(0, len(self._indices))
        await self._out.pause()

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

    # Second pass.

    def _kept(self, some: list[int]) -> dict[int, Kept]:
        """What the structure file has, of small messages: rows that it lacks are made at once."""
        if not self._needs_kept:
            return {}
        small = [at for at in some if self._sizes[at] <= limits.IMAP_STREAMED_MIN]
        return dict(zip(small, self._messages.kept(self._numbers[small].tolist()), strict=True))

    def _keep_rows(self, read: Iterable["_Opened"]) -> None:
        """What had to be read is kept where the text file comes to it next, as it does after an import."""
        with contextlib.suppress(OSError):  # the follower meets it too, and reports it
            for opened in read:
                if opened.made is not None:
                    self._messages.searchable.add(opened.number, opened.made)

    async def _read_in_thread(self, key: Key, some: Mapping[int, "_Opened"]) -> list[bool]:
        octets = int(self._sizes[list(some)].sum(dtype=np.int64))
        async with self._messages.holding(octets):
            return await trio.to_thread.run_sync(lambda: [self._fits(key, at, one) for at, one in some.items()])

    def _fits(self, key: Key, at: int, opened: "_Opened") -> bool:
        match key:
            case And(keys):
                return all(self._fits(one, at, opened) for one in keys)
            case Or(keys):
                return any(self._fits(one, at, opened) for one in keys)
            case Not(inner):
                return not self._fits(inner, at, opened)
            case HasHeader() | HasText() if id(key) in self._questions:
                return any(map(opened.answers, self._questions[id(key)]))
            case Dated(relation, day, True) if id(key) not in self._masks:
                return opened.was_sent(relation, day)
        return bool(self._masks[id(key)][at])


class _Opened:
    """One message, read as far as the keys need."""

    def __init__(self, messages: Messages, number: int, kept: Kept | None) -> None:
        self._messages = messages
        self.number = number
        self._kept = kept

    @cached_property
    def data(self) -> bytes:
        return self._messages.read(self.number)

    @cached_property
    def _rows(self) -> Rows:
        return rows_of(searched(self.data))

    @cached_property
    def _header(self) -> bytes:
        """With the fields that the structure file keeps at least."""
        header = None if self._kept is None else self._kept.header
        return self.data if header is None else header

    @cached_property
    def _header_rows(self) -> Rows:
        return rows_of(Searched(searched_header(self.data, 0, header_length(self.data)), b""))

    @property
    def made(self) -> Rows | None:
        """The rows of the message, if they had to be made."""
        rows: Rows | None = self.__dict__.get("_rows")
        return rows

    def answers(self, question: Question) -> bool:
        if question.of_body:
            return question.fits(self._rows)
        return question.fits(self._header_rows) if question.field is None else question.fits_field(self._header)

    def was_sent(self, relation: str, day: date) -> bool:
        values = field_values(self._header, b"date")
        sent = parse_date(values[0]) if values else None
        return sent is not None and _compare_days(sent.day.toordinal(), day.toordinal(), relation)


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


def _compare_days(sent: int, day: int, relation: str) -> bool:
    if relation == "on":
        return sent == day
    return sent < day if relation == "before" else sent >= day
