"""All derived files of a log made anew, while no server serves it."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from crockery.events.facts import NAME as FACTS_NAME
from crockery.events.facts import FactsReader, FactsWriter
from crockery.events.log import Log
from crockery.events.opening import derived_folder
from crockery.events.recover import beginning
from crockery.limits import ROWS_BATCH
from crockery.projections import snapshot
from crockery.projections.fold import fold
from crockery.projections.rows import RowFiles, RowMaker
from crockery.projections.state import State
from crockery.projections.structure import Structures
from crockery.projections.text import Texts


class Step(NamedTuple):
    """How far a rebuild is."""

    done: int
    total: int


def rebuild(path: Path, log: Log, state: State) -> Iterator[Step]:
    """Make all derived files of a log anew that no server serves. Raises OSError."""
    folder = derived_folder(path)
    (folder / snapshot.NAME).unlink(missing_ok=True)
    facts = new_facts(folder, log)
    files = RowFiles(Structures(folder, log.file, log.read_message), Texts(folder, log.file))
    try:
        files.clear()
        files.follow(message_numbers(state))
        total = files.backlog + 2
        facts.catch_up(log.durable_position.offset)
        yield Step(1, total)
        maker = RowMaker(files.begun, lambda number: b"".join(log.read_message(number)))
        while (wanted := files.next(ROWS_BATCH)) is not None:
            files.add(wanted, maker.make(wanted))
            yield Step(total - 1 - files.backlog, total)
        facts.seal()
        fold(path, facts.position.offset, facts.length)
        yield Step(total, total)
    finally:
        facts.close()
        files.close()


def new_facts(folder: Path, log: Log) -> FactsWriter:
    """A copy of the facts that has none yet. Raises OSError."""
    nothing = FactsReader(folder / FACTS_NAME, log.file, log.header, beginning(log.header))
    return FactsWriter(folder / FACTS_NAME, log.file, log.header, nothing)


def message_numbers(state: State) -> npt.NDArray[np.uint64]:
    """The messages in mailboxes, in order."""
    columns = [mailbox.columns.number for mailbox in state.mailboxes.by_id.values()]
    numbers = np.concatenate(columns or [np.empty(0, np.uint64)])
    numbers.sort()
    return numbers
