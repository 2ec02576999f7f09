"""A child process as the server sees it."""

import os
import signal
import sys
from contextlib import suppress
from enum import IntEnum
from fcntl import F_SETPIPE_SZ, fcntl
from subprocess import PIPE
from typing import Any

import trio

from crockery.children.frames import RECEIVE, BadFrame, Frame, Receiver


class ChildFailed(Exception):
    """The child has ended, or answers nonsense; str() says how."""


def values_of(frame: Frame, kind: IntEnum) -> list[Any]:
    """Of a frame from a child, which must be of this kind. Raises ChildFailed."""
    try:
        return frame.values_of(kind)
    except BadFrame as error:
        raise ChildFailed(str(error)) from error


class Child:
    """A child that runs. `start` makes one; who cancels one of its calls can only `end` it."""

    def __init__(self, process: trio.Process) -> None:
        self._process = process
        self._receiver = Receiver()
        self.process_id = process.pid

    @classmethod
    async def start(cls, module: str, *arguments: str) -> "Child":
        """Run a module of ours as a program. Raises OSError."""
        command = [sys.executable, "-m", module, *arguments]
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}  # of NumPy: threads would cost memory for nothing
        process = await trio.lowlevel.open_process(command, env=environment, stdin=PIPE, stdout=PIPE)
        with suppress(OSError):  # who may have no more has smaller ones
            fcntl(process.stdout.fileno(), F_SETPIPE_SZ, RECEIVE)  # type: ignore[union-attr]
        return cls(process)

    @classmethod
    async def start_ready(cls, told: bytes, ready: IntEnum, module: str, *arguments: str) -> "Child":
        """The same, `told` something, encoded, and it has answered with a `ready`. Raises OSError, ChildFailed."""
        child = await cls.start(module, *arguments)
        try:
            await child.send(told)
            values_of(await child.receive(), ready)
        except BaseException:
            await child.end()
            raise
        return child

    async def send(self, frames: bytes) -> None:
        """Tell it something, encoded. Raises ChildFailed."""
        assert self._process.stdin is not None
        try:
            await self._process.stdin.send_all(frames)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            raise await self._failure() from None

    def receive_now(self) -> Frame | None:
        """The next frame if it has come along with others. Raises ChildFailed."""
        try:
            return self._receiver.next_frame()
        except BadFrame as error:
            raise ChildFailed(str(error)) from error

    async def receive(self) -> Frame:
        """The next frame from it. Raises ChildFailed."""
        assert self._process.stdout is not None
        while True:
            frame = self.receive_now()
            if frame is not None:
                return frame
            data = await self._process.stdout.receive_some(RECEIVE)
            if not data:
                raise await self._failure()
            self._receiver.receive_data(data)

    async def end(self) -> None:
        """End it at once, whatever it does; harmless when repeated."""
        with trio.CancelScope(shield=True):
            self._process.kill()
            await self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    await pipe.aclose()

    async def _failure(self) -> ChildFailed:
        status = await self._process.wait()
        return ChildFailed(f"ended by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}")
