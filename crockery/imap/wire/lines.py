"""Many response lines at once, from the columns of a mailbox, with nothing done line by line.

The lines are a table of characters, one row a line, in which NUL fills what a number or a text leaves of its place;
then the NULs are taken out. That costs a third of formatting each line. What a line says is given as pieces in their
order, each a column or the same for all lines. Longer texts, each line its own, are joined between such tables.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from itertools import chain, repeat
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from crockery.imap.wire.render import render_day

Column = npt.NDArray[np.integer[Any]]
Chars = npt.NDArray[np.bytes_]

FEW: Final = 24
"""Lines that are made faster one by one."""
WIDE: Final = 512
"""Octets of a text for which a table would be mostly NULs: there are keywords of any length."""
END: Final = b"\1"
"""Ends a line's share where it is looked for again: no flag, number or date has it."""


class Texts(NamedTuple):
    """A column of texts of which few differ: line i has `table[at[i]]`. None has a NUL."""

    table: Sequence[bytes]
    at: Column


Piece = bytes | Column | Texts | list[bytes]
"""What stands in each line: the same octets; a number of 0 or more, in decimal; one of some texts; its own octets."""


def render_lines(count: int, pieces: Sequence[Piece]) -> bytes:
    """`count` lines, each of its share of all `pieces`, joined."""
    if any(isinstance(piece, list) for piece in pieces):
        return b"".join(render_apart(count, pieces))
    return _short(count, pieces)


def render_apart(count: int, pieces: Sequence[Piece]) -> list[bytes]:
    """The same not joined: the octets that are a line's own are not copied, for they may be many."""
    columns: list[Iterable[bytes]] = []
    short: list[Piece] = []
    for piece in pieces:
        if isinstance(piece, list):
            columns += (_split(count, short), piece)
            short = []
        else:
            short.append(piece)
    columns.append(_split(count, short))
    return list(chain.from_iterable(zip(*columns, strict=True)))


def _split(count: int, pieces: Sequence[Piece]) -> Iterable[bytes]:
    """What stands between two texts of a line."""
    same = [piece for piece in pieces if isinstance(piece, bytes)]
    if len(same) == len(pieces):
        return repeat(b"".join(same), count)
    if count < FEW:
        return map(b"".join, zip(*[_listed(count, piece) for piece in pieces], strict=True))
    return _short(count, [*pieces, END]).split(END)[:-1]


def _short(count: int, pieces: Sequence[Piece]) -> bytes:
    if count < FEW or any(isinstance(piece, Texts) and max(map(len, piece.table)) > WIDE for piece in pieces):
        return b"".join(chain.from_iterable(zip(*[_listed(count, piece) for piece in pieces], strict=True)))
    columns: list[Chars] = []
    for piece in pieces:
        match piece:
            case bytes():
                columns.append(np.array(piece))
            case Texts(table, at):
                columns.append(np.array(table)[at])
            case np.ndarray():
                columns += _decimal(piece)
    lines = np.empty(count, [(f"f{n}", column.dtype) for n, column in enumerate(columns)])
    for n, column in enumerate(columns):
        lines[f"f{n}"] = column
    return lines.tobytes().translate(None, b"\0")


def texts_of(values: Column, render: Callable[[int], bytes]) -> Texts:
    """The texts that `render` gives for numbers, asked once for each that differs."""
    distinct, at = np.unique(values, return_inverse=True)
    return Texts(list(map(render, distinct.tolist())), at)


def date_pieces(seconds: Column) -> list[Piece]:
    """`date-time` of each, as `render_internal_date`."""
    days, second = np.divmod(seconds.astype(np.int64), 86400)
    minute, second = np.divmod(second, 60)
    hour, minute = np.divmod(minute, 60)
    pairs = _pairs()
    times = (Texts(pairs, hour), b":", Texts(pairs, minute), b":", Texts(pairs, second))
    return [texts_of(days, render_day), b" ", *times, b' +0000"']


def _listed(count: int, piece: Piece) -> Iterable[bytes]:
    match piece:
        case bytes():
            return repeat(piece, count)
        case Texts(table, at):
            return map(table.__getitem__, at.tolist())
        case list():
            return piece
    return map(b"%d".__mod__, piece.tolist())


def _decimal(numbers: Column) -> list[Chars]:
    """Their digits, four a column, with NULs in front."""
    groups = _groups()
    if int(numbers.max()) < 10_000:
        return [groups.leading[numbers]]
    numbers = numbers.astype(np.uint32 if int(numbers.max()) < 1 << 32 else np.uint64)
    high = numbers // numbers.dtype.type(10_000)
    low = numbers - high * numbers.dtype.type(10_000)
    if int(high.min()):
        return [*_decimal(high), groups.following[low]]
    before = _decimal(high)
    before[-1] = np.where(high == 0, b"", before[-1])
    return [*before, np.where(high == 0, groups.leading[low], groups.following[low])]


class _Groups(NamedTuple):
    leading: Chars
    following: Chars


@lru_cache(maxsize=1)
def _groups() -> _Groups:
    """The numbers below 10,000 as four characters, with NULs and with zeros in front."""
    leading = b"".join([(b"%d" % n).rjust(4, b"\0") for n in range(10_000)])
    following = b"".join([b"%04d" % n for n in range(10_000)])
    return _Groups(np.frombuffer(leading, "S4"), np.frombuffer(following, "S4"))


@lru_cache(maxsize=1)
def _pairs() -> list[bytes]:
    return [b"%02d" % n for n in range(60)]
