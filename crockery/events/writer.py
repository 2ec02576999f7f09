"""Group commit: one task writes and syncs what was appended, and tells those who wait.

A failed write or sync is final: what is on disk is not known any more, so the process must stop, having told nobody:
`run` raises, and whoever waits gets the error instead of a return.
"""

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
        self._batch: Batch | None = None
        """Taken from the log and not durable yet; it stays here until it is, whoever is cancelled meanwhile."""
        self._wake = trio.Event()
        self._in_flight = trio.Event()
        self._queued = trio.Event()
        self._thread = trio.CapacityLimiter(1)  # its own: others may have all threads busy
        log.on_append = self._wake_up
        if log.head > log.durable:  # appended before there was a writer
            self._wake.set()

    def _wake_up(self) -> None:
        self._wake.set()

    async def wait_durable(self, sequence: int) -> None:
        """Return once the event is on disk. At once, without a checkpoint, when it is already.

        Raises LogFailed when the log has failed: then nothing may be told any more, whatever it rests on.
        """
        while True:
            if self.log.failed is not None:
                raise LogFailed(self.log.failed)
            if sequence <= self.log.durable:
                return
            in_flight = self._batch is not None and sequence <= self._batch.last
            await (self._in_flight if in_flight else self._queued).wait()

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Write batches until cancelled; on cancellation what was appended is still written.

        Raises LogFailed when a write or sync fails, or an append has.
        """
        task_status.started()
        try:
            while True:
                await self._wake.wait()
                self._wake = trio.Event()
                await self._commit()
        finally:
            if self.log.failed is None:
                with trio.move_on_after(STOP_SYNC, shield=True):
                    await self._commit()
                if self._batch is not None:
                    logger.error("stopping with %d events that found no room on the disk", len(self._batch.appended))

    async def _commit(self) -> None:
        """Write what was taken but not written, then what is queued."""
        while True:
            if self.log.failed is not None:
                self._fail(self.log.failed)
            if self._batch is None:
                self._batch = self.log.take_batch()
                if self._batch is None:
                    return
                self._in_flight, self._queued = self._queued, trio.Event()
            await self._write(self._batch)
            batch, self._batch = self._batch, None
            self.log.batch_done(batch)
            self._in_flight.set()
            for listener in self.listeners:
                listener(batch.appended)

    async def _write(self, batch: Batch) -> None:
        """Return when the batch is durable; while the disk is full, try again and again."""
        try:
            while not await self._try_write(batch):
                self.log.cut_back(batch)
                logger.error("the disk is full; %d events wait for room", len(batch.appended))
                await trio.sleep(FULL_DISK_RETRY)
        except (OSError, LogFailed) as error:
            self._fail(f"{error}: nothing was acknowledged since; check the disk and restart", error)

    async def _try_write(self, batch: Batch) -> bool:
        write = trio.to_thread.run_sync
        with trio.CancelScope(shield=True):  # not to be cancelled before the thread starts
            written = await write(self.log.write_batch, batch, limiter=self._thread)
        return bool(written)

    def _fail(self, reason: str, cause: BaseException | None = None) -> None:
        self.log.failed = reason
        self._in_flight.set()
        self._queued.set()
        raise LogFailed(reason) from cause
