"""The server as its child sees it: at the other end of stdin and stdout. A child ends when its stdin does, which is
when the server ended, however that came.
"""

import os
import signal
from typing import Final

from crockery.children.frames import Frame, Receiver, encode

_STDIN: Final = 0
_STDOUT: Final = 1
_RECEIVE: Final = 1 << 20


class Ended(Exception):
    """The server is gone, or wants no more."""


def ignore_signals() -> None:
    """Those that stop the server, which may be sent to all that runs for it: it ends its children itself."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


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
            data = os.read(_STDIN, _RECEIVE)
            if not data:
                raise Ended
            self._receiver.receive_data(data)
        return frame
