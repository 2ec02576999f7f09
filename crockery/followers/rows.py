"""Rows of the files `structure` and `text` are made by a worker; what becomes of messages that defeat it.

It is started when it is time for some (`timing`), and ended when there was nothing for some time. If it dies, the
messages it had are tried again, fewer at a time; one that defeats it alone is passed over, as one that cannot be read
is: whoever asks for it has it computed.
"""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import trio

from crockery.children.child import ChildFailed
from crockery.events.log import Log
from crockery.followers.timing import Timing
from crockery.followers.worker import Worker
from crockery.limits import ROWS_BATCH, ROWS_IDLE, ROWS_LOOK
from crockery.projections.rows import RowFiles, Wanted
from crockery.projections.structure import Structures
from crockery.projections.text import Texts

logger: Final = logging.getLogger(__name__)

Numbers = npt.NDArray[np.uint64]


class RowFollower:
    """Both files of one server, kept up with its log at `path`."""

    def __init__(self, path: Path, log: Log, structures: Structures, texts: Texts) -> None:
        self.files = RowFiles(structures, texts)
        self._path = path
        self._find = log.catalog.find_kept
        self._worker: Worker | None = None
        self._losses = 0
        """Those that the worker knows."""
        self._batch = ROWS_BATCH
        self._lock = trio.Lock()
        self._news = trio.Event()
        self._timing = Timing(0)

    def follow(self, numbers: Sequence[int] | Numbers) -> None:
        """Note new messages, in order of number."""
        self._timing.news(trio.current_time(), self.files.waiting)
        self.files.follow(numbers)
        self._news.set()

    def erase(self, numbers: Sequence[int]) -> None:
        """Forget messages whose bodies are erased."""
        self.files.erase(numbers)
        self._news.set()

    async def run(self) -> None:
        """Follow until cancelled. Raises OSError when that cannot go on."""
        self._timing = Timing(trio.current_time())
        self._news.set()
        try:
            while True:
                with trio.move_on_after(ROWS_IDLE):
                    await self._news.wait()
                if not self._news.is_set():
                    await self._end_worker()
                    await self._news.wait()
                self._news = trio.Event()
                while self.files.backlog:
                    now, has_worker = trio.current_time(), self._worker is not None
                    if self._timing.is_time(now, self.files.waiting, has_worker=has_worker):
                        await self.make_some()
                    elif self.files.blocks_to_erase and self._timing.is_quiet(now):
                        async with self._lock:
                            self.files.erase_some(1)
                    else:
                        await trio.sleep(ROWS_LOOK)
        finally:
            await self._end_worker()

    async def make_some(self) -> None:
        """Rows for some of the messages that wait. Raises OSError."""
        async with self._lock:
            self.files.erase_some(1)
            wanted = self.files.next(self._batch)
            if wanted is None:
                await trio.lowlevel.checkpoint()
                return
            worker = await self._ready_worker()
            try:
                made = await worker.make(wanted)
            except ChildFailed as error:
                await self._failed(wanted, error)
            except BaseException:
                await self._end_worker()
                raise
            else:
                if self._losses == self.files.losses:  # else it may have made rows of what is erased by now
                    self.files.add(wanted, made)
                    self._batch = min(2 * self._batch, ROWS_BATCH)

    async def clear(self, numbers: Numbers) -> None:
        """Forget all rows: those of these messages, which are all, wait to be made anew. Raises OSError."""
        async with self._lock:
            self.files.clear()
            self.follow(numbers)

    def close(self) -> None:
        """Close the files. Raises OSError."""
        self.files.close()

    async def _ready_worker(self) -> Worker:
        """The worker, which knows where the files are. Raises OSError."""
        if self._worker is not None and self._losses == self.files.losses:
            return self._worker
        await self._end_worker()
        losses = self.files.losses
        try:
            self._worker = await Worker.start(self._path, self.files.begun, self._find)
        except ChildFailed as error:
            raise OSError(f"the process that makes rows does not start: {error}") from error
        self._losses = losses
        return self._worker

    async def _failed(self, wanted: Wanted, error: ChildFailed) -> None:
        await self._end_worker()
        if len(wanted.numbers) == 1:
            logger.warning("message %d defeats what makes rows: %s; it has none", wanted.numbers[0], error)
            self.files.pass_over(wanted)
        self._batch = 1

    async def _end_worker(self) -> None:
        worker, self._worker = self._worker, None
        if worker is not None:
            await worker.end()
