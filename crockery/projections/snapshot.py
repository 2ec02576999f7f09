"""The derived file `snapshot`: what the log adds up to at one place, so that a start replays only what came after.

A msgpack map: version, log id, the place (offset, sequence number, hash of the record there, where that hash stands),
the dump of the state, the catalog, and how far the facts file went; then a digest of it all. Written by a child process
from the last snapshot and the durable log, never by the server itself, so that the server does not pause; the file is
replaced by rename. Anything that does not fit (version, log, place, digest) makes it as good as not there.
"""

import hashlib
import os
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgpack

from crockery.events.catalog import Catalog
from crockery.events.file import LogFile, sync_folder
from crockery.events.format import HASH_SIZE, Header
from crockery.events.scan import Position
from crockery.projections.state import State

VERSION: Final = 13
"""Raise it whenever a projection or its dump changes its meaning."""

NAME: Final = "snapshot"
_DIGEST_SIZE: Final = 32


class Snapshot(NamedTuple):
    """A state, the place in the log it stands for, and where the facts file goes on."""

    state: State
    catalog: Catalog
    position: Position
    hash_at: int
    """File offset of the hash of the last record before the place."""
    facts_at: int


class Loaded(NamedTuple):
    """What was found: a snapshot that fits, or none and whether it is of this log but of another history."""

    snapshot: Snapshot | None
    disagrees: bool = False


def save(folder: Path, header: Header, snapshot: Snapshot) -> bytes:
    """Write the file; returns its digest. Raises OSError."""
    state = dump_state(snapshot.state)
    numbers, offsets = snapshot.catalog.dump()
    position = snapshot.position
    packed = msgpack.packb(
        {
            "version": VERSION,
            "log": header.log_id,
            "place": [position.offset, position.sequence, position.hash, snapshot.hash_at],
            "facts_at": snapshot.facts_at,
            "numbers": numbers,
            "offsets": offsets,
            "state": state,
        }
    )
    folder.mkdir(mode=0o700, exist_ok=True)
    new = folder / (NAME + ".new")
    with open(new, "wb", opener=lambda name, flags: os.open(name, flags, 0o600)) as out:
        out.write(packed)
        out.write(hashlib.blake2b(packed, digest_size=_DIGEST_SIZE).digest())
        out.flush()
        os.fsync(out.fileno())
    new.replace(folder / NAME)
    sync_folder(folder)
    return digest(state)


def load(folder: Path, file: LogFile, header: Header) -> Loaded:
    """The snapshot in the folder, if it is whole and stands for a place of this log."""
    try:
        data = (folder / NAME).read_bytes()
    except OSError:
        return Loaded(None)
    view = memoryview(data)[:-_DIGEST_SIZE]
    if hashlib.blake2b(view, digest_size=_DIGEST_SIZE).digest() != data[-_DIGEST_SIZE:]:
        return Loaded(None)
    content: dict[str, Any] = msgpack.unpackb(view, strict_map_key=False)
    del data, view  # each is as large as all that follows: a start should not need much more memory than it leaves
    if content["version"] != VERSION or content["log"] != header.log_id:
        return Loaded(None)
    offset, sequence, hash_, hash_at = content["place"]
    if file.read(hash_at, HASH_SIZE) != hash_:
        return Loaded(None, disagrees=True)
    state = State()
    state.load(msgpack.unpackb(content.pop("state"), strict_map_key=False))
    catalog = Catalog()
    catalog.load(content["numbers"], content["offsets"])
    return Loaded(Snapshot(state, catalog, Position(offset, sequence, hash_), hash_at, content["facts_at"]))


def dump_state(state: State) -> bytes:
    """The state as octets: the same for the same state."""
    dumped: bytes = msgpack.packb(state.dump())
    return dumped


def digest(dumped: bytes) -> bytes:
    """What two states are compared by."""
    return hashlib.blake2b(dumped, digest_size=_DIGEST_SIZE).digest()
