"""The child process that makes snapshots: `python -m crockery.projections.fold LOG END FACTS_AT`.

Folds the log up to octet END (durable, an atom's end) from the last snapshot on, writes a new one, and prints the
digest of the state in hex, so that the server can compare it with its own.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from crockery.events.file import OSFile
from crockery.events.opening import derived_folder
from crockery.events.recover import replay
from crockery.projections import snapshot
from crockery.projections.restore import start_from


class FileUpTo(OSFile):
    """A log file, read-only, of which only the octets before `end` are there."""

    def __init__(self, path: Path, end: int) -> None:
        super().__init__(path, writable=False)
        self._end = end

    def size(self) -> int:
        return min(super().size(), self._end)


def fold(path: Path, end: int, facts_at: int) -> bytes:
    """Write the snapshot of the log's first `end` octets; returns the digest of the state."""
    file = FileUpTo(path, end)
    folder = derived_folder(path)
    start = start_from(folder, file, facts_at)
    recovered = replay(file, start.state.apply, start.catalog, start=start.position, facts=start.facts)
    hash_at = recovered.hash_at or start.hash_at
    result = snapshot.Snapshot(start.state, start.catalog, recovered.position, hash_at, facts_at)
    digest = snapshot.save(folder, recovered.header, result)
    file.close()
    return digest


def main(arguments: Sequence[str]) -> int:
    """Run as a program."""
    path, end, facts_at = arguments
    print(fold(Path(path), int(end), int(facts_at)).hex())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
