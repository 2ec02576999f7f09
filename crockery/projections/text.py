"""Follower: what SEARCH looks through, decoded and folded (`message.searched`), in the derived file `text`.

It trails the log as `structure` does: `follow` is told of new messages, `work` makes rows for some of them when there
is time. Three areas, each a file that is scanned block by block: `text-fields`, the header fields that people search,
in columns; `text-headers`, whole headers; `text-bodies`. A message without a row is unknown to a scan: whoever searches
reads it itself (`rows_of`), so that every answer is exact. Pure of Trio; a block is a millisecond's work.
"""

import struct
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from crockery.events.errors import BodyUnreadable
from crockery.events.file import LogFile
from crockery.events.format import HEADER_SIZE, Header
from crockery.message.searched import SEPARATOR, Searched, field_of, field_prefix, find_field, needle, searched
from crockery.message.searched import VERSION as SEARCHED_VERSION
from crockery.message.text import header_texts
from crockery.projections.text_file import Find, Numbers, Run, Seen, TextFile
from crockery.projections.text_file import Texts as Row
from crockery.projections.waiting import Waiting

MAGIC: Final = b"CrkTexts"
VERSION: Final = 1
_PREFIX: Final = struct.Struct("<8sII")
FIELDS: Final = ("SUBJECT", "FROM", "TO", "CC", "BCC")
"""Fields that have a column of their own."""
_FIELD_PREFIXES: Final = [SEPARATOR + name.encode("ascii") + b": " for name in FIELDS]
_OF_FIELDS, _OF_HEADERS, _OF_BODIES = range(3)
AREAS: Final = (("text-fields", len(FIELDS)), ("text-headers", 1), ("text-bodies", 1))

Rows = tuple[Row, Row, Row]
"""What is kept of one message, by area."""


class Question(NamedTuple):
    """Something to look for in one column of an area."""

    area: int
    column: int
    find: Find

    @property
    def of_body(self) -> bool:
        """Whether it is about more than the header."""
        return self.area == _OF_BODIES

    @property
    def field(self) -> str | None:
        """Which of FIELDS it is about, if one of them."""
        return FIELDS[self.column] if self.area == _OF_FIELDS else None

    def fits(self, rows: Rows) -> bool:
        """Whether it is in this message."""
        text = rows[self.area][self.column]
        return self.find(text, 0, len(text)) >= 0

    def fits_field(self, header: bytes) -> bool:
        """The same of a message that has this header, or as much of it as concerns the field."""
        values = header_texts(header, (self.field or "").encode("ascii"))
        text = b"".join(SEPARATOR + needle(value) for value in values)
        return self.find(text, 0, len(text)) >= 0


def in_field(name: str, value: str) -> list[Question]:
    """A field called `name` holds `value`; none, if no field can be called that."""
    prefix, wanted = field_prefix(name), needle(value)
    if prefix is None:
        return []
    if prefix in _FIELD_PREFIXES:
        return [Question(_OF_FIELDS, _FIELD_PREFIXES.index(prefix), _finding(wanted or SEPARATOR))]
    return [Question(_OF_HEADERS, 0, lambda octets, start, stop: find_field(prefix, wanted, octets, start, stop))]


def in_text(value: str, *, headers: bool) -> list[Question]:
    """The text, or the header too, holds `value`, which is not empty: fits if any of these does."""
    find = _finding(needle(value))
    body = Question(_OF_BODIES, 0, find)
    return [Question(_OF_HEADERS, 0, find), body] if headers else [body]


def _finding(wanted: bytes) -> Find:
    return lambda octets, start, stop: octets.find(wanted, start, stop)


def rows_of(found: Searched) -> Rows:
    """The rows of a message."""
    return tuple(field_of(found.header, prefix) for prefix in _FIELD_PREFIXES), (found.header,), (found.body,)


class Texts:
    """Rows by message number, to be looked through."""

    def __init__(
        self, folder: Path, file: LogFile, header: Header, read_message: Callable[[int], tuple[bytes, bytes]]
    ) -> None:
        """Open the files in `folder`, or begin new ones; raises OSError.

        `read_message` gives prefix and body of a message, and raises BodyUnreadable.
        """
        self._read_message = read_message
        self._waiting = Waiting()
        start = _PREFIX.pack(MAGIC, VERSION, SEARCHED_VERSION) + file.read(0, HEADER_SIZE)
        self._areas = [TextFile(folder, name, start, columns) for name, columns in AREAS]

    @property
    def last(self) -> int:
        """Number of the newest message that has all its rows; 0: none."""
        return min(area.last for area in self._areas)

    @property
    def backlog(self) -> int:
        """Messages that wait for a row, and blocks that wait for an erasure."""
        return len(self._waiting) + sum(area.blocks_to_erase for area in self._areas)

    @property
    def next(self) -> int | None:
        """The message that gets the next row."""
        return self._waiting.next

    def follow(self, numbers: Iterable[int] | npt.NDArray[np.uint64]) -> None:
        """Note new messages, in order of number."""
        self._waiting.add(numbers)

    def work(self, count: int) -> int:
        """Make rows for up to `count` waiting messages, erase as many; returns how many are left. Raises OSError."""
        self.erase_some(count)
        for _ in range(count):
            number = self.next
            if number is None:
                break
            rows = None
            if number > self.last:
                with suppress(BodyUnreadable):
                    rows = rows_of(searched(b"".join(self._read_message(number))))
            self.add(number, rows)
        return self.backlog

    def add(self, number: int, rows: Rows | None) -> None:
        """Keep what `make` made of the message `next`, if it still is that. Raises OSError."""
        if number != self.next:
            return
        self._waiting.pop()
        for area, row in zip(self._areas, rows or (), strict=False):
            area.add(number, row)

    def runs(self, question: Question, numbers: Numbers) -> Iterator[Run]:
        """The blocks to look through for an answer about these messages, which are in order."""
        return self._areas[question.area].runs(numbers)

    def octets(self, question: Question, run: Run) -> int:
        """How much there is to read for a run."""
        return self._areas[question.area].octets(run.block)

    def scan(self, question: Question, run: Run) -> Seen:
        """Look through a block. Threads may where there are octets to read."""
        return self._areas[question.area].scan(run.block, question.column, question.find)

    def erase(self, numbers: Iterable[int]) -> None:
        """Forget messages whose bodies are erased; `work` takes them out of the files."""
        numbers = list(numbers)
        for area in self._areas:
            area.erase(numbers)

    def erase_some(self, count: int) -> None:
        """Write up to `count` blocks of each area without what was erased. Raises OSError."""
        for area in self._areas:
            area.erase_some(count)

    def clear(self) -> None:
        """Forget all rows and all messages that wait for one. Raises OSError."""
        for area in self._areas:
            area.clear()
        self._waiting.clear()

    def close(self) -> None:
        """Finish erasing and close the files. Raises OSError."""
        for area in self._areas:
            area.close()
