"""Which messages are \\Recent: those that no session has been told of yet (RFC 3501 §2.3.2; gone from IMAP4rev2).

In memory only: opening a mailbox writes no event. After a start of the server, recent is what came since the start.
"""

import numpy as np
import numpy.typing as npt

from crockery.projections.mailboxes import Mailbox

Ranges = list[tuple[int, int]]
"""UIDs, half open."""


class Recents:
    """For each mailbox, the UID from which on messages are recent. One for all sessions."""

    def __init__(self, start: int) -> None:
        """`start` is the log's head when the server started."""
        self._start = start
        self._first: dict[int, int] = {}

    def first(self, mailbox: Mailbox) -> int:
        """Messages with this UID and above are recent to whoever asks next."""
        first = self._first.get(mailbox.id)
        if first is None:
            newer = np.flatnonzero(mailbox.columns.number > self._start)
            first = int(mailbox.columns.uid[newer[0]]) if len(newer) else mailbox.uidnext
            self._first[mailbox.id] = first
        return first

    def claim(self, mailbox: Mailbox) -> tuple[int, int]:
        """Those recent now, as UIDs (half open): they are recent to the caller, and to nobody who asks later."""
        claimed = self.first(mailbox), mailbox.uidnext
        self._first[mailbox.id] = mailbox.uidnext
        return claimed

    def count(self, mailbox: Mailbox) -> int:
        """How many messages are recent: STATUS RECENT."""
        uids = mailbox.columns.uid
        return len(uids) - int(np.searchsorted(uids, self.first(mailbox)))


def in_ranges(uids: npt.NDArray[np.uint32], ranges: Ranges) -> npt.NDArray[np.bool_]:
    """Which of the UIDs lie in any of the ranges."""
    found = np.zeros(len(uids), dtype=bool)
    for low, high in ranges:
        start, stop = np.searchsorted(uids, (low, high))
        found[start:stop] = True
    return found


def add_range(ranges: Ranges, new: tuple[int, int]) -> None:
    """Add a range that lies above all others; neighbours become one."""
    low, high = new
    if low >= high:
        return
    if ranges and ranges[-1][1] == low:
        low = ranges.pop()[0]
    ranges.append((low, high))
