"""What strangers did (refused connections, recipients, logins), as counts: at most one event a minute."""

import trio

from crockery import limits
from crockery.actions.server import tally
from crockery.actions.store import Store
from crockery.events.errors import LogFull


class Tally:
    """Counts by kind, written by and by. Kinds are words of the program, never of a peer."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._since = store.now
        self.counts: dict[str, int] = {}
        """Since the last event."""

    def count(self, kind: str, n: int = 1) -> None:
        """Note `n` more of a kind, as "smtp-recipient-refused"."""
        self.counts[kind] = self.counts.get(kind, 0) + n

    async def run(self) -> None:
        """Write a Tallied event now and then, until cancelled; the last counts are written then."""
        try:
            while True:
                await trio.sleep(limits.TALLY_INTERVAL)
                self.flush()
        finally:
            self.flush()

    def flush(self) -> None:
        """Write what there is."""
        if not self.counts or self._store.log.failed is not None:
            return
        try:
            tally(self._store, self._since, self.counts)
        except LogFull:
            return  # they are not lost: the next time writes them
        self.counts, self._since = {}, self._store.now
