"""The header of a message on its way in: its octets, and its fields read once."""

from typing import Final

from crockery.message.headers import list_fields, starts_header, unfold
from crockery.message.subjects import message_ids

_FIRST_LINE: Final = 64 * 1024
"""Octets in which the name of the first field must end."""


class Header:
    """The header at the top of a message, its empty line included; no octets at all if the message has none."""

    __slots__ = ("_fields", "data")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._fields: dict[bytes, list[bytes]] = {}
        for name, value in list_fields(data):
            self._fields.setdefault(name.lower(), []).append(value)

    def count(self, name: bytes) -> int:
        """How many fields are called `name` (lower case)."""
        return len(self._fields.get(name, ()))

    def values(self, name: bytes) -> list[bytes]:
        """The unfolded values of the fields called `name` (lower case)."""
        return [unfold(value) for value in self._fields.get(name, ())]

    @property
    def message_id(self) -> str:
        """The Message-ID without its brackets, "" if there is none to be read."""
        for value in self.values(b"message-id"):
            for found in message_ids(value):
                return found[1:-1].decode("utf-8", "replace")
        return ""


def find_header_end(data: bytes | bytearray, start: int = 0) -> int | None:
    """Where the header at the top of `data` ends; 0: there is none; None: not yet. Up to `start` there is no end."""
    if not starts_header(bytes(data[:_FIRST_LINE]) if len(data) > _FIRST_LINE else bytes(data)):
        return 0
    if data.startswith(b"\r\n"):
        return 2
    found = data.find(b"\r\n\r\n", max(start - 3, 0))
    return found + 4 if found >= 0 else None
