"""Who signs: a thread, or where much leaves at once a process of its own.

A small message is read and signed while its envelope is being answered. The process is started when the thread has
signed many without a pause, and ended when there was nothing for some time. If it fails, the thread takes over what it
had.
"""

import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Final, Protocol

import trio

from crockery.children.child import ChildFailed
from crockery.delivery.signing.process import Keys, SigningProcess
from crockery.events.errors import BodyUnreadable
from crockery.limits import (
    QUEUE_PIECE,
    QUEUE_SIGNED,
    QUEUE_SIGNING_IDLE,
    QUEUE_SIGNING_MANY,
    QUEUE_SIGNING_PAUSE,
)
from crockery.projections.queue import QueuedMessage
from crockery.projections.signing import DKIMKey

logger: Final = logging.getLogger(__name__)


class Signer(Protocol):
    """What signs in a thread, and knows the keys: a `keys.Signer`."""

    @property
    def now(self) -> int: ...
    def signs(self, message: QueuedMessage) -> bool: ...
    def sign(self, pieces: Iterable[bytes], now: int) -> bytes: ...
    def known(self) -> list[DKIMKey]: ...
    def octets(self, key: DKIMKey) -> bytes: ...


class Process(Protocol):
    """What signs in another process: a `process.SigningProcess`."""

    async def sign(self, messages: Iterable[bytes], now: int) -> None: ...
    async def signatures(self) -> list[bytes]: ...
    async def end(self) -> None: ...


@dataclass(slots=True)
class _Job:
    """A message to be signed, and what came of it: a `sender.Signature`."""

    pieces: Iterable[bytes]
    done: trio.Event = field(default_factory=trio.Event)
    signed: bytes = b""
    error: Exception | None = None

    async def fields(self) -> bytes:
        """The fields. Raises BodyUnreadable. `run` must be running."""
        await self.done.wait()
        if self.error is not None:
            raise self.error
        return self.signed

    def finish(self, signed: bytes, error: Exception | None = None) -> None:
        """It is signed, or cannot be read."""
        self.signed, self.error = signed, error
        self.done.set()


@dataclass(slots=True, frozen=True)
class _Large:
    """A message that takes long to read, signed when its signature is asked for: a `sender.Signature`."""

    signer: Signer
    pieces: Iterable[bytes]

    async def fields(self) -> bytes:
        """The fields. Raises BodyUnreadable."""
        return await trio.to_thread.run_sync(self.signer.sign, self.pieces, self.signer.now)


class SigningTask:
    """A `sender.Sign`."""

    def __init__(
        self, signer: Signer, start_process: Callable[[Keys], Awaitable[Process]] = SigningProcess.start
    ) -> None:
        self._signer = signer
        self._start_process = start_process
        self._waiting: deque[_Job] = deque()
        self._wake = trio.Event()
        self._streak = 0
        """Messages signed by the thread with no pause between."""
        self._process: Process | None = None
        self._handed_over: deque[_Job] = deque()
        """What the process has, in order."""

    def __call__(self, message: QueuedMessage, pieces: Iterable[bytes]) -> _Job | _Large:
        """Begin to sign a message in pieces."""
        job = _Job(pieces)
        if not self._signer.signs(message):
            job.finish(b"")
        elif message.size > QUEUE_PIECE:  # those behind it need not wait for all of it to be read
            return _Large(self._signer, pieces)
        else:
            self._waiting.append(job)
            self._wake.set()
        return job

    async def run(self) -> None:
        """Sign until cancelled."""
        async with trio.open_nursery() as nursery:
            while True:
                with trio.move_on_after(QUEUE_SIGNING_PAUSE):
                    await self._wake.wait()
                if not self._wake.is_set():
                    self._streak = 0
                    await self._wake.wait()
                self._wake = trio.Event()
                if self._process is not None:
                    await self._hand_over(self._process)
                    continue
                before = self._streak
                await self._sign_some()
                if before < QUEUE_SIGNING_MANY <= self._streak:
                    nursery.start_soon(self._employ_process)

    async def _sign_some(self) -> None:
        jobs = [self._waiting.popleft() for _ in range(min(len(self._waiting), QUEUE_SIGNED))]
        results = await trio.to_thread.run_sync(self._sign, jobs, self._signer.now)
        for job, result in zip(jobs, results, strict=True):
            job.finish(*result)
        self._streak += len(jobs)
        if self._waiting:
            self._wake.set()

    def _sign(self, jobs: Iterable[_Job], now: int) -> list[tuple[bytes, Exception | None]]:
        results: list[tuple[bytes, Exception | None]] = []
        for job in jobs:
            try:
                results.append((self._signer.sign(job.pieces, now), None))
            except Exception as error:
                results.append((b"", error))
        return results

    async def _hand_over(self, process: Process) -> None:
        """Let the process sign what waits; whether it does is seen in `_employ_process`."""
        messages = []
        while self._waiting:
            job = self._waiting.popleft()
            try:
                message = b"".join(job.pieces)
            except BodyUnreadable as error:
                job.finish(b"", error)
            else:
                job.pieces = (message,)  # should the thread have to do it
                messages.append(message)
                self._handed_over.append(job)
        try:
            await process.sign(messages, self._signer.now)
        except ChildFailed:
            await trio.lowlevel.checkpoint()

    async def _employ_process(self) -> None:
        keys = self._signer.known()
        try:
            octets = [(key.domain, key.selector, self._signer.octets(key)) for key in keys]
            process = await self._start_process(octets)
        except (OSError, ChildFailed, BodyUnreadable) as error:
            logger.warning("no process to sign mail: %s; a thread does it", error)
            return
        self._process = process
        try:
            while keys == self._signer.known() and await self._take_signatures(process):
                pass
        except ChildFailed as error:
            logger.warning("the process that signs mail failed: %s; a thread goes on", error)
        finally:
            self._process, self._streak = None, 0
            self._waiting.extendleft(reversed(self._handed_over))
            self._handed_over.clear()
            self._wake.set()
            await process.end()

    async def _take_signatures(self, process: Process) -> bool:
        """Those that came; False: there was nothing to sign for some time. Raises ChildFailed."""
        with trio.move_on_after(QUEUE_SIGNING_IDLE):
            for fields in await process.signatures():
                self._handed_over.popleft().finish(fields)
            return True
        if self._handed_over:
            raise ChildFailed("it does not answer")
        return False
