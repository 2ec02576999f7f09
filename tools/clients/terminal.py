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

import pyte

from tools.crash import TIMEOUT

SIZE: Final = (50, 160)
ESCAPES: Final = re.compile(rb"\x1b(?:[\[(][0-9;?]*[a-zA-Z]?|[=>78])")


class Terminal:
    """A program on a terminal of its own, what it has shown, and what its screen shows now."""

    def __init__(self, command: list[str], env: dict[str, str]) -> None:
        self._name = command[0]
        self._shown = b""
        self._screen = pyte.Screen(SIZE[1], SIZE[0])
        self._emulator = pyte.ByteStream(self._screen)
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
                raise TimeoutError(f"{self._name}: {what} does not come; it shows {self._picture()}")
            if select.select([self._ours], [], [], 0.1)[0]:
                with contextlib.suppress(OSError):  # the program has closed it
                    read = os.read(self._ours, 65536)
                    self._shown += read
                    self._emulator.feed(read)

    def wait_for(self, text: str) -> None:
        """Until the screen shows a text; see `wait`."""
        self.wait(text, lambda: self.shows(text))

    def wait_without(self, text: str) -> None:
        """Until the screen shows a text no more; see `wait`."""
        self.wait(f"a screen without {text}", lambda: not self.shows(text))

    def shows(self, text: str) -> bool:
        """Whether a line of the screen has this text now."""
        return any(text in line for line in self._screen.display)

    def has_ended(self) -> bool:
        """Whether the program has."""
        return self._program.poll() is not None

    def shown(self) -> str:
        """All it has ever shown, without escape sequences: programs draw only what changes."""
        return ESCAPES.sub(b"", self._shown).decode("utf-8", "replace")

    def close(self) -> None:
        """Kill it if it is still there."""
        self._program.kill()
        self._program.wait()
        os.close(self._ours)

    def _picture(self) -> str:
        return "\n".join(line.rstrip() for line in self._screen.display if line.strip())


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
