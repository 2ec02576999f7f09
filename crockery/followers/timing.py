"""When rows are made (pure): at once where some wait; fewer wait for more, for a while, since starting the worker costs
as much as five hundred rows.
"""

from dataclasses import dataclass

from crockery.limits import ROWS_AGE, ROWS_QUIET, ROWS_SOME


@dataclass(frozen=True, slots=True)
class Backlog:
    """What there is to do."""

    rows: int
    """That wait."""
    blocks: int
    """That wait for an erasure."""
    has_worker: bool
    """Whether one runs."""


class Timing:
    """Knows since when rows wait. Times are seconds of any clock."""

    def __init__(self, now: float) -> None:
        self._last_news = self._since = now

    def news(self, now: float, before: Backlog) -> None:
        """Rows are to be made."""
        self._last_news = now
        if not before.rows:
            self._since = now

    def is_time(self, now: float, backlog: Backlog) -> bool:
        """Whether to work at it now."""
        if backlog.rows >= ROWS_SOME or now - self._since >= ROWS_AGE:
            return True
        return now - self._last_news >= ROWS_QUIET and (backlog.has_worker or backlog.blocks > 0)
