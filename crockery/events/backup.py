"""Copying a log while a server writes to it, and going on with an earlier copy.

The copy ends at a whole atom, is checked octet by octet, and opens on its own. An earlier copy that agrees (same log
id, same hash at its end) only gets what came since, and bodies erased since are erased in it too.
"""

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from crockery.events.errors import LogError
from crockery.events.file import OSFile, sync_folder
from crockery.events.format import HASH_SIZE, HEADER_SIZE, Hasher
from crockery.events.recover import Progress, beginning, read_header
from crockery.events.scan import Record
from crockery.events.verify import Report, verify_file
from crockery.events.walk import Atom, Walk, counted

CHUNK: Final = 1 << 20
_ZEROS: Final = bytes(CHUNK)


@dataclass(slots=True)
class BackupReport:
    """What a backup did, and what it found when it checked the copy."""

    path: Path
    """The copy."""
    size: int
    """Octets of the copy."""
    copied: int
    """Octets copied now; the others were there from an earlier copy."""
    erased: int
    """Bodies erased in the copy because they are in the log."""
    check: Report
    """What verify says of the copy. Damage of the log is in its copy as well."""

    @property
    def is_sound(self) -> bool:
        """Nothing is wrong with the copy."""
        return self.check.is_sound

    def sentences(self) -> list[str]:
        """For a person, one sentence a line; findings last."""
        went = f"{counted(self.copied, 'octet')} {'copied' if self.copied == self.size else 'added'}"
        lines = [f"{went}, the copy has {self.size:,}: {self.path}"]
        if self.erased:
            lines.append(f"{counted(self.erased, 'body', 'bodies')} erased in the copy, as they were in the log")
        lines += [finding.text for finding in self.check.findings]
        lines.append("the copy is whole" if self.is_sound else "the copy has damage: `crockery verify` the log")
        return lines


def backup(path: Path, dest: Path, progress: Progress | None = None) -> BackupReport:
    """Copy the log at `path` to `dest` (a file, or a folder to put it in); it may be in use.

    `progress` is told octets done and octets in all, of copying and checking together. Raises LogMissing, NotALog,
    LogLocked (the copy is in use), LogError (something else is at `dest`), OSError (disk full ...).
    """
    if dest.is_dir():
        dest = dest / path.name
    source = OSFile(path, writable=False)
    try:
        is_new = not dest.exists()
        if not is_new and not stat.S_ISREG(dest.stat().st_mode):
            raise LogError(f"{dest} is not a file: give another name")
        if not is_new and dest.samefile(path):
            raise LogError(f"{dest} is the log itself: give another name")
        copy = OSFile(dest, create=is_new)
        try:
            return _Backup(source, copy, dest, progress).run()
        finally:
            copy.close()
            sync_folder(dest.parent)
    finally:
        source.close()


class _Backup:
    def __init__(self, source: OSFile, copy: OSFile, dest: Path, progress: Progress | None) -> None:
        self._source = source
        self._copy = copy
        self._dest = dest
        self._progress = progress
        self._header = read_header(source)

    def run(self) -> BackupReport:
        start = self._agreed_end() if self._copy.size() else 0
        self._copy.truncate(start)
        end = self._copy_from(start)
        # What was appended while we copied may say that bodies were erased which we found half erased.
        end = self._copy_from(end)
        check, erased = self._check()
        if any(finding.kind in ("body", "missing") for finding in check.findings) and self._source.size() > end:
            self._copy_from(end)
            check, more = self._check()
            erased += more
        self._copy.truncate(check.end)
        check.size = check.end
        os.fsync(self._copy.fd)
        return BackupReport(self._dest, check.end, check.end - start, erased, check)

    def _agreed_end(self) -> int:
        """Where the earlier copy ends, if the log goes on from there; raises LogError."""
        if self._copy.size() < HEADER_SIZE and self._source.read(0, HEADER_SIZE).startswith(
            self._copy.read(0, HEADER_SIZE)
        ):
            return 0  # what an interrupted backup left
        if read_header(self._copy) != self._header:
            raise LogError(f"{self._dest} is a copy of another log: give another name, or move it away")
        walk = Walk(self._copy, Hasher(self._header.key), beginning(self._header), self._copy.size())
        last: Record | None = None
        for item in walk:
            if isinstance(item, Atom):
                last = item.records[-1]
            elif isinstance(item, Record):
                last = item
            self._tell(walk.position.offset)
        if last is not None and self._source.read(last.hash_offset, HASH_SIZE) != last.hash:
            raise LogError(
                f"{self._dest} has events that this log does not have: it is a copy of another history; give another "
                "name, or move it away"
            )
        return walk.position.offset

    def _copy_from(self, offset: int) -> int:
        end = self._source.size()
        while offset < end and (data := self._source.read(offset, min(CHUNK, end - offset))):
            if data != _ZEROS:  # erased bodies stay holes
                self._copy.write([data], offset)
            offset += len(data)
            self._tell(offset)
        self._copy.truncate(offset)
        return offset

    def _check(self) -> tuple[Report, int]:
        """Verify the copy; bodies that were erased in the log since are erased in it, and are no finding then."""
        size = self._copy.size()
        report = verify_file(self._copy, lambda done, _: self._tell(size + done))
        unerased = [finding for finding in report.findings if finding.kind == "unerased"]
        for finding in unerased:
            self._copy.erase(finding.start, finding.end - finding.start)
        report.findings = [finding for finding in report.findings if finding.kind != "unerased"]
        return report, len(unerased)

    def _tell(self, done: int) -> None:
        if self._progress is not None:
            self._progress(done, 2 * self._source.size())
