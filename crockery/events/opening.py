"""Making and opening a log file: header, lock, replay, and the unfinished tail kept aside and cut."""

import errno
import logging
import os
import secrets
from collections.abc import Callable, Mapping
from itertools import count
from pathlib import Path
from typing import Final, NamedTuple

from crockery.events.catalog import Catalog
from crockery.events.facts import FactsReader
from crockery.events.file import LogFile, OSFile, sync_folder
from crockery.events.format import encode_header
from crockery.events.log import Apply, Log
from crockery.events.recover import Progress, Recovered, replay
from crockery.events.scan import Position

logger: Final = logging.getLogger(__name__)

_COPY_SIZE: Final = 1 << 20


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
    except BaseException:
        path.unlink()
        raise
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
    accept: Mapping[int, int] | None = None,
) -> Opened:
    """As `open_log`, on a file that is open already; tails are kept in `folder`, damage in `accept` is stepped over.

    When it returns, all that was replayed is on disk.
    """
    catalog = catalog or Catalog()
    recovered = replay(file, apply, catalog, start=start, facts=facts, progress=progress, accept=accept)
    tail = None
    if recovered.tail > 0:
        tail = keep_tail(file, recovered, folder)
        file.truncate(recovered.position.offset)
    _write_again(file, recovered.confirmed, recovered.position.offset)
    file.sync()
    log = Log(file, recovered.header, recovered.position, catalog, apply, clock)
    log.last_time = recovered.last_time
    return Opened(log, recovered, tail)


def _write_again(file: LogFile, start: int, end: int) -> None:
    """Write the octets of the last batch once more, as they are.

    They may be in memory only: after a failed sync the system takes its pages for clean, and would not write them.
    """
    while start < end:
        data = file.read(start, min(end - start, _COPY_SIZE))
        file.write([data], start)
        start += len(data)


def keep_tail(file: LogFile, recovered: Recovered, folder: Path) -> Path | None:
    """Copy the octets after the last whole atom into a new file in `folder`; returns it.

    None when the disk is full: nobody was told of these octets, and the server must start so that mail can be deleted.
    """
    offset, number = recovered.position.offset, recovered.position.sequence
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        kept = _new_path(folder, f"tail-{offset}-{number}")
        with open(kept, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as copy:
            end = offset + recovered.tail
            while data := file.read(offset, min(end - offset, _COPY_SIZE)):
                copy.write(data)
                offset += len(data)
            copy.flush()
            os.fsync(copy.fileno())
        sync_folder(folder)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        logger.warning("the unfinished end of the log (%d octets) is cut, and not kept: %s", recovered.tail, error)
        return None
    return kept


def _new_path(folder: Path, name: str) -> Path:
    """A path that is not there: `name`, else `name.1`, `name.2` ..."""
    paths = (folder / (f"{name}.{n}" if n else name) for n in count())
    return next(path for path in paths if not path.exists())
