"""Erases what is given up (design §2): first the event, durable, then zeros and a hole, then they are synced.

Interrupted in between, the next start does it again. What is due by time waits while the clock is unproven.
"""

import logging
from collections.abc import Sequence
from typing import Final

import trio

from crockery import limits
from crockery.actions.erase import note_erased, replaced_secrets, retention_ended, unreferenced_parts
from crockery.actions.store import Store
from crockery.events.errors import LogFailed, LogFull
from crockery.events.log import Appended
from crockery.events.writer import Writer
from crockery.net.clock import ClockWatch

logger: Final = logging.getLogger(__name__)


class Eraser:
    """One task."""

    def __init__(self, store: Store, writer: Writer, clock: ClockWatch) -> None:
        self._store = store
        self._writer = writer
        self._clock = clock
        self._wake = trio.Event()
        self._interrupted = sorted(store.state.retention.unfinished)
        self._abandoned = unreferenced_parts(store)  # those of this start: no message is coming in yet

    def on_durable(self, batch: Sequence[Appended]) -> None:
        """A listener of the writer: replaced secrets go at once."""
        if self._store.state.retention.replaced_secrets:
            self._wake.set()

    async def run(self) -> None:
        """Erase, until cancelled. Raises LogFailed."""
        if self._interrupted:
            await self._overwrite(self._interrupted)
        await self._erase(self._abandoned, "parts of messages that never came to their end")
        while True:
            await self.work()
            with trio.move_on_after(limits.ERASE_INTERVAL):
                await self._wake.wait()
            self._wake = trio.Event()

    async def work(self) -> None:
        """Erase what is to be erased now."""
        await self._erase(replaced_secrets(self._store), "replaced")
        while self._clock.is_proven:
            due = retention_ended(self._store, self._store.clock())
            if not due or not await self._erase(due, "retention ended"):
                return

    async def _erase(self, numbers: Sequence[int], why: str) -> bool:
        if not numbers:
            return True
        with trio.CancelScope(shield=True):  # once said it is done: an orderly stop says that nothing is unfinished
            try:
                note_erased(self._store, numbers, why)
            except LogFull as error:
                logger.error("nothing is erased: %s", error)
                return False
            await self._writer.wait_durable(self._store.log.head)
            await self._overwrite(numbers)
        return True

    async def _overwrite(self, numbers: Sequence[int]) -> None:
        log = self._store.log
        with trio.CancelScope(shield=True):
            try:
                await trio.to_thread.run_sync(log.erase_bodies, numbers)
                await trio.to_thread.run_sync(log.file.sync)
            except OSError as error:
                log.failed = f"erasing failed ({error}): check the disk and restart"
                raise LogFailed(log.failed) from error
