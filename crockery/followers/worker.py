"""The child process that makes rows, as the server sees it: one batch after the other, over its stdin and stdout."""

import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from fcntl import F_SETPIPE_SZ, fcntl
from pathlib import Path
from subprocess import PIPE
from typing import Final

import trio

from crockery.followers.wire import BadFrame, Frame, Kind, Receiver, encode
from crockery.projections.rows import AllBegun, Made, Wanted

_RECEIVE: Final = 1 << 20
"""Octets that come at once: a batch is answered in one or two turns of the loop."""


class WorkerFailed(Exception):
    """The child has ended, or answers nonsense; str() says how."""


class Worker:
    """A child that is ready. `start` makes one; who cancels one of its calls can only `end` it."""

    def __init__(self, process: trio.Process, find: Callable[[int], int | None]) -> None:
        self._process = process
        self._find = find
        self._receiver = Receiver()

    @classmethod
    async def start(cls, log: Path, begun: AllBegun, find: Callable[[int], int | None]) -> "Worker":
        """Start a child that goes on from `begun`; `find` knows where records are. Raises OSError, WorkerFailed."""
        command = [sys.executable, "-m", "crockery.followers.child", str(log)]
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}  # of NumPy: threads would cost memory for nothing
        process = await trio.lowlevel.open_process(command, env=environment, stdin=PIPE, stdout=PIPE)
        with suppress(OSError):  # who may have no more has smaller ones
            fcntl(process.stdout.fileno(), F_SETPIPE_SZ, _RECEIVE)  # type: ignore[union-attr]
        worker = cls(process, find)
        try:
            await worker._send(encode(Kind.BEGIN, *begun))
            await worker._receive(Kind.READY)
        except BaseException:
            await worker.end()
            raise
        return worker

    async def make(self, wanted: Wanted) -> Made:
        """Have rows made. Raises WorkerFailed."""
        await self._send(encode(Kind.MAKE, *wanted, [self._find(number) for number in wanted.numbers]))
        try:
            return (await self._receive(Kind.MADE)).made()
        except BadFrame as error:
            raise WorkerFailed(str(error)) from error

    async def end(self) -> None:
        """End it at once, whatever it does; harmless when repeated."""
        with trio.CancelScope(shield=True):
            self._process.kill()
            await self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    await pipe.aclose()

    async def _send(self, data: bytes) -> None:
        assert self._process.stdin is not None
        try:
            await self._process.stdin.send_all(data)
        except trio.BrokenResourceError:
            raise await self._failure() from None

    async def _receive(self, kind: Kind) -> Frame:
        """The next frame, which must be of this kind; on the way the child is told where records are."""
        assert self._process.stdout is not None
        while True:
            try:
                frame = self._receiver.next_frame()
            except BadFrame as error:
                raise WorkerFailed(str(error)) from error
            if frame is None:
                data = await self._process.stdout.receive_some(_RECEIVE)
                if not data:
                    raise await self._failure()
                self._receiver.receive_data(data)
            elif frame.kind is Kind.WHERE:
                await self._send(encode(Kind.THERE, self._find(*frame.values)))
            elif frame.kind is kind:
                return frame
            else:
                raise WorkerFailed(f"{frame.kind.name} instead of {kind.name}")

    async def _failure(self) -> WorkerFailed:
        status = await self._process.wait()
        return WorkerFailed(f"ended by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}")
