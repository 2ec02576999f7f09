"""Small logs for tests: made on a `SimFile` or a real file, with bodies of every kind; and damage to them."""

import itertools
import os
import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from crockery.events.body import StoredBody, compress_body
from crockery.events.format import encode_header
from crockery.events.log import Log, body_event
from crockery.events.opening import Opened, open_file, open_log
from crockery.events.ranges import pack_numbers
from crockery.events.types import Event, EventType
from crockery.events.types.mail import MESSAGE_RECEIVED
from crockery.events.types.server import BODIES_ERASED, SETTING_CHANGED
from tests.support.sim_file import SimFile

KEY = bytes(range(32))
LOG_ID = b"0123456789abcdef"
PREFIX = b"Return-Path: <ben@example.test>\r\n"

Folded = list[tuple[int, str, Mapping[str, Any]]]
"""Events as they were applied: number, name of the type, facts."""


def new_file(seed: int = 0) -> SimFile:
    """A file with the header of an empty log."""
    file = SimFile(random.Random(seed))
    file.write([encode_header(LOG_ID, 1, KEY)], 0)
    file.sync()
    return file


def ticking() -> Callable[[], int]:
    """A clock: one second a call."""
    return itertools.count(1_760_000_000_000_000, 1_000_000).__next__


def reopen(file: SimFile, folder: Path, folded: Folded | None = None, **how: Any) -> Opened:
    """Open the log in `file`; what is applied goes into `folded`."""

    def apply(number: int, time: int, kind: EventType, facts: Mapping[str, Any]) -> None:
        if folded is not None:
            folded.append((number, kind.name, facts))

    return open_file(file, apply, ticking(), folder, **how)


def setting(value: str = "example.test") -> Event:
    """An event without a body."""
    return Event(SETTING_CHANGED, {"by": 0, "name": "domain", "value": value, "old": None})


def message(body: bytes = b"Subject: hello\r\n\r\nhello\r\n", **facts: Any) -> Event:
    """An event with a body."""
    return stored_message(compress_body(body), **facts)


def stored_message(body: StoredBody | None, **facts: Any) -> Event:
    """A message with this body, or (None) with one that `facts` tell of."""
    common = {"by": 0, "mailbox": 1, "uid": 1, "flags": [], "date": 1, "prefix": PREFIX, "via": "smtp"}
    return body_event(MESSAGE_RECEIVED, {**common, **facts}, body)


def write(log: Log, *atoms: Sequence[Event]) -> list[int]:
    """Append atoms, each in a batch of its own; returns the first number of each."""
    numbers = []
    for atom in atoms:
        numbers.append(log.append(atom))
        log.commit()
    return numbers


def opened(path: Path, folded: Folded | None = None) -> Log:
    """Open the log at `path`."""
    keep: Folded = [] if folded is None else folded
    return open_log(path, lambda n, time, kind, facts: keep.append((n, kind.name, facts)), ticking()).log


def filled(path: Path, batches: int = 6) -> dict[int, int]:
    """Write batches of one atom with a message and a setting; returns the offset of each message."""
    log = opened(path)
    for n in range(batches):
        write(log, [message(os.urandom(500)), setting(str(n))])
    offsets = {number: log.catalog.find(number) or 0 for number in range(1, 2 * batches, 2)}
    log.close()
    return offsets


def flip(path: Path, *places: int) -> None:
    """Damage octets of a file."""
    data = bytearray(path.read_bytes())
    for at in places:
        data[at] ^= 0x55
    path.write_bytes(data)


def erasure(*numbers: int) -> Event:
    """That the bodies of these messages were erased."""
    return Event(BODIES_ERASED, {"numbers": pack_numbers(np.array(numbers)), "why": "test"})
