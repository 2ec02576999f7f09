"""Octets of messages in flight, over all sessions: the bound on memory that strangers can make us use.

Whoever asks first is served first, so that a large message is not passed over for ever by small ones.
"""

from collections import deque

import trio

from crockery import limits


class Budget:
    """A bound on octets held. Whoever takes gives back, in `finally`."""

    def __init__(self, total: int = limits.MESSAGE_BUDGET, wait: float = limits.BUDGET_WAIT) -> None:
        self.total = total
        self.used = 0
        self._wait = wait
        self._waiting: deque[tuple[int, trio.Event]] = deque()

    async def take(self, octets: int) -> None:
        """Take a share, waiting for others to give theirs back; more than `total` passes when nobody else has any.

        Without a checkpoint when there is room. Raises trio.TooSlowError after `limits.BUDGET_WAIT`.
        """
        if not self._waiting and self._fits(octets):
            self.used += octets
            return
        entry = (octets, trio.Event())
        self._waiting.append(entry)
        try:
            with trio.fail_after(self._wait):
                await entry[1].wait()
        except BaseException:
            if entry in self._waiting:
                self._waiting.remove(entry)
                self._serve()
            else:  # our turn came in the same moment
                self.give(octets)
            raise

    def give(self, octets: int) -> None:
        """Give a share back."""
        self.used -= octets
        self._serve()

    def _fits(self, octets: int) -> bool:
        return self.used == 0 or self.used + octets <= self.total

    def _serve(self) -> None:
        while self._waiting and self._fits(self._waiting[0][0]):
            octets, turn = self._waiting.popleft()
            self.used += octets
            turn.set()
