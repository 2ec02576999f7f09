"""How to run: what the command line can say, and what tests need."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from crockery.app.outgoing import World
from crockery.events.recover import Progress
from crockery.net.passwords import PasswordHasher


def wall_clock() -> int:
    """Microseconds since 1970."""
    return time.time_ns() // 1000


@dataclass(frozen=True, slots=True)
class Options:
    """Everything but the log's path has a default."""

    log: Path
    bind: tuple[str, ...] = ()
    """IP addresses to listen on; none: all of this machine."""
    port_offset: int = 0
    """Added to 25, 465, 587, 143, 993."""
    any_port: bool = False
    """Take any free ports; `Server.ports` tells which."""
    restored: bool = False
    """The log is a copy whose original may have gone on (design §2)."""
    progress: Progress | None = None
    """Told how far reading the log is."""
    hasher: PasswordHasher = field(default_factory=PasswordHasher)
    clock: Callable[[], int] = wall_clock
    """Microseconds since 1970."""
    snapshot: bool = True
    """Leave a snapshot at an orderly stop: a child process, half a second."""
    world: World | None = field(default_factory=World)
    """Where outgoing mail goes; None: it stays in the queue."""
