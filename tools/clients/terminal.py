"""A program that wants a terminal."""

import contextlib
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Iterator
from typing import Final

from tools.crash import TIMEOUT

SIZE: Final = (50, 160)
ESCAPES: Final = re.compile(rb"\x1b(?:[\[(][0-9;?]*[a-zA-Z]?|[=>78])")


class Terminal:
    """A program on a terminal of its own, and what it has shown."""

    def __init__(self, command: list[str], env: dict[str, str]) -> None:
        self._name = command[0]
        self._shown = b""
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", *SIZE, 0, 0))
        self._program = subprocess.Popen(
            command,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # some open /dev/tty
            env=env | {"TERM": "xterm"},
        )
        os.close(theirs)

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self._ours, keys.encode())

    def wait(self, what: str, truth: Callable[[], bool]) -> None:
        """Read on until it is so. Raises TimeoutError, with `what` and the last it showed."""
        deadline = time.monotonic() + TIMEOUT
        while not truth():
            if time.monotonic() > deadline or (self.has_ended() and not truth()):
                raise TimeoutError(f"{self._name}: {what} does not come; it shows {self.shown()[-2000:]!r}")
            if select.select([self._ours], [], [], 0.1)[0]:
                with contextlib.suppress(OSError):  # the program has closed it
                    self._shown += os.read(self._ours, 65536)

    def wait_for(self, text: str) -> None:
        """Until it shows a text that it has not shown before this call; see `wait`."""
        begin = len(self._shown)
        self.wait(text, lambda: text in _plain(self._shown[begin:]))

    def has_ended(self) -> bool:
        """Whether the program has."""
        return self._program.poll() is not None

    def shown(self) -> str:
        """All it has shown, without escape sequences."""
        return _plain(self._shown)

    def close(self) -> None:
        """Kill it if it is still there."""
        self._program.kill()
        self._program.wait()
        os.close(self._ours)


@contextlib.contextmanager
def on_terminal(command: list[str], env: dict[str, str]) -> Iterator[Terminal]:
    """Start `command`; it is killed at the end if it is still there."""
    terminal = Terminal(command, env)
    try:
        yield terminal
    finally:
        terminal.close()


def drive(command: list[str], env: dict[str, str]) -> str:
    """Run `command`, whose keys are pushed by its own settings; returns what it showed.

    Raises TimeoutError, with what was shown, when it does not end.
    """
    with on_terminal(command, env) as terminal:
        terminal.wait("its end", terminal.has_ended)
        return terminal.shown()


def _plain(shown: bytes) -> str:
    return ESCAPES.sub(b"", shown).decode("utf-8", "replace")
