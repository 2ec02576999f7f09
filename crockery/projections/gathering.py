"""Rows on their way into a block file: those that are no block yet, and the blocks they become.

Who makes rows has a `Gathering` for each file, and hands over what it came to as `Made`; who has the files takes it.
The two may be different processes: what is not a block yet is known to both.
"""

from collections.abc import Callable, Mapping
from typing import Generic, NamedTuple, TypeVar

from crockery.projections.block_file import Block, compressor

Row = TypeVar("Row")


class Begun(NamedTuple, Generic[Row]):
    """Where a file is: the newest message that is in a block (0: none), and the rows after it, by number."""

    last: int
    rows: dict[int, Row]


class Made(NamedTuple, Generic[Row]):
    """What came to a file since it was told last: full blocks, in order, and the rows after them, by number."""

    blocks: list[Block]
    rows: dict[int, Row]

    def after(self, rows: dict[int, Row]) -> dict[int, Row]:
        """The rows that are in no block, where these were in none before."""
        return self.rows if self.blocks else {**rows, **self.rows}


class Shape(NamedTuple, Generic[Row]):
    """What the blocks of a file are like."""

    rows: int
    """After so many a block is full."""
    octets: int
    """And after so many octets before compression."""
    level: int
    """Of zstd."""
    size: Callable[[Row], int]
    encode: Callable[[Mapping[int, Row]], tuple[bytes, ...]]
    """The parts of a block of these rows."""


class Gathering(Generic[Row]):
    """The rows of one file that are no block yet, in order of number."""

    def __init__(self, shape: Shape[Row], begun: Begun[Row]) -> None:
        self._shape = shape
        self._compressor = compressor(shape.level)
        self._rows = dict(begun.rows)
        self._octets = sum(map(shape.size, begun.rows.values()))
        self.last = max(begun.rows, default=begun.last)
        """Number of the newest message that has a row; 0: none."""
        self._made: Made[Row] = Made([], {})

    def add(self, number: int, row: Row) -> int:
        """Add a row, unless there is one of this message or a newer one; returns the octets that `take` grew by."""
        if number <= self.last:
            return 0
        self.last = number
        self._rows[number] = self._made.rows[number] = row
        size = self._shape.size(row)
        self._octets += size
        if len(self._rows) < self._shape.rows and self._octets < self._shape.octets:
            return size
        frames = [self._compressor.compress(part) for part in self._shape.encode(self._rows)]
        self._made.blocks.append(Block(next(iter(self._rows)), number, frames))
        self._made.rows.clear()
        self._rows, self._octets = {}, 0
        return sum(map(len, frames))

    def take(self) -> Made[Row]:
        """What came since the last time."""
        made, self._made = self._made, Made([], {})
        return made
