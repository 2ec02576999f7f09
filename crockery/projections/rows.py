"""The rows of messages in the derived files `structure` and `text`, made together: one reading and one parse for both.

`RowFiles` has the files and what waits; it says what is wanted and takes what was made. `RowMaker` makes it, and may be
in a process of its own: it knows of the files only what it was told when it began. Pure of Trio.
"""

import logging
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from crockery.events.errors import BodyUnreadable
from crockery.limits import ROWS_ANSWER
from crockery.message.searched import searched
from crockery.message.structure import parse_structure
from crockery.projections import structure, text
from crockery.projections.gathering import Begun, Gathering
from crockery.projections.gathering import Made as OfFile
from crockery.projections.structure import Kept, Structures, kept_of
from crockery.projections.text import Texts, rows_of
from crockery.projections.text_file import Texts as TextRow
from crockery.projections.waiting import Waiting

logger: Final = logging.getLogger(__name__)


class AllBegun(NamedTuple):
    """Where the files are."""

    structure: Begun[Kept]
    texts: list[Begun[TextRow]]
    """By area."""


class Wanted(NamedTuple):
    """Messages that wait, in order of number, and in which files."""

    numbers: list[int]
    structure: bool
    text: bool


class Made(NamedTuple):
    """What came of the first messages that were wanted."""

    done: int
    """So many; those that cannot be read have no rows."""
    structure: OfFile[Kept]
    texts: list[OfFile[TextRow]]
    """By area."""


class RowMaker:
    """Makes rows, in order of number."""

    def __init__(self, begun: AllBegun, read_message: Callable[[int], bytes]) -> None:
        """`read_message` gives prefix and body joined, and raises BodyUnreadable."""
        self._structure = Gathering(structure.shape(), begun.structure)
        self._texts = [Gathering(shape, area) for shape, area in zip(text.shapes(), begun.texts, strict=True)]
        self._read_message = read_message

    def make(self, wanted: Wanted) -> Made:
        """Rows of the messages, or of the first of them when they come to much."""
        octets = done = 0
        while done < len(wanted.numbers) and octets < ROWS_ANSWER:
            number = wanted.numbers[done]
            done += 1
            try:
                octets += self._make(number, wanted)
            except BodyUnreadable:
                continue
            except Exception:
                logger.exception("no rows of message %d; this is a defect of Crockery", number)
        return Made(done, self._structure.take(), [area.take() for area in self._texts])

    def _make(self, number: int, wanted: Wanted) -> int:
        of_structure = wanted.structure and number > self._structure.last
        of_texts = [area for area in self._texts if wanted.text and number > area.last]
        if not (of_structure or of_texts):
            return 0
        data = self._read_message(number)
        root = parse_structure(data)
        octets = self._structure.add(number, kept_of(data, root)) if of_structure else 0
        if of_texts:
            rows = rows_of(searched(data, root))
            octets += sum(area.add(number, row) for area, row in zip(self._texts, rows, strict=True))
        return octets


class RowFiles:
    """Both files, and the messages that wait for their rows."""

    def __init__(self, structures: Structures, texts: Texts) -> None:
        self._structures = structures
        self._texts = texts
        self._waiting = (Waiting(), Waiting())
        self.losses = 0
        """How often rows were taken away, which a maker that began before does not know."""

    @property
    def begun(self) -> AllBegun:
        """Where a maker goes on."""
        return AllBegun(self._structures.begun, self._texts.begun)

    @property
    def waiting(self) -> int:
        """Rows that wait to be made."""
        return sum(map(len, self._waiting))

    @property
    def blocks_to_erase(self) -> int:
        """Blocks that wait for an erasure."""
        return self._structures.blocks_to_erase + self._texts.blocks_to_erase

    @property
    def backlog(self) -> int:
        """Both together."""
        return self.waiting + self.blocks_to_erase

    def resume(self, numbers: npt.NDArray[np.uint64]) -> None:
        """Of all messages there are, in order, those that have no row wait."""
        for waiting, last in zip(self._waiting, (self._structures.last, self._texts.last), strict=True):
            waiting.add(numbers[numbers > np.uint64(last)])

    def follow(self, numbers: Iterable[int] | npt.NDArray[np.uint64]) -> None:
        """Note new messages, in order of number."""
        for waiting in self._waiting:
            waiting.add(numbers)

    def next(self, count: int) -> Wanted | None:
        """Up to `count` messages whose turn it is: for both files at once, but `structure` is first where many wait."""
        of_structure, of_text = (waiting.first(count) for waiting in self._waiting)
        if of_structure and (len(self._waiting[0]) > count or of_structure != of_text):
            return Wanted(of_structure, True, False)
        return Wanted(of_text, bool(of_structure), True) if of_text else None

    def add(self, wanted: Wanted, made: Made) -> None:
        """Keep what was made of what was `next`. Raises OSError."""
        self._structures.take(made.structure)
        self._texts.take(made.texts)
        self.pass_over(wanted._replace(numbers=wanted.numbers[: made.done]))

    def pass_over(self, wanted: Wanted) -> None:
        """What was `next` gets no rows."""
        for waiting, is_wanted in zip(self._waiting, (wanted.structure, wanted.text), strict=True):
            if is_wanted:
                waiting.pop(len(wanted.numbers))

    def erase(self, numbers: Iterable[int]) -> None:
        """Forget messages whose bodies are erased."""
        numbers = list(numbers)
        self._structures.erase(numbers)
        self._texts.erase(numbers)
        self.losses += 1

    def erase_some(self, count: int) -> None:
        """Take what is erased out of up to `count` blocks of each file. Raises OSError."""
        self._structures.erase_some(count)
        self._texts.erase_some(count)

    def clear(self) -> None:
        """Forget all rows and all messages that wait for one. Raises OSError."""
        self._structures.clear()
        self._texts.clear()
        for waiting in self._waiting:
            waiting.clear()
        self.losses += 1

    def close(self) -> None:
        """Finish erasing and close the files. Raises OSError."""
        self._structures.close()
        self._texts.close()
