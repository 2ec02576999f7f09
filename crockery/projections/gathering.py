"""Rows on their way into a block file: those that are no block yet, and the blocks they become.

Who makes rows has a `Gathering` for each file, and hands over what it came to as `Made`; who has the files has a `Tail`
for each and takes it. The two may be different processes: what is not a block yet is known to both.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Generic, NamedTuple, Protocol, TypeVar

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


class Blocks(Protocol):
    """A file of blocks."""

    @property
    def last(self) -> int:
        """Number of the newest message that a block is about; 0: none."""

    def append(self, block: Block) -> None:
        """Add a block about messages beyond `last`. Raises OSError."""


class Tail(Generic[Row]):
    """The rows of a file that come after its blocks, with whoever has the file."""

    def __init__(self, file: Blocks) -> None:
        self._file = file
        self.rows: dict[int, Row] = {}
        """By number, in order."""

    @property
    def last(self) -> int:
        """Number of the newest message that has a row, in a block or here; 0: none."""
        return next(reversed(self.rows), self._file.last)

    @property
    def begun(self) -> Begun[Row]:
        """Where whoever makes rows goes on."""
        return Begun(self._file.last, self.rows)

    def take(self, made: Made[Row]) -> None:
        """Keep rows that were made, blocks in the file. Raises OSError."""
        for block in made.blocks:
            self._file.append(block)
        self.rows = made.rows if made.blocks else {**self.rows, **made.rows}

    def forget(self, numbers: Iterable[int]) -> None:
        """These messages have no rows here."""
        for number in numbers:
            self.rows.pop(number, None)

    def clear(self) -> None:
        """No message has."""
        self.rows = {}


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
