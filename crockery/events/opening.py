"""Making and opening a log file: header, lock, replay, and the unfinished tail kept aside and cut."""

import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from crockery.events.catalog import Catalog
from crockery.events.facts import FactsReader
from crockery.events.file import LogFile, OSFile, sync_folder
from crockery.events.format import encode_header
from crockery.events.log import Apply, Log
from crockery.events.recover import Progress, Recovered, replay
from crockery.events.scan import Position


class Opened(NamedTuple):
    """An open log, what replay found, and where an unfinished tail was kept (None: there was none)."""

    log: Log
    recovered: Recovered
    tail: Path | None


def derived_folder(path: Path) -> Path:
    """The folder of derived files beside a log."""
    return path.with_name(path.name + ".d")


def create_log(path: Path, clock: Callable[[], int]) -> None:
    """Make a log file with a header and nothing else; raises FileExistsError, OSError."""
    file = OSFile(path, create=True)
    try:
        file.write([encode_header(secrets.token_bytes(16), clock(), secrets.token_bytes(32))], 0)
        os.fsync(file.fd)
    finally:
        file.close()
    sync_folder(path.parent)


def open_log(
    path: Path,
    apply: Apply,
    clock: Callable[[], int],
    *,
    start: Position | None = None,
    catalog: Catalog | None = None,
    facts: FactsReader | None = None,
    progress: Progress | None = None,
) -> Opened:
    """Open for writing. `start` and `catalog` come from a snapshot, when there is one that fits.

    Raises LogMissing, LogLocked, NotALog, LogDamaged, UnknownEvent, OSError.
    """
    file = OSFile(path)
    try:
        return open_file(
            file, apply, clock, derived_folder(path), start=start, catalog=catalog, facts=facts, progress=progress
        )
    except BaseException:
        file.close()
        raise


def open_file(
    file: LogFile,
    apply: Apply,
    clock: Callable[[], int],
    folder: Path,
    *,
    start: Position | None = None,
    catalog: Catalog | None = None,
    facts: FactsReader | None = None,
    progress: Progress | None = None,
) -> Opened:
    """As `open_log`, on a file that is open already; tails are kept in `folder`."""
    catalog = catalog or Catalog()
    recovered = replay(file, apply, catalog, start=start, facts=facts, progress=progress)
    end = recovered.position.offset
    tail = keep_tail(file, recovered, folder) if recovered.tail else None
    if tail is not None:
        file.truncate(end)
        file.sync()
    log = Log(file, recovered.header, recovered.position, catalog, apply, clock)
    log.last_time = recovered.last_time
    return Opened(log, recovered, tail)


def keep_tail(file: LogFile, recovered: Recovered, folder: Path) -> Path:
    """Copy the octets after the last whole atom into `folder`; returns the file."""
    folder.mkdir(mode=0o700, exist_ok=True)
    offset = recovered.position.offset
    kept = folder / f"tail-{offset}-{recovered.position.sequence}"
    with open(kept, "wb", opener=lambda name, flags: os.open(name, flags, 0o600)) as copy:
        left = recovered.tail
        while left and (data := file.read(offset, min(left, 1 << 20))):
            copy.write(data)
            offset += len(data)
            left -= len(data)
        copy.flush()
        os.fsync(copy.fileno())
    return kept
