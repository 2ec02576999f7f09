"""When rows are made (pure).

Some are made at once when no mail has come for a moment, or when somebody asks for one that is not there; fewer wait
for more, for a while, since starting the worker costs as much as five hundred rows. While mail pours in they wait: the
worker would need the core that takes it in.
"""

from dataclasses import dataclass

from crockery.limits import ROWS_AGE, ROWS_MANY, ROWS_QUIET, ROWS_SOME


@dataclass(frozen=True, slots=True)
class Backlog:
    """What there is to do."""

    rows: int
    """That wait."""
    blocks: int
    """That wait for an erasure."""
    missed: int
    """Rows that somebody asked for and were not there, since the start."""
    has_worker: bool
    """Whether one runs."""


class Timing:
    """Knows since when rows wait. Times are seconds of any clock."""

    def __init__(self, now: float) -> None:
        self._last_news = self._since = now
        self._missed = 0

    def news(self, now: float, before: Backlog) -> None:
        """Rows are to be made, or taken away."""
        self._last_news = now
        if not before.rows:
            self._since, self._missed = now, before.missed

    def is_time(self, now: float, backlog: Backlog) -> bool:
        """Whether to work at it now."""
        if now - self._since >= ROWS_AGE or backlog.rows >= ROWS_MANY:
            return True
        if now - self._last_news >= ROWS_QUIET:
            return backlog.rows >= ROWS_SOME or backlog.has_worker or backlog.blocks > 0
        return backlog.rows >= ROWS_SOME and backlog.missed != self._missed
