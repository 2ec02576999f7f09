"""Follower: what SEARCH looks through, decoded and folded (`message.searched`), in the derived file `text`.

It trails the log as `structure` does: `rows` makes its rows, and it takes them. Three areas, each a file that is
scanned block by block: `text-fields`, the header fields that people search, in columns; `text-headers`, whole headers;
`text-bodies`. A message without a row is unknown to a scan: whoever searches reads it itself (`rows_of`), so that every
answer is exact. Pure of Trio; a block is a millisecond's work.
"""

import struct
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from crockery.events.file import LogFile
from crockery.events.format import HEADER_SIZE
from crockery.message.searched import SEPARATOR, Searched, field_of, field_prefix, find_field, needle
from crockery.message.searched import VERSION as SEARCHED_VERSION
from crockery.message.text import header_texts
from crockery.projections.gathering import Begun, Made, Shape
from crockery.projections.text_file import Find, Numbers, Run, Seen, TextFile, shape
from crockery.projections.text_file import Texts as Row

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


def shapes() -> list[Shape[Row]]:
    """What the blocks are like, by area."""
    return [shape(columns) for _, columns in AREAS]


class Texts:
    """Rows by message number, to be looked through."""

    def __init__(self, folder: Path, file: LogFile) -> None:
        """Open the files in `folder` about the log `file`, or begin new ones; raises OSError."""
        start = _PREFIX.pack(MAGIC, VERSION, SEARCHED_VERSION) + file.read(0, HEADER_SIZE)
        self._areas = [TextFile(folder, name, start, columns) for name, columns in AREAS]

    @property
    def last(self) -> int:
        """Number of the newest message that has all its rows; 0: none."""
        return min(area.last for area in self._areas)

    @property
    def blocks_to_erase(self) -> int:
        """Blocks with rows of erased messages."""
        return sum(area.blocks_to_erase for area in self._areas)

    @property
    def begun(self) -> list[Begun[Row]]:
        """Where whoever makes rows goes on, by area."""
        return [area.begun for area in self._areas]

    def take(self, made: Sequence[Made[Row]]) -> None:
        """Keep rows that were made, by area. Raises OSError."""
        for area, of_area in zip(self._areas, made, strict=True):
            area.take(of_area)

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
        """Forget messages whose bodies are erased; `erase_some` takes them out of the files."""
        numbers = list(numbers)
        for area in self._areas:
            area.erase(numbers)

    def erase_some(self, count: int) -> None:
        """Write up to `count` blocks of each area without what was erased. Raises OSError."""
        for area in self._areas:
            area.erase_some(count)

    def clear(self) -> None:
        """Forget all rows. Raises OSError."""
        for area in self._areas:
            area.clear()

    def close(self) -> None:
        """Finish erasing and close the files. Raises OSError."""
        for area in self._areas:
            area.close()
