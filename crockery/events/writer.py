"""Group commit: one task writes and syncs what was appended, and tells those who wait.

A failed sync is final: what is on disk is not known any more, so the process must stop, having told nobody.
"""

import errno
import logging
from collections.abc import Callable, Sequence
from typing import Final

import trio

from crockery.events.errors import LogFailed
from crockery.events.log import Appended, Batch, Log
from crockery.limits import FULL_DISK_RETRY, STOP_SYNC

logger: Final = logging.getLogger(__name__)

Listener = Callable[[Sequence[Appended]], None]
"""Called with the events of a batch once they are durable: followers, sessions that wait for changes."""


class Writer:
    """Writes the batches of one log."""

    def __init__(self, log: Log) -> None:
        self.log = log
        self.listeners: list[Listener] = []
        self._wake = trio.Event()
        self._queued = trio.Event()
        self._in_flight = trio.Event()
        self._in_flight_last = log.durable
        log.on_append = self._wake_up

    def _wake_up(self) -> None:
        self._wake.set()

    async def wait_durable(self, sequence: int) -> None:
        """Return once the event is on disk. At once, without a checkpoint, when it is already."""
        while sequence > self.log.durable:
            await (self._in_flight if sequence <= self._in_flight_last else self._queued).wait()

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Write batches until cancelled; on cancellation what was appended is still written.

        Raises LogFailed when a write or sync fails.
        """
        task_status.started()
        try:
            while True:
                await self._wake.wait()
                if self.log.failed is not None:
                    raise LogFailed(self.log.failed)
                await self._commit()
        finally:
            if self.log.failed is None:
                with trio.move_on_after(STOP_SYNC, shield=True):
                    await self._commit()

    async def _commit(self) -> None:
        self._wake = trio.Event()
        batch = self.log.take_batch()
        if batch is None:
            return
        self._in_flight, self._queued = self._queued, trio.Event()
        self._in_flight_last = batch.last
        await self._write(batch)
        self.log.batch_done(batch)
        self._in_flight.set()
        for listener in self.listeners:
            listener(batch.appended)

    async def _write(self, batch: Batch) -> None:
        try:
            while not await self._try_write(batch):
                logger.error("the disk is full; %d events wait for room", len(batch.appended))
                await trio.sleep(FULL_DISK_RETRY)
        except (OSError, LogFailed) as error:
            self.log.failed = f"{error}: nothing was acknowledged since; check the disk and restart"
            raise LogFailed(self.log.failed) from error

    async def _try_write(self, batch: Batch) -> bool:
        """False when there was no room; what was written of it is cut off again."""
        try:
            await trio.to_thread.run_sync(self.log.write_batch, batch)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            self.log.cut_back(batch)
            return False
        return True
