"""The octets of headers and records: pack, unpack, hash. The specification is the docstring of the package."""

import hashlib
import struct
from typing import Final, NamedTuple

from crockery.events.errors import NotALog

MAGIC: Final = b"\x89CRK\r\n\x1a\n"
MAJOR: Final = 1
MINOR: Final = 0
HASH_SIZE: Final = 16
NO_HASH: Final = bytes(HASH_SIZE)

FLAG_LAST: Final = 1
FLAG_SKIPPABLE: Final = 2
FLAG_SECRET: Final = 4

_HEADER: Final = struct.Struct("<8sHHI16sq32s")
HEADER_SIZE: Final = _HEADER.size + HASH_SIZE

MARKER_SIZE: Final = 4
HEAD: Final = struct.Struct("<4sBBHQqII16s16s")
"""marker, flags, version, type, sequence, time, facts length, body length, previous hash, body hash."""
HEAD_SIZE: Final = HEAD.size
OVERHEAD: Final = HEAD_SIZE + HASH_SIZE

MAX_FACTS: Final = 64 * 1024 * 1024
"""Facts longer than this are taken for damage: a bulk action on a million messages needs a few megabytes."""


class Header(NamedTuple):
    """The header of a log file."""

    log_id: bytes
    created: int
    key: bytes
    length: int
    hash: bytes


class Head(NamedTuple):
    """The fixed part of a record."""

    marker: bytes
    flags: int
    version: int
    type: int
    sequence: int
    time: int
    facts_length: int
    body_length: int
    previous: bytes
    body_hash: bytes


class Hasher:
    """H of the format: octets to a 16 octet digest under the file's key (32 octets); and the file's record marker."""

    __slots__ = ("keyed", "marker")

    def __init__(self, key: bytes) -> None:
        self.keyed = hashlib.blake2b(key=key, digest_size=HASH_SIZE)
        """A state to copy: that costs half of keying anew."""
        self.marker = self(b"marker")[:MARKER_SIZE]

    def __call__(self, data: bytes | memoryview) -> bytes:
        state = self.keyed.copy()
        state.update(data)
        return state.digest()


def make_hasher(key: bytes) -> Hasher:
    """H keyed with `key`."""
    return Hasher(key)


def encode_header(log_id: bytes, created: int, key: bytes) -> bytes:
    """The 88 octets of a new file."""
    head = _HEADER.pack(MAGIC, MAJOR, MINOR, HEADER_SIZE, log_id, created, key)
    return head + make_hasher(key)(head)


def decode_header(data: bytes) -> Header:
    """Read a header from the start of a file; raises NotALog."""
    if len(data) < HEADER_SIZE or data[:8] != MAGIC:
        raise NotALog("this is not a Crockery log (its first octets are something else)")
    _, major, _, length, log_id, created, key = _HEADER.unpack_from(data)
    if major != MAJOR:
        raise NotALog(f"this log is of format {major}; this program reads format {MAJOR}: use a newer Crockery")
    digest = data[_HEADER.size : HEADER_SIZE]
    if make_hasher(key)(data[: _HEADER.size]) != digest or length < HEADER_SIZE:
        raise NotALog("the header of this log is damaged: see `crockery repair`, or restore a backup")
    return Header(log_id, created, key, length, digest)


def decode_head(data: bytes, offset: int = 0) -> Head:
    """The fixed part at `offset`; the caller has made sure that 64 octets are there."""
    return Head._make(HEAD.unpack_from(data, offset))
