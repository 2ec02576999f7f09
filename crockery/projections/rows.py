"""The rows of a message in the derived files `structure` and `text`, made together: one reading and one parse for both.

Either file may be further than the other; what waits in both is made for both. Pure of Trio.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from crockery.events.errors import BodyUnreadable
from crockery.message.searched import is_quick, searched
from crockery.message.structure import Part, parse_structure
from crockery.projections.structure import Kept, Structures, kept_of
from crockery.projections.text import Rows as Texted
from crockery.projections.text import Texts, rows_of


class Wanted(NamedTuple):
    """A message that waits, and in which files."""

    number: int
    structure: bool
    text: bool


class Made(NamedTuple):
    """Rows of a message; None where none was wanted, or the message cannot be read."""

    structure: Kept | None
    text: Texted | None


class Message(NamedTuple):
    """A message that was read."""

    data: bytes
    root: Part

    @property
    def is_quick(self) -> bool:
        """Whether rows of it, if it is not large, are made in a millisecond or two."""
        return is_quick(self.data, self.root)


def read(data: bytes) -> Message:
    """The message with its tree."""
    return Message(data, parse_structure(data))


class RowMaker:
    """Keeps both files up with the log."""

    def __init__(
        self, structures: Structures, texts: Texts, read_message: Callable[[int], tuple[bytes, bytes]]
    ) -> None:
        """`read_message` gives prefix and body of a message, and raises BodyUnreadable."""
        self._structures = structures
        self._texts = texts
        self._read_message = read_message

    @property
    def backlog(self) -> int:
        """Rows that wait to be made, and blocks that wait for an erasure."""
        return self._structures.backlog + self._texts.backlog

    def follow(self, numbers: Iterable[int] | npt.NDArray[np.uint64]) -> None:
        """Note new messages, in order of number."""
        self._structures.follow(numbers)
        self._texts.follow(numbers)

    def erase(self, numbers: Iterable[int]) -> None:
        """Forget messages whose bodies are erased."""
        numbers = list(numbers)
        self._structures.erase(numbers)
        self._texts.erase(numbers)

    def erase_some(self, count: int) -> None:
        """Take what is erased out of up to `count` blocks of each file. Raises OSError."""
        self._structures.erase_some(count)
        self._texts.erase_some(count)

    def next(self, *, structures: bool = True, texts: bool = True) -> Wanted | None:
        """What is to be made next, of the files that count: structure comes first."""
        structure = self._structures.next if structures else None
        text = self._texts.next if texts else None
        number = text if structure is None else structure
        return None if number is None else Wanted(number, number == structure, number == text)

    def make(self, wanted: Wanted, message: Message | None = None) -> Made:
        """The rows of a message, which is read unless it is given. Threads may."""
        number = wanted.number
        of_structure = wanted.structure and number > self._structures.last
        of_text = wanted.text and number > self._texts.last
        structure = self._structures.ready(number) if of_structure else None
        if message is None and (of_text or (of_structure and structure is None)):
            try:
                message = read(b"".join(self._read_message(number)))
            except BodyUnreadable:
                return Made(None, None)
        if message is None:
            return Made(structure, None)
        if of_structure and structure is None:
            structure = kept_of(*message)
        return Made(structure, rows_of(searched(*message)) if of_text else None)

    def add(self, wanted: Wanted, made: Made) -> None:
        """Keep what `make` made, where the message is still the next. Raises OSError."""
        if wanted.structure:
            self._structures.add(wanted.number, made.structure)
        if wanted.text:
            self._texts.add(wanted.number, made.text)

    def work(self, count: int) -> int:
        """Make rows of up to `count` waiting messages, erase as many; returns how many are left. Raises OSError."""
        self.erase_some(count)
        for _ in range(count):
            wanted = self.next()
            if wanted is None:
                break
            self.add(wanted, self.make(wanted))
        return self.backlog

    def clear(self) -> None:
        """Forget all rows and all messages that wait for one. Raises OSError."""
        self._structures.clear()
        self._texts.clear()

    def close(self) -> None:
        """Finish erasing and close the files. Raises OSError."""
        self._structures.close()
        self._texts.close()
