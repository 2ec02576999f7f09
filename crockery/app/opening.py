"""Opening the log for a server: its state, what recovery did, and whether it is a copy (design §2)."""

import contextlib
import ctypes
import hashlib
import logging
import os
import platform
from pathlib import Path
from typing import Final

from crockery import __version__
from crockery.actions.actor import the_server
from crockery.actions.server import Place, note_cut_tail, start
from crockery.actions.store import Store
from crockery.app.options import Options
from crockery.app.postmaster import add_letter_to_postmaster
from crockery.assistant.restored_letter import restored_letter
from crockery.events.writer import Writer
from crockery.followers.following import Followers
from crockery.projections.restore import Restored, restore

logger: Final = logging.getLogger(__name__)

_MACHINE_IDS: Final = (Path("/etc/machine-id"), Path("/var/lib/dbus/machine-id"))


class StartFailed(Exception):
    """The server cannot start; str() is one sentence saying why and what to do."""


def open_restored(options: Options) -> Restored:
    """Open the log and fold it. Blocks. Raises what `events.opening.open_log` raises, and StartFailed."""
    try:
        restored = restore(options.log, options.clock, progress=options.progress)
    except PermissionError as error:
        raise StartFailed(
            f"{error.filename or options.log} may not be read and written by this user: start as its owner, or give it "
            "to this user with chown"
        ) from error
    except OSError as error:
        raise StartFailed(f"{options.log} cannot be opened: {error.strerror}") from error
    return restored


def open_followers(path: Path, restored: Restored, writer: Writer) -> Followers:
    """The derived files beside the log. Raises StartFailed."""
    try:
        followers = Followers(path, restored, writer)
    except OSError as error:
        raise StartFailed(
            f"{error.filename or restored.folder} cannot be written ({error.strerror}): this user must own "
            f"{restored.folder}, or be able to make it; what is in it is derived from the log, and may be deleted"
        ) from error
    _give_back_memory()
    return followers


def _give_back_memory() -> None:
    """What replay and followers have freed is used by what starts next, or given back: it can be a tenth of all.

    The C library keeps it else; those without malloc_trim (musl) do not.
    """
    with contextlib.suppress(AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def note_start(store: Store, restored: Restored, options: Options) -> None:
    """Note the start, and that history goes on, if this is a copy. Not durable yet. Raises LogFull."""
    reason = ""
    if options.restored:
        reason = "started with --restored"
    elif restored.older_copy:
        reason = "the derived files know events that the log does not have: it is an older copy"
    resumed = start(store, __version__, find_place(options.log), restored=reason)
    if resumed:
        logger.warning("history goes on from a copy (%s): numbers jump, and clients read their mailboxes anew", resumed)
    still = len(store.state.queue.still())
    if still:
        words = "the original may have sent what waited, so it stands still here; `crockery queue release` decides"
        logger.warning("%d queued: %s", still, words)
    if still and resumed:
        atom = store.atom(the_server())
        add_letter_to_postmaster(store, atom, restored_letter(still))
        atom.commit()
    tail = restored.opened.tail
    if tail is not None:
        found = restored.opened.recovered
        note_cut_tail(store, found.position.offset, found.tail, tail.name)
        logger.warning("an unfinished tail of %d octets was cut off the log; it is kept in %s", found.tail, tail)


def find_place(path: Path) -> Place:
    """Where the file is.

    The machine's id is hashed, as machine-id(5) asks. For the device the file system's own id is taken where it has
    one: device numbers change from boot to boot.
    """
    status = os.stat(path)
    return Place(_machine(), os.statvfs(path).f_fsid or status.st_dev, status.st_ino)


def _machine() -> str:
    for path in _MACHINE_IDS:
        try:
            found = path.read_text().strip()
        except (OSError, UnicodeDecodeError):
            continue
        if found:
            return _hashed(found)
    return _hashed(platform.node())


def _hashed(text: str) -> str:
    return hashlib.blake2b(text.encode(errors="replace"), digest_size=8, person=b"crockery").hexdigest()
