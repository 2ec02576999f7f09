"""Looking for words in many messages at once, in the derived file `text`, block by block so that others get turns."""

from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import trio

from crockery import limits
from crockery.projections.text import Question, Texts

Mask = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.uint64]


class Looked(NamedTuple):
    """For each message: it is in there; this is known, since all that was asked has a row."""

    hit: Mask
    known: Mask


async def look(
    texts: Texts, questions: Sequence[Question], numbers: Numbers, turn: Callable[[], Awaitable[None]]
) -> Looked:
    """Which of the messages have something to say to any of the questions. `turn` is awaited between blocks."""
    distinct, places = numbers, None
    if len(numbers) > 1 and not (numbers[1:] > numbers[:-1]).all():
        distinct, places = np.unique(numbers, return_inverse=True)
    hit, known = np.zeros(len(distinct), dtype=bool), np.ones(len(distinct), dtype=bool)
    for question in questions:
        at = np.flatnonzero(~hit)
        found, seen = await _ask(texts, question, distinct[at], turn)
        hit[at] = found
        known[at] &= seen
    known |= hit
    return Looked(hit, known) if places is None else Looked(hit[places], known[places])


async def _ask(
    texts: Texts, question: Question, numbers: Numbers, turn: Callable[[], Awaitable[None]]
) -> tuple[Mask, Mask]:
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
        await turn()
    return hit, known


def _in_sorted(column: Numbers, wanted: Numbers) -> Mask:
    if not len(column):
        return np.zeros(len(wanted), dtype=bool)
    found: Mask = column[np.minimum(column.searchsorted(wanted), len(column) - 1)] == wanted
    return found
