"""What the server and its child that makes rows say to each other, sans-IO.

The server begins with BEGIN and is told READY; then each MAKE is answered by MADE, after any number of WHERE, each of
which is answered by THERE. Numbers are those of messages (or records, in WHERE), offsets those of their records in the
log.
"""

from enum import IntEnum
from typing import Any

from crockery.children.frames import BadFrame
from crockery.projections.block_file import Block
from crockery.projections.gathering import Begun
from crockery.projections.gathering import Made as OfFile
from crockery.projections.rows import AllBegun, Made
from crockery.projections.structure import Kept
from crockery.projections.structure_order import Order


class Kind(IntEnum):
    """What a frame is."""

    BEGIN = 1
    """The files are so far: an AllBegun."""
    READY = 2
    """The child has all it needs."""
    MAKE = 3
    """These messages: a Wanted, and their offsets."""
    WHERE = 4
    """Where is the record with this number?"""
    THERE = 5
    """At this offset; None: it is not there, or erased."""
    MADE = 6
    """A Made."""


def begun_of(values: list[Any]) -> AllBegun:
    """The values of a BEGIN. Raises BadFrame."""
    try:
        structure, texts = values
        last, rows = structure
        return AllBegun(Begun(last, _kept(rows)), [Begun(at, _texts(rows)) for at, rows in texts])
    except (TypeError, ValueError, AttributeError) as error:
        raise BadFrame(f"not as far as files can be: {error}") from error


def made_of(values: list[Any]) -> Made:
    """The values of a MADE. Raises BadFrame."""
    try:
        done, structure, texts = values
        blocks, rows = structure
        of_texts = [OfFile(_blocks(of_area), _texts(gathered)) for of_area, gathered in texts]
        return Made(done, OfFile(_blocks(blocks), _kept(rows)), of_texts)
    except (TypeError, ValueError, AttributeError) as error:
        raise BadFrame(f"not what can be made: {error}") from error


def _blocks(blocks: list[Any]) -> list[Block]:
    return [Block(*block) for block in blocks]


def _kept(rows: dict[int, list[Any]]) -> dict[int, Kept]:
    return {
        number: Kept(envelope, bodystructure, header, Order(*map(tuple, order)), utf8_differs)
        for number, (envelope, bodystructure, header, order, utf8_differs) in rows.items()
    }


def _texts(rows: dict[int, list[bytes]]) -> dict[int, tuple[bytes, ...]]:
    return {number: tuple(texts) for number, texts in rows.items()}
