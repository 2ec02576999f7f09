"""From a log file to a state: the newest snapshot that fits, then the facts file, then the log itself.

Derived files are never trusted beyond what the log vouches for; without them everything is read from the log. Where
they know durable records that the log does not have, the log is an older copy: `older_copy` says so.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from crockery.events.catalog import Catalog
from crockery.events.facts import NAME as FACTS_NAME
from crockery.events.facts import FactsReader
from crockery.events.file import LogFile, OSFile
from crockery.events.format import Header
from crockery.events.opening import Opened, derived_folder, open_file
from crockery.events.recover import Progress, beginning, read_header
from crockery.events.scan import Position
from crockery.projections import snapshot
from crockery.projections.state import State


@dataclass(slots=True)
class Restored:
    """An open log with its state."""

    opened: Opened
    state: State
    facts: FactsReader
    older_copy: bool
    """The derived files are ahead of the log, or went another way."""
    folder: Path


@dataclass(slots=True)
class Start:
    """Where folding begins: from the log's beginning, or from a snapshot."""

    header: Header
    state: State
    catalog: Catalog
    position: Position
    facts: FactsReader
    disagrees: bool
    hash_at: int


def start_from(folder: Path, file: LogFile, facts_end: int | None = None) -> Start:
    """The nearest place to fold from, the facts file read up to `facts_end`; raises NotALog."""
    header = read_header(file)
    loaded = snapshot.load(folder, file, header)
    if loaded.snapshot is None:
        place = beginning(header)
        facts = FactsReader(folder / FACTS_NAME, file, header, place, end=facts_end)
        return Start(header, State(), Catalog(), place, facts, loaded.disagrees, header.length - len(header.hash))
    state, catalog, place, hash_at, facts_at = loaded.snapshot
    facts = FactsReader(folder / FACTS_NAME, file, header, place, facts_at, facts_end)
    return Start(header, state, catalog, place, facts, False, hash_at)


def restore(path: Path, clock: Callable[[], int], *, progress: Progress | None = None) -> Restored:
    """Open a log for writing and fold it; raises what `events.opening.open_log` raises."""
    file = OSFile(path)
    folder = derived_folder(path)
    try:
        start = start_from(folder, file)
        opened = open_file(
            file,
            start.state.apply,
            clock,
            folder,
            start=start.position,
            catalog=start.catalog,
            facts=start.facts,
            progress=progress,
        )
    except BaseException:
        file.close()
        raise
    return Restored(opened, start.state, start.facts, start.disagrees or start.facts.disagrees, folder)
