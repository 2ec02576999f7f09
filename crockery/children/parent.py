"""The server as its child sees it: at the other end of stdin and stdout. A child ends when its stdin does, which is
when the server ended, however that came.
"""

import os
import resource
import signal
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from crockery.children.frames import RECEIVE, Frame, Receiver, encode

_STDIN: Final = 0
_STDOUT: Final = 1


class Ended(Exception):
    """The server is gone, or wants no more."""


class Parent:
    """What is at the other end of stdin and stdout."""

    def __init__(self) -> None:
        self._receiver = Receiver()

    def send(self, kind: int, *values: object) -> None:
        """Raises BrokenPipeError."""
        left = memoryview(encode(kind, *values))
        while left:
            left = left[os.write(_STDOUT, left) :]

    def receive(self) -> Frame:
        """The next frame. Raises Ended, BadFrame."""
        while (frame := self._receiver.next_frame()) is None:
            data = os.read(_STDIN, RECEIVE)
            if not data:
                raise Ended
            self._receiver.receive_data(data)
        return frame


def run(serve: Callable[[Parent], None]) -> int:
    """Be a child until the server is gone or wants no more; returns the status of the process.

    A child writes no file and leaves no core. The signals that stop the server may be sent to all that runs for it:
    they are the server's affair, which ends its children itself.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(Ended, BrokenPipeError):
        serve(Parent())
    return 0
