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
from typing import Final

SIZE: Final = (50, 160)
PATIENCE: Final = 60.0
ESCAPES: Final = re.compile(rb"\x1b(?:[\[(][0-9;?]*[a-zA-Z]?|[=>78])")


def drive(command: list[str], env: dict[str, str]) -> str:
    """Run `command`, whose keys are pushed by its own settings; returns what it showed.

    Raises TimeoutError, with what was shown, when it does not end.
    """
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", *SIZE, 0, 0))
    program = subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True, env=env | {"TERM": "xterm"}
    )
    os.close(theirs)
    shown = b""
    deadline = time.monotonic() + PATIENCE
    try:
        while program.poll() is None:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{command[0]} does not end; it shows {_plain(shown)[-2000:]!r}")
            if select.select([ours], [], [], 0.1)[0]:
                with contextlib.suppress(OSError):  # the program has closed it
                    shown += os.read(ours, 65536)
    finally:
        program.kill()
        program.wait()
        os.close(ours)
    return _plain(shown)


def _plain(shown: bytes) -> str:
    return ESCAPES.sub(b"", shown).decode("utf-8", "replace")
