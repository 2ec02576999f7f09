"""Where the control socket is, and who is at its other end. Imports little: every command begins here."""

import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def socket_path(log: Path) -> Path:
    """The socket beside a log."""
    return log.with_name(log.name + ".sock")


@contextmanager
def short_path(path: Path) -> Iterator[str]:
    """A name for a socket that fits the 108 octets of sockaddr_un, through its open folder."""
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def user_name(uid: int) -> str:
    """A user of this machine as the log calls them."""
    try:
        return f"user {pwd.getpwuid(uid).pw_name}"
    except KeyError:
        return f"user {uid}"
