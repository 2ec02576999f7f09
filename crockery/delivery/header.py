"""The header of a message on its way in: its octets, and its fields read once."""

import re
from typing import Final

from crockery.message.headers import list_fields, starts_header, unfold
from crockery.message.subjects import message_ids

_FIRST_LINE: Final = 64 * 1024
"""Octets in which the name of the first field must end."""

_NOT_IN_NAMES: Final = bytes(octet for octet in range(256) if not 33 <= octet <= 126)
"""RFC 5322 §3.6.8."""
_LINE_START: Final = re.compile(rb"^[^ \t\r\n:][^\n:]*(?=:)", re.MULTILINE)


class Header:
    """The header at the top of a message, its empty line included; no octets at all if the message has none."""

    __slots__ = ("_fields", "data")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._fields: dict[bytes, list[bytes]] = {}
        for name, value in list_fields(data):
            self._fields.setdefault(name.lower(), []).append(value)

    def has(self, *names: bytes) -> bool:
        """Whether any field is called one of `names` (lower case)."""
        return any(name in self._fields for name in names)

    def count(self, name: bytes) -> int:
        """How many fields are called `name` (lower case)."""
        return len(self._fields.get(name, ()))

    def values(self, name: bytes) -> list[bytes]:
        """The unfolded values of the fields called `name` (lower case)."""
        return [unfold(value) for value in self._fields.get(name, ())]

    def has_disguised(self, *names: bytes) -> bool:
        """Whether a line begins with one of `names` (lower case) but for octets that no name has; some skip them."""
        for start in _LINE_START.findall(self.data):
            found = start.rstrip(b" \t").lower()
            if found not in names and found.translate(None, _NOT_IN_NAMES) in names:
                return True
        return False

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
