"""Where the records with bodies are: sequence number to file offset, sixteen octets each."""

from array import array
from bisect import bisect_left


class Catalog:
    """A sorted map from sequence number to the offset of its record; only ever appended to."""

    def __init__(self) -> None:
        self.numbers = array("Q")
        self.offsets = array("Q")

    def add(self, number: int, offset: int) -> None:
        """Note a record; numbers come in growing order."""
        self.numbers.append(number)
        self.offsets.append(offset)

    def find(self, number: int) -> int | None:
        """The offset of the record with this number, or None."""
        at = bisect_left(self.numbers, number)
        if at < len(self.numbers) and self.numbers[at] == number:
            return self.offsets[at]
        return None

    def dump(self) -> tuple[bytes, bytes]:
        """Both columns, for a snapshot."""
        return self.numbers.tobytes(), self.offsets.tobytes()

    def load(self, numbers: bytes, offsets: bytes) -> None:
        """Replace the content with a dump."""
        self.numbers, self.offsets = array("Q"), array("Q")
        self.numbers.frombytes(numbers)
        self.offsets.frombytes(offsets)
