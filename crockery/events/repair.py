"""Going on after damage: what can be written back, what is lost, in words, and the events that let the log open again.

The derived file `facts` has the octets of records, each vouched for by the chain: where it covers the damage they are
written back, and nothing is lost. Elsewhere nothing is cut or rewritten: the damaged octets stay where they are, and a
DamageAccepted for each place tells readers to step over; HistoryResumed comes first, since clients have seen numbers
that are lost now. A damaged body needs no repair: the log opens, and that message reads as a notice.
"""

import shutil
import time
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from crockery.events.errors import LogError, NotALog
from crockery.events.facts import NAME, FactsReader, copied_header
from crockery.events.file import LogFile, OSFile
from crockery.events.format import HEAD, HEADER_SIZE, Hasher, decode_header
from crockery.events.opening import derived_folder, open_file
from crockery.events.recover import Progress, beginning, read_header
from crockery.events.scan import record_at
from crockery.events.types import Event
from crockery.events.types.server import (
    DAMAGE_ACCEPTED,
    HISTORY_RESUMED,
    SEQUENCE_JUMP,
    UID_JUMP,
    UIDVALIDITY_JUMP,
)
from crockery.events.walk import Gap, Walk, counted


class Patch(NamedTuple):
    """Octets that were at this offset of the log before it was damaged."""

    offset: int
    data: bytes


class Plan(NamedTuple):
    """What `repair` would do, and what is lost by it."""

    log_id: bytes
    size: int
    """Octets of the file when it was looked at."""
    gaps: tuple[Gap, ...]
    """Damage that nobody has accepted yet, and whose events are lost."""
    healed: tuple[Gap, ...] = ()
    """Damage whose events can be written back."""
    patches: tuple[Patch, ...] = ()
    """What is written back there."""

    @property
    def is_needed(self) -> bool:
        """The log does not open as it is."""
        return bool(self.gaps or self.patches)

    def sentences(self) -> list[str]:
        """For a person, before the question whether to go on."""
        if not self.is_needed:
            return ["the log opens as it is: nothing to repair (`crockery verify` looks at the bodies too)"]
        lines = ["the header is damaged, and can be written back"] if self.patches and not self.healed else []
        lines += [
            f"damage from octet {gap.start:,} to {gap.end:,}: a derived file has its events, they are written back"
            for gap in self.healed
        ]
        if not self.gaps:
            return [*lines, "no event is lost by it: if more is damaged, `crockery repair` says so next time"]
        lost = sum(gap.lost for gap in self.gaps)
        return [
            *lines,
            *(gap.sentence() for gap in self.gaps),
            f"repair goes on without {counted(lost, 'event')}: mail that came in then, and changes made then, are lost",
            "the damaged octets stay in the file; every mail client will read its mailboxes anew",
        ]


def repair_plan(path: Path, progress: Progress | None = None) -> Plan:
    """Look for damage in the facts of the log at `path`; changes nothing. Raises LogMissing, NotALog, OSError."""
    file = OSFile(path, writable=False)
    try:
        return plan_for(file, derived_folder(path), progress)
    finally:
        file.close()


def plan_for(file: LogFile, folder: Path, progress: Progress | None = None) -> Plan:
    """As `repair_plan`, on an open file with its derived files in `folder`."""
    size = file.size()
    try:
        header = read_header(file)
    except NotALog:
        data = _lost_header(file, folder)
        if data is None:
            raise
        return Plan(decode_header(data).log_id, size, (), (), (Patch(0, data),))
    gaps = []
    walk = Walk(file, Hasher(header.key), beginning(header), size)
    for item in walk:
        if isinstance(item, Gap) and not item.accepted:
            gaps.append(item)
        if progress is not None:
            progress(walk.position.offset, size)
    patches = _patches(file, folder, gaps) if gaps else {}
    return Plan(
        header.log_id,
        size,
        tuple(gap for gap in gaps if gap not in patches),
        tuple(patches),
        tuple(patch for gap in patches for patch in patches[gap]),
    )


def _lost_header(file: LogFile, folder: Path) -> bytes | None:
    """The header of a log that has lost it: with one bit turned, or the copy in the facts file."""
    damaged = file.read(0, HEADER_SIZE)
    bits = range(8 * len(damaged))
    turned = ((int.from_bytes(damaged, "little") ^ 1 << bit).to_bytes(len(damaged), "little") for bit in bits)
    for data in (*turned, copied_header(folder / NAME)):
        try:
            header = decode_header(data)
        except NotALog:
            continue
        first = record_at(file, header.length, file.size(), Hasher(header.key))
        if first is not None and first.head.previous == header.hash:
            return data
    return None


def _patches(file: LogFile, folder: Path, gaps: list[Gap]) -> dict[Gap, list[Patch]]:
    """The records that were in these gaps, for those gaps that they cover without a hole."""
    header = read_header(file)
    found: dict[Gap, list[Patch]] = {gap: [] for gap in gaps}
    reached = {gap: gap.start for gap in gaps}
    reader = FactsReader(folder / NAME, file, header, beginning(header), asks_log=False)
    for record in chain.from_iterable(reader.runs()):
        for gap in gaps:
            if record.offset == reached[gap] < gap.end:
                found[gap].append(Patch(record.offset, HEAD.pack(*record.head) + record.facts + record.hash))
                reached[gap] = record.end
    return {gap: found[gap] for gap in gaps if reached[gap] == gap.end}


def repair(path: Path, plan: Plan, clock: Callable[[], int] = lambda: time.time_ns() // 1000) -> int | None:
    """Do what `plan` says, so that the log opens again; returns the number of the HistoryResumed, if one was needed.

    Derived files that knew what is lost are deleted. Raises LogError when the file is not as it was when the plan was
    made, LogLocked while a server runs, LogFull.
    """
    file = OSFile(path)
    try:
        number = repair_file(file, plan, derived_folder(path), clock)
        if number is not None:
            _delete_derived(derived_folder(path))
        return number
    finally:
        file.close()


def repair_file(file: LogFile, plan: Plan, folder: Path, clock: Callable[[], int]) -> int | None:
    """As `repair`, on an open file; an unfinished end is kept in `folder`, and what is derived is left there."""
    if plan_for(file, folder) != plan:
        raise LogError("the log has changed since it was looked at: run `crockery repair` again")
    for patch in plan.patches:
        file.write([patch.data], patch.offset)
    file.sync()
    if not plan.gaps:
        return None
    accept = {gap.start: gap.end for gap in plan.gaps}
    log = open_file(file, lambda *event: None, clock, folder, accept=accept).log
    resumed = {
        "reason": "damage accepted by repair",
        "jump": SEQUENCE_JUMP,
        "uid_jump": UID_JUMP,
        "uidvalidity_jump": UIDVALIDITY_JUMP,
    }
    events = [Event(HISTORY_RESUMED, resumed)]
    for gap in plan.gaps:
        events.append(Event(DAMAGE_ACCEPTED, {"start": gap.start, "end": gap.end, "after": gap.after}))
    number = log.append(events, jump=SEQUENCE_JUMP)
    log.commit()
    log.give_back()
    return number


def _delete_derived(folder: Path) -> None:
    """They hold events that the log does not have any more; cut ends of the log stay."""
    for path in folder.iterdir() if folder.exists() else ():
        if path.is_dir():
            shutil.rmtree(path)
        elif not path.name.startswith("tail-"):
            path.unlink()
