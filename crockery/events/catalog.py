"""Where the records with bodies are: sequence number to file offset, sixteen octets each, and which are erased."""

from array import array
from bisect import bisect_left
from collections.abc import Iterable
from typing import Final

_ERASED: Final = 1 << 63
"""Set in the offset of a record whose body was erased; no file is that long."""


class Catalog:
    """A sorted map from sequence number to the offset of its record; only ever appended to.

    Threads may look while one thread adds.
    """

    def __init__(self) -> None:
        self.numbers = array("Q")
        self.offsets = array("Q")

    def add(self, number: int, offset: int) -> None:
        """Note a record; numbers come in growing order."""
        self.offsets.append(offset)
        self.numbers.append(number)

    def find(self, number: int) -> int | None:
        """The offset of the record with this number, or None."""
        at = self._index(number)
        return None if at is None else self.offsets[at] & ~_ERASED

    def find_kept(self, number: int) -> int | None:
        """As `find`; None too where the body is erased."""
        at = self._index(number)
        offset = None if at is None else self.offsets[at]
        return offset if offset is not None and offset < _ERASED else None

    def erase(self, numbers: Iterable[int]) -> None:
        """Note that the bodies of these records are erased."""
        for number in numbers:
            at = self._index(number)
            if at is not None:
                self.offsets[at] |= _ERASED

    def is_erased(self, number: int) -> bool:
        """Whether the record's body was erased."""
        at = self._index(number)
        return at is not None and bool(self.offsets[at] & _ERASED)

    def dump(self) -> tuple[bytes, bytes]:
        """Both columns, for a snapshot."""
        return self.numbers.tobytes(), self.offsets.tobytes()

    def load(self, numbers: bytes, offsets: bytes) -> None:
        """Replace the content with a dump."""
        self.numbers, self.offsets = array("Q"), array("Q")
        self.numbers.frombytes(numbers)
        self.offsets.frombytes(offsets)

    def _index(self, number: int) -> int | None:
        at = bisect_left(self.numbers, number)
        return at if at < len(self.numbers) and self.numbers[at] == number else None
