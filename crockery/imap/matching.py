"""Which messages a SEARCH finds (RFC 9051 §6.4.4).

Two passes. The first looks at the columns alone, at all messages at once, and finds for every key which messages fit
for sure and which may fit; keys that need the message itself leave all open. Only messages that are possible and not
sure are read in the second, each once, and the tree is then evaluated for that message alone.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt
import trio

from crockery import limits
from crockery.imap.messages import Messages
from crockery.imap.output import Output
from crockery.imap.progress import Progress
from crockery.imap.recent import in_ranges
from crockery.imap.selected import Indices, Selected
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
from crockery.message.headers import field_values
from crockery.message.structure import Part, parse_structure
from crockery.message.text import body_texts, fold, header_texts, message_texts
from crockery.projections.structure import KEPT_FIELDS, Kept

Mask = npt.NDArray[np.bool_]

DAY: Final = 86400
ENCODING_MARKS: Final = (b"BASE64", b"QUOTED-PRINTABLE", b"=?", b"\x1b")
CHARSET: Final = re.compile(rb'CHARSET="?(?:US-ASCII|UTF-8|ISO-8859-\d+|WINDOWS-125\d)\b')
EPOCH: Final = date(1970, 1, 1).toordinal()


@dataclass(frozen=True, slots=True)
class Found:
    """For every message of the view: fits for sure; may fit."""

    sure: Mask
    possible: Mask


class Matching:
    """One search over one view."""

    def __init__(
        self, selected: Selected, messages: Messages, out: Output, *, now: int, among: Indices | None = None
    ) -> None:
        """`now`: Unix seconds, for ages; `among`: look at these messages only, ascending indices into the view."""
        self._selected = selected
        self._messages = messages
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
        self._needles: dict[int, str] = {}
        self._needs_kept = False
        self._needs_text = False

    async def search(self, key: Key, progress: Progress | None = None) -> Indices:
        """Ascending indices of the messages of the view that fit. Others get turns while it reads."""
        found = await self._look(key)
        result = found.sure.copy()
        open_ones = np.flatnonzero(found.possible & ~found.sure)
        for start in range(0, len(open_ones), limits.IMAP_SLICE_KEPT):
            some = open_ones[start : start + limits.IMAP_SLICE_KEPT].tolist()
            if progress is not None:
                await progress.tell(start, len(open_ones))
            foreign: dict[int, _Opened] = {}  # 8-bit text, whose charset may have to be guessed: that takes long
            for at, kept in zip(some, self._kept(some), strict=True):
                opened = _Opened(self._messages, int(self._numbers[at]), kept)
                if self._sizes[at] > limits.IMAP_STREAMED_MIN:
                    result[at] = (await self._read_in_thread(key, {at: opened}))[0]
                elif self._needs_text and not opened.data.isascii():
                    foreign[at] = opened
                else:
                    result[at] = self._fits(key, at, opened)
                await self._out.pause()
            if foreign:
                result[list(foreign)] = await self._read_in_thread(key, foreign)
        chosen: Indices = self._indices[result]
        return chosen

    # First pass.

    async def _look(self, key: Key) -> Found:
        await self._out.pause()
        match key:
            case And(keys):
                found = await self._look_all(keys, every=True)
            case Or(keys):
                found = await self._look_all(keys, every=False)
            case Not(inner):
                inside = await self._look(inner)
                found = Found(~inside.possible, ~inside.sure)
            case HasHeader(value=value) | HasText(value=value):
                self._needles[id(key)] = fold(value)
                self._needs_kept |= isinstance(key, HasHeader)
                self._needs_text |= isinstance(key, HasText)
                found = self._nothing_known()
            case Dated(sent=True):
                self._needs_kept = True
                found = self._nothing_known()
            case _:
                mask = self._masks[id(key)] = self._in_columns(key)
                found = Found(mask, mask)
        return found

    async def _look_all(self, keys: Iterable[Key], *, every: bool) -> Found:
        sure = np.full(len(self._indices), every)
        possible = sure.copy()
        for key in keys:
            found = await self._look(key)
            if every:
                sure &= found.sure
                possible &= found.possible
            else:
                sure |= found.sure
                possible |= found.possible
        return Found(sure, possible)

    def _nothing_known(self) -> Found:
        count = len(self._indices)
        return Found(np.zeros(count, dtype=bool), np.ones(count, dtype=bool))

    def _in_columns(self, key: Key) -> Mask:
        """Which messages fit, of a key that the columns answer."""
        match key:
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

    def _kept(self, some: list[int]) -> Sequence[Kept | None]:
        """What the structure file has, of small messages: rows that it lacks are made at once."""
        if not self._needs_kept:
            return [None] * len(some)
        small = [at for at in some if self._sizes[at] <= limits.IMAP_STREAMED_MIN]
        kept = dict(zip(small, self._messages.kept(self._numbers[small].tolist()), strict=True))
        return [kept.get(at) for at in some]

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
            case HasHeader(name):
                return opened.has_header(name.encode("utf-8"), self._needles[id(key)])
            case HasText(headers=headers):
                return opened.has_text(self._needles[id(key)], headers)
            case Dated(relation, day, True):
                return opened.was_sent(relation, day)
        return bool(self._masks[id(key)][at])


class _Opened:
    """One message, read as far as the keys need."""

    def __init__(self, messages: Messages, number: int, kept: Kept | None) -> None:
        self._messages = messages
        self._number = number
        self._header = None if kept is None else kept.header

    @cached_property
    def data(self) -> bytes:
        return self._messages.read(self._number)

    @cached_property
    def _root(self) -> Part:
        return parse_structure(self.data)

    def has_header(self, name: bytes, needle: str) -> bool:
        kept = self._header if name.lower() in KEPT_FIELDS else None
        texts = header_texts(self.data if kept is None else kept, name)
        return any(needle in fold(text) for text in texts)

    def has_text(self, needle: str, headers: bool) -> bool:
        if surely_lacks(self.data, needle):
            return False
        texts = message_texts if headers else body_texts
        return any(needle in fold(text) for text in texts(self.data, self._root))

    def was_sent(self, relation: str, day: date) -> bool:
        header = self.data if self._header is None else self._header
        values = field_values(header, b"date")
        sent = parse_date(values[0]) if values else None
        return sent is not None and _compare_days(sent.day.toordinal(), day.toordinal(), relation)


def surely_lacks(data: bytes, needle: str) -> bool:
    """True if no decoding of `data` can bring the folded `needle` to light: most messages need no parsing for a SEARCH.

    False says nothing. A word that is plain ASCII shows as it is, unless something is encoded or in a charset that is
    not ASCII in its lower half; words with blanks are left out, as a header may be folded there.
    """
    if not (needle.isascii() and data.isascii()) or not needle.isprintable() or " " in needle:
        return False
    upper = data.upper()
    if needle.encode("ascii") in upper:
        return False
    for mark in ENCODING_MARKS:
        if mark in upper:
            return False
    charsets = upper.count(b"CHARSET")
    return not charsets or charsets == len(CHARSET.findall(upper))


def _compare(days: npt.NDArray[np.int64], day: int, relation: str) -> Mask:
    fits: Mask = days == day if relation == "on" else days < day if relation == "before" else days >= day
    return fits


def _compare_days(sent: int, day: int, relation: str) -> bool:
    if relation == "on":
        return sent == day
    return sent < day if relation == "before" else sent >= day
