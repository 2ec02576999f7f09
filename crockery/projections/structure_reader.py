"""Columns of numbers out of the octets of one part of a block of the derived file `structure`."""

import struct
from collections.abc import Iterable
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt


class PartReader:
    """Reads one column after the other."""

    PART: ClassVar[int]
    """Which part of a block it is."""
    numbers: list[int]
    """The messages, one a row."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0
        """How far it has been read."""

    def head(self, counts: struct.Struct) -> tuple[Any, ...]:
        """The numbers at the beginning."""
        self.at = counts.size
        return counts.unpack_from(self.data)

    def column(self, dtype: str, count: int) -> npt.NDArray[Any]:
        """The next `count` numbers."""
        column = np.frombuffer(self.data, dtype, count, self.at)
        self.at += column.nbytes
        return column

    def running(self, dtype: str, count: int) -> list[int]:
        """The next `count` numbers, each of which is given as what it has more than the one before."""
        numbers: list[int] = self.column(dtype, count).cumsum().tolist()
        return numbers


def differences(numbers: Iterable[int]) -> bytes:
    """Ascending numbers as `running` reads them, which compresses to little."""
    return np.diff(np.array(list(numbers), "<u8"), prepend=np.uint64(0)).astype("<u8").tobytes()
