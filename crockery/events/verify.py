"""Checking every octet of a log: the chain, every event's facts, every body, atoms, erasures.

Opens the file for reading only, beside a running server: what is appended meanwhile is not looked at, and a last batch
that is being written is an unfinished end, which is no fault.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from crockery.events.catalog import Catalog
from crockery.events.codec import decode_facts
from crockery.events.errors import UnknownEvent
from crockery.events.file import LogFile, OSFile
from crockery.events.format import Hasher, Header
from crockery.events.ranges import unpack_numbers
from crockery.events.recover import Progress, beginning, read_header
from crockery.events.scan import Reader, Record, record_at
from crockery.events.types import EventType
from crockery.events.types.base import Facts
from crockery.events.types.server import BODIES_ERASED, HISTORY_RESUMED
from crockery.events.walk import Atom, Gap, Walk, counted


class Finding(NamedTuple):
    """Something wrong: a sentence, and the octets of the file it is about."""

    text: str
    start: int
    end: int
    number: int = 0
    """The event it is about; 0: none."""
    kind: str = "damage"
    """ "damage" (facts: `crockery repair`), "body", "missing", "unerased", "sequence", "unknown", "reference"."""


@dataclass(slots=True)
class Report:
    """What verify found, in numbers and places."""

    header: Header
    size: int
    """Octets of the file that were looked at."""
    findings: list[Finding] = field(default_factory=list)
    events: int = 0
    atoms: int = 0
    batches: int = 0
    bodies: int = 0
    """Bodies that are there and whole."""
    body_octets: int = 0
    """Octets of those, as stored."""
    erased: int = 0
    """Bodies that were erased and are all zeros."""
    accepted: list[Gap] = field(default_factory=list)
    """Damage that `repair` accepted."""
    end: int = 0
    """Where the last whole atom ends."""
    last: int = 0
    """Number of the last event."""
    first_time: int = 0
    last_time: int = 0

    @property
    def is_sound(self) -> bool:
        """Nothing is wrong."""
        return not self.findings

    @property
    def tail(self) -> int:
        """Octets after the last whole atom: a batch that was being written, of which nobody was told."""
        return self.size - self.end

    def sentences(self) -> list[str]:
        """The report for a person, one sentence a line; findings last."""
        lines = [
            f"{counted(self.events, 'event')} in {counted(self.atoms, 'atom')} and "
            f"{counted(self.batches, 'batch', 'batches')}, {self.end:,} octets",
            f"{counted(self.bodies, 'whole body', 'whole bodies')} of {self.body_octets:,} octets, "
            f"{self.erased:,} erased",
        ]
        if self.accepted:
            lost = sum(gap.end - gap.start for gap in self.accepted)
            lines.append(f"damage accepted by repair: {counted(len(self.accepted), 'place')}, {lost:,} octets")
        if self.tail:
            lines.append(
                f"an unfinished end of {counted(self.tail, 'octet')}, of which nobody was told: the next start cuts it"
            )
        lines += [finding.text for finding in self.findings]
        lines.append("nothing is wrong" if self.is_sound else f"wrong: {counted(len(self.findings), 'thing')}")
        return lines


def verify_log(path: Path, progress: Progress | None = None) -> Report:
    """Check every octet of the log at `path`; it may be in use.

    `progress` is told octets done and octets in all. Raises LogMissing, NotALog, OSError.
    """
    file = OSFile(path, writable=False)
    try:
        return verify_file(file, progress)
    finally:
        file.close()


def verify_file(file: LogFile, progress: Progress | None = None) -> Report:
    """As `verify_log`, on an open file."""
    return _Verify(file, read_header(file), progress).run()


class _Broken(NamedTuple):
    """A body that does not have its hash: which, and whether it is nothing but zeros."""

    record: Record
    is_zero: bool


class _Verify:
    def __init__(self, file: LogFile, header: Header, progress: Progress | None) -> None:
        self._file = file
        self._hasher = Hasher(header.key)
        self._progress = progress
        self._catalog = Catalog()
        self._erased: set[int] = set()
        self._broken: list[_Broken] = []
        self._after_gap = False
        self.report = Report(header, file.size())

    def run(self) -> Report:
        report = self.report
        walk = Walk(self._file, self._hasher, beginning(report.header), report.size)
        for item in walk:
            if isinstance(item, Gap):
                self._gap(item)
            elif isinstance(item, Atom):
                self._atom(item.records)
                self._tell(item.records[-1].end)
            else:
                report.batches += 1
        report.end = walk.position.offset
        self._read_on(walk)
        self._judge_bodies(walk.confirmed)
        report.findings.sort(key=lambda finding: finding.start)
        self._tell(report.size)
        return report

    def _tell(self, done: int) -> None:
        if self._progress is not None:
            self._progress(done, self.report.size)

    def _gap(self, gap: Gap) -> None:
        if gap.accepted:
            self.report.accepted.append(gap)
        else:
            self._find("damage", f"{gap.sentence()}: `crockery repair` goes on without them", gap.start, gap.end)
        self._after_gap = True

    def _find(self, kind: str, text: str, start: int, end: int, number: int = 0) -> None:
        self.report.findings.append(Finding(text, start, end, number, kind))

    def _atom(self, records: list[Record]) -> None:
        report = self.report
        report.atoms += 1
        for record in records:
            head = record.head
            report.events += 1
            report.first_time = report.first_time or head.time
            report.last_time = head.time
            self._check_number(record)
            try:
                decoded = decode_facts(head, record.facts)
            except UnknownEvent as error:
                self._find("unknown", str(error), record.offset, record.end, head.sequence)
                decoded = None
            if decoded is not None:
                self._check_facts(record, *decoded)
            self._check_body(record)

    def _check_number(self, record: Record) -> None:
        number, report = record.head.sequence, self.report
        may_jump = record.head.type == HISTORY_RESUMED.code or self._after_gap
        if number <= report.last or (number > report.last + 1 and not may_jump):
            text = f"event {number:,} at octet {record.offset:,} comes after event {report.last:,}"
            self._find("sequence", text, record.offset, record.end, number)
        report.last = number
        self._after_gap = False

    def _check_facts(self, record: Record, kind: EventType, facts: Facts) -> None:
        number = record.head.sequence
        if record.head.body_length or "prefix" in facts:
            self._catalog.add(number, record.offset)
        if kind is BODIES_ERASED:
            self._erased.update(unpack_numbers(facts["numbers"]).tolist())
        for other in (*facts.get("parts", ()), *([facts["body_of"]] if "body_of" in facts else ())):
            if self._catalog.find(other) is None:
                text = f"event {number:,} has its body in event {other:,}, which is not there"
                self._find("reference", text, record.offset, record.end, number)
        frames = facts.get("frames")
        if frames and record.head.body_length != sum(frames):
            text = f"event {number:,} speaks of frames that its body does not have"
            self._find("reference", text, record.offset, record.end, number)

    def _check_body(self, record: Record) -> None:
        length = record.head.body_length
        if not length:
            return
        stored = self._file.read(record.body_offset, length)
        if self._hasher(stored) == record.head.body_hash:
            self.report.bodies += 1
            self.report.body_octets += length
        else:
            self._broken.append(_Broken(record, not any(stored)))

    def _read_on(self, walk: Walk) -> None:
        """Bodies may have been erased while we read: what names them has been appended since."""
        if not any(broken.record.head.sequence not in self._erased for broken in self._broken):
            return
        reader = Reader(self._file, walk.position, self._hasher)
        for record in reader:
            if record.head.type == BODIES_ERASED.code:
                decoded = decode_facts(record.head, record.facts)
                if decoded is not None:
                    self._erased.update(unpack_numbers(decoded[1]["numbers"]).tolist())

    def _judge_bodies(self, confirmed: int) -> None:
        report = self.report
        for record, is_zero in self._broken:
            number, place = record.head.sequence, (record.body_offset, record.end)
            if number in self._erased:
                continue
            if record.offset >= confirmed:
                report.end = min(report.end, confirmed)  # the last batch, which was being written
            else:
                what, kind = ("missing: it is all zeros", "missing") if is_zero else ("damaged", "body")
                text = f"the body of event {number:,} at octet {place[0]:,} is {what}"
                self._find(kind, text, *place, number)
        for number in self._erased:
            self._judge_erasure(number)

    def _judge_erasure(self, number: int) -> None:
        offset = self._catalog.find(number)
        record = None if offset is None else record_at(self._file, offset, self.report.size, self._hasher)
        if record is None or not record.head.body_length:
            return
        if any(self._file.read(record.body_offset, record.head.body_length)):
            text = f"the body of event {number:,} was erased, but is not all zeros: the next start repeats it"
            self._find("unerased", text, record.body_offset, record.end, number)
        else:
            self.report.erased += 1
