"""When rows are made (pure): at once where some wait; fewer wait for more, for a while, since starting the worker costs
as much as five hundred rows.
"""

from crockery.limits import ROWS_AGE, ROWS_QUIET, ROWS_SOME


class Timing:
    """Knows since when rows wait. Times are seconds of any clock."""

    def __init__(self, now: float) -> None:
        self._last_news = self._since = now

    def news(self, now: float, waiting: int) -> None:
        """There are rows to be made; before them `waiting` waited."""
        self._last_news = now
        if not waiting:
            self._since = now

    def is_quiet(self, now: float) -> bool:
        """Whether nothing came for a moment."""
        return now - self._last_news >= ROWS_QUIET

    def is_time(self, now: float, waiting: int, *, has_worker: bool) -> bool:
        """Whether to make those that wait now."""
        if not waiting:
            return False
        return waiting >= ROWS_SOME or now - self._since >= ROWS_AGE or (has_worker and self.is_quiet(now))
