"""Projection: annotations of mailboxes and of the server (RFC 5464). They go when their mailbox or account goes."""

from collections.abc import Mapping
from typing import Any, Final

SERVER: Final = 0
"""In place of a mailbox's id: the server itself; in place of an account's: everybody."""

NO_ENTRIES: Final[Mapping[str, bytes]] = {}


class Metadata:
    """Values by account, mailbox and entry."""

    def __init__(self) -> None:
        self.positions: dict[int, int] = {}
        """account id -> the last event that changed any of its entries."""
        self.octets: dict[int, int] = {}
        """account id -> octets of all its entries, names and values."""
        self._entries: dict[int, dict[int, dict[str, bytes]]] = {}

    def of(self, account: int, mailbox: int) -> Mapping[str, bytes]:
        """The entries of a mailbox of the account, or of the server (mailbox 0)."""
        return self._entries.get(account, {}).get(mailbox, NO_ENTRIES)

    def dump(self) -> Any:
        entries = [
            [account, [[box, dict(values)] for box, values in boxes.items()]]
            for account, boxes in self._entries.items()
        ]
        return [entries, list(self.positions.items())]

    def load(self, dumped: Any) -> None:
        entries, positions = dumped
        self.positions = dict(positions)
        self._entries = {account: {box: dict(values) for box, values in boxes} for account, boxes in entries}
        self.octets = {
            account: sum(_octets(values) for values in boxes.values()) for account, boxes in self._entries.items()
        }

    # Folding: one method an event type.

    def metadata_changed(self, sequence: int, time: int, facts: Mapping[str, Any]) -> None:
        account, box = facts["account"], facts["box"]
        boxes = self._entries.setdefault(account, {})
        values = boxes.setdefault(box, {})
        before = _octets(values)
        for entry, value, _ in facts["entries"]:
            if value is None:
                values.pop(entry, None)
            else:
                values[entry] = value
        self.octets[account] = self.octets.get(account, 0) + _octets(values) - before
        if not values:
            del boxes[box]
        self.positions[account] = sequence

    def mailbox_deleted(self, sequence: int, time: int, facts: Mapping[str, Any]) -> None:
        account = facts["account"]
        gone = self._entries.get(account, {}).pop(facts["mailbox"], None)
        if gone is not None:
            self.octets[account] -= _octets(gone)
            self.positions[account] = sequence

    def account_removed(self, sequence: int, time: int, facts: Mapping[str, Any]) -> None:
        for values in (self._entries, self.octets, self.positions):
            values.pop(facts["account"], None)


def _octets(values: Mapping[str, bytes]) -> int:
    return sum(len(entry) + len(value) for entry, value in values.items())
