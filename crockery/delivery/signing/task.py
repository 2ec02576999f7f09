"""Who signs: a thread, or where much leaves at once a process of its own.

A small message is read and signed while its envelope is being answered. The process is started when the thread has
signed many without a pause, and ended when there was nothing for some time. If it fails, the thread takes over what it
had. When keys change, what comes is the thread's again.
"""

import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
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


class _Employed:
    """A process that signs, and what it was given."""

    def __init__(self, process: Process, keys: list[DKIMKey]) -> None:
        self.keys = keys
        self.given: deque[_Job] = deque()
        """In order."""
        self._process = process
        self.end = process.end

    async def give(self, jobs: Iterable[_Job], now: int) -> None:
        """Let it sign messages; whether it does is seen in `work`."""
        messages = []
        for job in jobs:
            try:
                message = b"".join(job.pieces)
            except BodyUnreadable as error:
                job.finish(b"", error)
            else:
                job.pieces = (message,)  # should the thread have to do it
                messages.append(message)
                self.given.append(job)
        try:
            await self._process.sign(messages, now)
        except ChildFailed:
            await trio.lowlevel.checkpoint()

    async def work(self) -> None:
        """Take its signatures until it has nothing for some time. Raises ChildFailed."""
        while True:
            first = self.given[0] if self.given else None
            with trio.move_on_after(QUEUE_SIGNING_IDLE):
                for fields in await self._process.signatures():
                    if not self.given:
                        raise ChildFailed("it signs what it was not given")
                    self.given.popleft().finish(fields)
                continue
            if not self.given:
                return
            if self.given[0] is first:
                raise ChildFailed("it does not answer")


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
        self._employed: _Employed | None = None
        """The process that gets what comes."""
        self._is_employing = False
        """Whether there is a process, be it that it starts or ends."""

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
                await self._wait_for_work()
                jobs = [self._waiting.popleft() for _ in range(min(len(self._waiting), QUEUE_SIGNED))]
                if self._employed is not None and self._employed.keys != self._signer.known():
                    self._employed = None  # it ends when it is done
                if self._employed is not None:
                    await self._employed.give(jobs, self._signer.now)
                else:
                    await self._sign_in_thread(jobs)
                    if self._streak >= QUEUE_SIGNING_MANY and not self._is_employing:
                        self._is_employing = True
                        nursery.start_soon(self._employ)

    async def _wait_for_work(self) -> None:
        if self._waiting:
            return
        self._wake = trio.Event()
        with trio.move_on_after(QUEUE_SIGNING_PAUSE):
            await self._wake.wait()
            return
        self._streak = 0
        await self._wake.wait()

    async def _sign_in_thread(self, jobs: Sequence[_Job]) -> None:
        results = await trio.to_thread.run_sync(self._sign, jobs, self._signer.now)
        for job, result in zip(jobs, results, strict=True):
            job.finish(*result)
        self._streak += len(jobs)

    def _sign(self, jobs: Iterable[_Job], now: int) -> list[tuple[bytes, Exception | None]]:
        results: list[tuple[bytes, Exception | None]] = []
        for job in jobs:
            try:
                results.append((self._signer.sign(job.pieces, now), None))
            except Exception as error:
                results.append((b"", error))
        return results

    async def _employ(self) -> None:
        """Have a process sign, from its start to its end."""
        keys = self._signer.known()
        try:
            employed = self._employed = _Employed(await self._start(keys), keys)
        except (OSError, ChildFailed) as error:
            logger.warning("no process to sign mail: %s; a thread does it", error)
        else:
            await self._supervise(employed)
        finally:
            self._streak = 0
            self._is_employing = False

    async def _start(self, keys: Iterable[DKIMKey]) -> Process:
        octets = []
        for key in keys:
            with suppress(BodyUnreadable):
                octets.append((key.domain, key.selector, self._signer.octets(key)))
        with trio.move_on_after(QUEUE_SIGNING_IDLE):
            return await self._start_process(octets)
        raise ChildFailed("it does not start")

    async def _supervise(self, employed: _Employed) -> None:
        try:
            await employed.work()
        except ChildFailed as error:
            logger.warning("the process that signs mail failed: %s; a thread goes on", error)
        finally:
            if self._employed is employed:
                self._employed = None
            self._waiting.extendleft(reversed(employed.given))
            self._wake.set()
            await employed.end()
