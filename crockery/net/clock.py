"""Whether the clock can be believed: what cannot be undone and is due by time waits while it cannot (design §2).

The clock is unproven when it moved by more than an hour against the monotonic one, and at the start when it stands more
than two days after the log's last record, or an hour before it. It is proven again after an hour without a jump.
"""

import logging
from collections.abc import Callable
from typing import Final

import trio

from crockery import limits

logger: Final = logging.getLogger(__name__)


class ClockWatch:
    """Compares two clocks: `wall` (microseconds since 1970) and `monotonic` (seconds)."""

    def __init__(
        self, wall: Callable[[], int], last_record: int, monotonic: Callable[[], float] = trio.current_time
    ) -> None:
        """`last_record`: the time of the log's last record; 0 when it has none."""
        self._wall = wall
        self._monotonic = monotonic
        self._offset = self._difference()
        self._doubted: float | None = None
        gap = wall() / 1e6 - last_record / 1e6
        if last_record and not -limits.CLOCK_JUMP <= gap <= limits.CLOCK_GAP:
            self._doubt("the clock stands %+.1f days from the log's last record", gap / 86400)

    @property
    def is_proven(self) -> bool:
        """Whether acts that cannot be undone may follow the clock."""
        self.look()
        return self._doubted is None

    def look(self) -> None:
        """Compare the clocks now."""
        moved = self._difference() - self._offset
        self._offset += moved
        if abs(moved) > limits.CLOCK_JUMP:
            self._doubt("the clock was moved by %+.1f hours", moved / 3600)
        elif self._doubted is not None and self._monotonic() - self._doubted >= limits.CLOCK_PROOF:
            self._doubted = None
            logger.info("the clock is believed again")

    async def run(self) -> None:
        """Look now and then, until cancelled: a jump between two looks is a jump, a drift is not."""
        while True:
            await trio.sleep(limits.CLOCK_LOOK)
            self.look()

    def _difference(self) -> float:
        return self._wall() / 1e6 - self._monotonic()

    def _doubt(self, what: str, by: float) -> None:
        self._doubted = self._monotonic()
        logger.warning(what + ": nothing is erased until it has run an hour without a jump", by)
