"""Follower: what FETCH asks of messages besides their octets, ready to send, in the derived file `structure`.

It trails the log: `rows` makes its rows, and it takes them. Whoever asks for a message that has no row yet, or one that
does not verify, gets it computed from the log, so nothing waits and nothing in the file is trusted beyond its checksum.
Rows gather in memory until they are a block; those few are computed again after a start. Pure of Trio; reading and
writing the file blocks for microseconds.
"""

from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby, pairwise
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from crockery.events.file import LogFile
from crockery.events.format import HEADER_SIZE
from crockery.limits import KEPT_HEADER, STRUCTURE_BLOCK, STRUCTURE_BLOCK_ROWS, STRUCTURE_CACHE, STRUCTURE_LEVEL
from crockery.message.headers import header_fields
from crockery.message.structure import Part, parse_structure
from crockery.message.summary import VERSION as SUMMARY_VERSION
from crockery.message.summary import summarize
from crockery.projections.gathering import Begun, Made, Shape, Tail
from crockery.projections.structure_block import KEPT_FIELDS, Kept, encode_block
from crockery.projections.structure_file import NAME, StructureFile
from crockery.projections.structure_order import Chosen, Order, Orders, encode_orders, order_of
from crockery.projections.structure_texts import Ask, HeaderFields, Listing

__all__ = ["KEPT_FIELDS", "NAME", "Ask", "HeaderFields", "Kept", "Listing", "Structures"]


class Structures:
    """Rows by message number, from the file or computed."""

    def __init__(self, folder: Path, file: LogFile, read_message: Callable[[int], tuple[bytes, bytes]]) -> None:
        """Open the file in `folder` about the log `file`, or begin a new one; raises OSError.

        `read_message` gives prefix and body of a message, and raises BodyUnreadable.
        """
        self._read_message = read_message
        self._recent: OrderedDict[int, Kept] = OrderedDict()
        self._file = StructureFile(folder, file.read(0, HEADER_SIZE), SUMMARY_VERSION)
        self._tail: Tail[Kept] = Tail(self._file)

    @property
    def last(self) -> int:
        """Number of the newest message that has a row; 0: none."""
        return self._tail.last

    @property
    def blocks_to_erase(self) -> int:
        """Blocks with rows of erased messages."""
        return self._file.blocks_to_erase

    @property
    def begun(self) -> Begun[Kept]:
        """Where whoever makes rows goes on."""
        return self._tail.begun

    def take(self, made: Made[Kept]) -> None:
        """Keep rows that were made. Raises OSError."""
        self._tail.take(made)

    def erase_some(self, count: int) -> None:
        """Write up to `count` blocks without what was erased. Raises OSError."""
        self._file.erase_some(count)

    def kept(self, number: int) -> Kept:
        """What is kept of one message; raises BodyUnreadable."""
        return self.many([number])[0]

    def many(self, numbers: Sequence[int] | npt.NDArray[Any]) -> list[Kept]:
        """What is kept of many messages, in order; cheapest for runs of neighbours. Raises BodyUnreadable."""
        wanted = np.asarray(numbers, dtype=np.uint64)
        result: list[Kept] = []
        block, rows = -1, self._tail.rows
        for number, at in zip(wanted.tolist(), self._file.blocks_of(wanted).tolist(), strict=True):
            if at != block:
                block, rows = at, self._file.rows(at)
            result.append(rows.get(number) or self._tail.rows.get(number) or self._computed(number))
        return result

    def texts(self, numbers: Sequence[int], ask: Ask) -> list[bytes | None]:
        """What these messages answer, in order; None where the message itself must be looked at.

        Cheapest for runs of neighbours. Raises BodyUnreadable.
        """
        return self._answers(
            numbers, ask, lambda number: ask.of_row(self._tail.rows.get(number) or self._computed(number))
        )

    def known(self, numbers: Sequence[int], ask: Ask) -> list[bool]:
        """Of which of these messages `texts` tells something without computing a row."""

        def known(number: int) -> bytes | None:
            kept = self._ready_row(number)
            return None if kept is None or ask.lacks(kept) else b""

        return [text is not None for text in self._answers(numbers, ask, known)]

    def _answers(
        self, numbers: Sequence[int], ask: Ask, otherwise: Callable[[int], bytes | None]
    ) -> list[bytes | None]:
        result: list[bytes | None] = []
        for block, wanted in self._runs(numbers):
            told = self._file.texts(block, ask)
            at = bisect_left(told.numbers, wanted[0])
            if told.numbers[at : at + len(wanted)] == wanted:
                result += told.texts[at : at + len(wanted)]
            else:
                rows = dict(zip(told.numbers, told.texts, strict=True))
                result += [rows[number] if number in rows else otherwise(number) for number in wanted]
        return result

    def _ready_row(self, number: int) -> Kept | None:
        return self._tail.rows.get(number) or self._recent.get(number)

    def _runs(self, numbers: Sequence[int]) -> Iterator[tuple[int, Sequence[int]]]:
        """The messages cut into those of one block each; -1: of none."""
        blocks = self._file.blocks_of(np.array(numbers, dtype=np.uint64))
        for start, stop in pairwise([0, *(np.flatnonzero(blocks[1:] != blocks[:-1]) + 1).tolist(), len(blocks)]):
            if stop > start:
                yield int(blocks[start]), numbers[start:stop]

    def lacking(self, numbers: Sequence[int]) -> list[int]:
        """The places of those of which `orders` would have to compute the row."""
        places: list[int] = []
        for block, wanted in self._runs(numbers):
            found = self._file.orders(block)
            here = set() if found is None else set(found[0])
            places += [number not in here and self._ready_row(number) is None for number in wanted]
        return [at for at, lacks in enumerate(places) if lacks]

    def orders(self, numbers: Sequence[int], otherwise: Callable[[int], Order]) -> list[Chosen]:
        """What SORT and THREAD compare of these messages, ascending, as columns; `otherwise` gives it of the others."""
        result: list[Chosen] = []
        for block, wanted in self._runs(numbers):
            found = self._file.orders(block)
            places = {} if found is None else {number: at for at, number in enumerate(found[0])}
            for here, group in groupby(wanted, places.__contains__):
                if here and found is not None:
                    chosen = Chosen(found[1], np.array([places[number] for number in group]))
                else:
                    rows = {number: otherwise(number) for number in group}
                    chosen = Chosen(Orders(encode_orders(rows)), np.arange(len(rows)))
                result.append(chosen)
        return result

    def erase(self, numbers: Iterable[int]) -> None:
        """Forget messages whose bodies are erased; `erase_some` takes them out of the file."""
        numbers = list(numbers)
        for number in numbers:
            self._recent.pop(number, None)
        self._tail.forget(numbers)
        self._file.erase(numbers)

    def clear(self) -> None:
        """Forget all rows. Raises OSError."""
        self._file.clear()
        self._tail.clear()
        self._recent.clear()

    def close(self) -> None:
        """Finish erasing and close the file. Raises OSError."""
        self._file.close()

    def _computed(self, number: int) -> Kept:
        kept = self._recent.get(number)
        if kept is None:
            kept = self._recent[number] = kept_of(b"".join(self._read_message(number)))
            if len(self._recent) > STRUCTURE_CACHE:
                self._recent.popitem(last=False)
        return kept


def shape() -> Shape[Kept]:
    """What its blocks are like."""
    return Shape(STRUCTURE_BLOCK_ROWS, STRUCTURE_BLOCK, STRUCTURE_LEVEL, attrgetter("octets"), encode_block)


def kept_of(data: bytes, root: Part | None = None) -> Kept:
    """The row of the message `data`, whose tree may be given."""
    root = root or parse_structure(data)
    assert root.envelope is not None  # the root is a message
    summary = summarize(data, root)
    header = header_fields(data, KEPT_FIELDS, 0, summary.header_length)
    kept_header = header if len(header) <= KEPT_HEADER else None
    order = order_of(summary, root.envelope)
    return Kept(summary.envelope, summary.bodystructure, kept_header, order, summary.utf8_differs)
