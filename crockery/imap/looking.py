"""Looking for words in many messages at once: in the derived file `text`, block by block, and where a message has no
row there yet, in the message itself. Every answer is exact; others get turns all the while.
"""

from collections.abc import Iterable, Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt
import trio

from crockery import limits
from crockery.imap.messages import Messages
from crockery.imap.output import Output
from crockery.imap.progress import Progress
from crockery.message.headers import header_length
from crockery.message.searched import Searched, is_quick, searched, searched_header
from crockery.projections.structure import KEPT_FIELDS, HeaderFields
from crockery.projections.text import Question, Rows, rows_of

Mask = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.uint64]


class Looking:
    """What one search looks for, in messages that are given by ascending number and by size."""

    def __init__(self, messages: Messages, out: Output, progress: Progress | None) -> None:
        self._messages = messages
        self._out = out
        self._progress = progress

    async def find(self, questions: Sequence[Question], numbers: Numbers, sizes: npt.NDArray[np.uint32]) -> Mask:
        """Which of the messages fit any of the questions."""
        hit, known = np.zeros(len(numbers), dtype=bool), np.ones(len(numbers), dtype=bool)
        for question in questions:
            at = np.flatnonzero(~hit)
            found, seen = await self._scan(question, numbers[at])
            hit[at] = found
            known[at] &= seen
        unknown = np.flatnonzero(~(hit | known))
        step = limits.IMAP_SLICE_KEPT if self._messages.have_rows(numbers[unknown]) else limits.IMAP_SLICE_MADE
        for start in range(0, len(unknown), step):
            some = unknown[start : start + step]
            if self._progress is not None:
                await self._progress.tell(start, len(unknown))
            hit[some] = await self._read(questions, numbers[some].tolist(), sizes[some].tolist())
        return hit

    async def _scan(self, question: Question, numbers: Numbers) -> tuple[Mask, Mask]:
        """In which it is, and which have a row that tells."""
        texts = self._messages.searchable
        hit, known = np.zeros(len(numbers), dtype=bool), np.zeros(len(numbers), dtype=bool)
        for run in list(texts.runs(question, numbers)):
            if texts.octets(question, run) > limits.TEXT_THREAD:
                seen = await trio.to_thread.run_sync(texts.scan, question, run)
            else:
                seen = texts.scan(question, run)
            part = slice(run.start, run.stop)
            known[part] = _in_sorted(seen.rows, numbers[part])
            if len(seen.hits):
                hit[part] = _in_sorted(seen.hits, numbers[part])
            await self._out.pause()
        return hit, known

    async def _read(self, questions: Sequence[Question], numbers: list[int], sizes: list[int]) -> list[bool]:
        """Which of a few messages fit, told by themselves."""
        small = [(number, size) for number, size in zip(numbers, sizes, strict=True) if size <= limits.TEXT_LIGHT]
        headers: dict[int, bytes | None] = {}
        if small and any(question.field is not None for question in questions):
            light, ask = [number for number, _ in small], HeaderFields(KEPT_FIELDS)
            lacking = np.flatnonzero(~self._messages.known(light, [ask])).tolist()
            await self._messages.make_rows([light[at] for at in lacking], [small[at][1] for at in lacking], self._out)
            headers = dict(zip(light, self._messages.texts(light, ask), strict=True))
        opened = [_Opened(self._messages, number, headers.get(number)) for number in numbers]
        foreign: list[int] = []  # whose charsets may have to be guessed: that takes long
        fits = [False] * len(opened)
        for at, (one, size) in enumerate(zip(opened, sizes, strict=True)):
            if size > limits.TEXT_LIGHT:
                (fits[at],) = await self._in_thread(questions, [one], size)
            elif not one.is_quick(questions):
                foreign.append(at)
            else:
                fits[at] = one.fits_any(questions)
            await self._out.pause()
        if foreign:
            told = await self._in_thread(questions, [opened[at] for at in foreign], sum(sizes[at] for at in foreign))
            for at, fit in zip(foreign, told, strict=True):
                fits[at] = fit
        return fits

    async def _in_thread(self, questions: Sequence[Question], opened: Sequence["_Opened"], octets: int) -> list[bool]:
        async with self._messages.holding(octets):
            return await trio.to_thread.run_sync(lambda: [one.fits_any(questions) for one in opened])


class _Opened:
    """One message, read as far as the questions need."""

    def __init__(self, messages: Messages, number: int, header: bytes | None) -> None:
        """`header`: its KEPT_FIELDS, where they are at hand."""
        self.number = number
        self._messages = messages
        self._header = header

    @cached_property
    def data(self) -> bytes:
        return self._messages.read(self.number)

    @cached_property
    def _rows(self) -> Rows:
        return rows_of(searched(self.data))

    @cached_property
    def _header_rows(self) -> Rows:
        return rows_of(Searched(searched_header(self.data, 0, header_length(self.data)), b""))

    def is_quick(self, questions: Iterable[Question]) -> bool:
        """Whether telling takes a millisecond or two."""
        if self._header is not None and all(question.field is not None for question in questions):
            return is_quick(self._header)
        return is_quick(self.data)

    def fits_any(self, questions: Iterable[Question]) -> bool:
        return any(map(self._fits, questions))

    def _fits(self, question: Question) -> bool:
        if question.of_body:
            return question.fits(self._rows)
        if question.field is None:
            return question.fits(self._header_rows)
        return question.fits_field(self.data if self._header is None else self._header)


def _in_sorted(column: Numbers, wanted: Numbers) -> Mask:
    if not len(column):
        return np.zeros(len(wanted), dtype=bool)
    found: Mask = column[np.minimum(column.searchsorted(wanted), len(column) - 1)] == wanted
    return found
