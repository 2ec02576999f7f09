"""One area of the derived file `text`: texts by message number, in columns, in blocks that are scanned whole.

A block before compression: the number of its rows (8 octets), their message numbers (8 each), column by column where
each row's text ends (4 each, from the start of the block), then the texts, column by column. Rows gather in memory
until they are a block; those few are made again after a start.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from crockery.limits import MAX_SEARCHED_TEXT, TEXT_BLOCK, TEXT_BLOCK_ROWS, TEXT_LEVEL, TEXT_SPARSE
from crockery.projections.block_file import BlockFile
from crockery.projections.gathering import Begun, Made, Shape, Tail

Numbers = npt.NDArray[np.uint64]
Texts = tuple[bytes, ...]
"""What a row holds: a text a column."""
Find = Callable[[bytes, int, int], int]
"""Tells where in some octets, between two places, something is that is looked for; -1: nowhere."""

_HEAD: Final = 8
_LARGEST: Final = 4 * MAX_SEARCHED_TEXT
GATHERED: Final = -1
"""Stands for the rows that are not a block yet."""


class Seen(NamedTuple):
    """What a scan came to."""

    rows: Numbers
    """The messages that have a row, in order."""
    hits: Numbers
    """Those in which it is."""


NOTHING: Final = Seen(np.empty(0, dtype=np.uint64), np.empty(0, dtype=np.uint64))


class Run(NamedTuple):
    """A block, and which of the numbers that were asked for it may have."""

    block: int
    start: int
    stop: int


class TextFile:
    """The blocks of one area, and the rows that are none yet."""

    def __init__(self, folder: Path, name: str, start: bytes, columns: int) -> None:
        """Open the file in `folder`, or begin a new one; raises OSError."""
        self._file = BlockFile(folder, name, start, _LARGEST, TEXT_LEVEL)
        self._columns = columns
        self._tail: Tail[Texts] = Tail(self._file)

    @property
    def last(self) -> int:
        """Number of the newest message that has a row; 0: none."""
        return self._tail.last

    @property
    def blocks_to_erase(self) -> int:
        """Blocks with rows of erased messages."""
        return self._file.blocks_to_erase

    @property
    def begun(self) -> Begun[Texts]:
        """Where whoever makes rows goes on."""
        return self._tail.begun

    def take(self, made: Made[Texts]) -> None:
        """Keep rows that were made. Raises OSError."""
        self._tail.take(made)

    def runs(self, numbers: Numbers) -> Iterator[Run]:
        """Where to look for these messages, which are in order; those that cost least one by one are left out."""
        blocks = self._file.blocks_of(numbers)
        edges = np.flatnonzero(np.diff(blocks, prepend=-2, append=-2)).tolist()
        for start, stop in pairwise(edges):
            block = int(blocks[start])
            if block != GATHERED:
                first, last, octets = self._file.bounds(block)
                if first != last and (stop - start) * TEXT_SPARSE < octets:
                    continue
            yield Run(block, start, stop)

    def octets(self, block: int) -> int:
        """How much a block is on disk."""
        return 0 if block == GATHERED or block >= len(self._file) else self._file.bounds(block)[2]

    def scan(self, block: int, column: int, find: Find) -> Seen:
        """Look through one column of a block. Threads may, but for the rows GATHERED."""
        if block == GATHERED:
            hits = [n for n, texts in self._tail.rows.items() if find(texts[column], 0, len(texts[column])) >= 0]
            return Seen(np.fromiter(self._tail.rows, dtype=np.uint64), np.array(hits, dtype=np.uint64))
        data = self._file.read(block) if block < len(self._file) else None
        if not data:
            return NOTHING
        numbers, ends = _decode(data, self._columns)
        places = ends[column].tolist()
        at = int(ends[column - 1, -1]) if column else _HEAD + (8 + 4 * self._columns) * len(numbers)
        found: list[int] = []
        while (hit := find(data, at, places[-1])) >= 0:
            row = bisect_right(places, hit)
            found.append(row)
            at = places[row]
        seen = Seen(numbers, numbers[found])
        erased = self._file.erased(block)
        return seen if not erased else Seen(*(part[~np.isin(part, list(erased))] for part in seen))

    def erase(self, numbers: Iterable[int]) -> None:
        """Forget these messages; their octets go from the file when `erase_some` comes to them."""
        numbers = list(numbers)
        self._tail.forget(numbers)
        self._file.erase(numbers)

    def erase_some(self, count: int) -> None:
        """Write up to `count` of the blocks without the rows that were erased. Raises OSError."""
        self._file.erase_some(count, self._without_erased)

    def clear(self) -> None:
        """Forget all rows. Raises OSError."""
        self._file.clear()
        self._tail.clear()

    def close(self) -> None:
        """Finish erasing and close the files. Raises OSError."""
        self.erase_some(self.blocks_to_erase)
        self._file.close()

    def _without_erased(self, block: int) -> tuple[bytes]:
        rows = self._rows(block)
        for number in self._file.erased(block):
            rows.pop(number, None)
        return (_encode(rows, self._columns) if rows else b"",)

    def _rows(self, block: int) -> dict[int, Texts]:
        data = self._file.read(block)
        if not data:
            return {}
        numbers, ends = _decode(data, self._columns)
        starts = np.concatenate(([_HEAD + (8 + 4 * self._columns) * len(numbers)], ends.ravel()[:-1]))
        pieces = [data[start:end] for start, end in zip(starts.tolist(), ends.ravel().tolist(), strict=True)]
        return {n: tuple(pieces[at :: len(numbers)]) for at, n in enumerate(numbers.tolist())}


def shape(columns: int) -> Shape[Texts]:
    """What the blocks of an area are like."""
    size, encode = lambda texts: sum(map(len, texts)), lambda rows: (_encode(rows, columns),)
    return Shape(TEXT_BLOCK_ROWS, TEXT_BLOCK, TEXT_LEVEL, size, encode)


def _encode(rows: Mapping[int, Texts], columns: int) -> bytes:
    texts = [row[column] for column in range(columns) for row in rows.values()]
    ends = np.cumsum([len(text) for text in texts]) + _HEAD + (8 + 4 * columns) * len(rows)
    head = len(rows).to_bytes(_HEAD, "little") + np.fromiter(rows, dtype="<u8").tobytes()
    return b"".join((head, ends.astype("<u4").tobytes(), *texts))


def _decode(data: bytes, columns: int) -> tuple[Numbers, npt.NDArray[np.uint32]]:
    """The numbers, and a row of ends a column."""
    count = int.from_bytes(data[:_HEAD], "little")
    numbers: Numbers = np.frombuffer(data, dtype="<u8", count=count, offset=_HEAD)
    ends = np.frombuffer(data, dtype="<u4", count=columns * count, offset=_HEAD + 8 * count)
    return numbers, ends.reshape(columns, count)
