"""Going on after damage: what is lost, in words, and the events that let the log open again.

Nothing is cut or rewritten: the damaged octets stay where they are, and a DamageAccepted for each place tells readers
to step over. HistoryResumed comes first, since clients have seen numbers that are lost now. A damaged body needs no
repair: the log opens, and that message reads as a notice.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from crockery.events.errors import LogError
from crockery.events.file import LogFile, OSFile
from crockery.events.format import Hasher
from crockery.events.opening import derived_folder, open_file
from crockery.events.recover import Progress, beginning, read_header
from crockery.events.types import Event
from crockery.events.types.server import DAMAGE_ACCEPTED, HISTORY_RESUMED, SEQUENCE_JUMP, UID_JUMP
from crockery.events.walk import Gap, Walk


class Plan(NamedTuple):
    """What `repair` would do, and what is lost by it."""

    log_id: bytes
    size: int
    """Octets of the file when it was looked at."""
    gaps: tuple[Gap, ...]
    """Damage that nobody has accepted yet."""

    @property
    def is_needed(self) -> bool:
        """The log does not open as it is."""
        return bool(self.gaps)

    def sentences(self) -> list[str]:
        """For a person, before the question whether to go on."""
        if not self.gaps:
            return ["the log opens as it is: nothing to repair (`crockery verify` looks at the bodies too)"]
        lost = sum(gap.resumes - gap.after - 1 for gap in self.gaps)
        return [
            *(gap.sentence() for gap in self.gaps),
            f"repair goes on without them: {lost:,} events are lost, that is mail that came in and changes made then",
            "the damaged octets stay in the file; every mail client will read its mailboxes anew",
        ]


def repair_plan(path: Path, progress: Progress | None = None) -> Plan:
    """Look for damage in the facts of the log at `path`; changes nothing. Raises LogMissing, NotALog, OSError."""
    file = OSFile(path, writable=False)
    try:
        return plan_for(file, progress)
    finally:
        file.close()


def plan_for(file: LogFile, progress: Progress | None = None) -> Plan:
    """As `repair_plan`, on an open file."""
    header = read_header(file)
    size = file.size()
    gaps = []
    walk = Walk(file, Hasher(header.key), beginning(header), size)
    for item in walk:
        if isinstance(item, Gap) and not item.accepted:
            gaps.append(item)
        if progress is not None:
            progress(walk.position.offset, size)
    return Plan(header.log_id, size, tuple(gaps))


def repair(path: Path, plan: Plan, clock: Callable[[], int] = lambda: time.time_ns() // 1000) -> int:
    """Accept the damage of `plan`, so that the log opens again; returns the number of the HistoryResumed.

    Raises LogError when the file is not as it was when the plan was made, LogLocked while a server runs, LogFull.
    """
    file = OSFile(path)
    try:
        return repair_file(file, plan, derived_folder(path), clock)
    finally:
        file.close()


def repair_file(file: LogFile, plan: Plan, folder: Path, clock: Callable[[], int]) -> int:
    """As `repair`, on an open file; an unfinished end is kept in `folder`."""
    if plan_for(file) != plan:
        raise LogError("the log has changed since it was looked at: run `crockery repair` again")
    accept = {gap.start: gap.end for gap in plan.gaps}
    log = open_file(file, lambda *event: None, clock, folder, accept=accept).log
    resumed = {"reason": "damage accepted by repair", "jump": SEQUENCE_JUMP, "uid_jump": UID_JUMP}
    events = [Event(HISTORY_RESUMED, resumed)]
    for gap in plan.gaps:
        events.append(Event(DAMAGE_ACCEPTED, {"start": gap.start, "end": gap.end, "after": gap.after}))
    number = log.append(events, jump=SEQUENCE_JUMP)
    log.commit()
    log.give_back()
    return number
