"""The derived files, kept up while the server runs: facts, structure, text, and now and then a snapshot.

They consume durable records only and give way to the work of the day: rows for new messages are made when no mail has
come for a moment, or when so many wait that someone will soon ask for them. Nothing here can fail the server: a derived
file that cannot be written is logged, and made anew at the next start.
"""

import logging
import sys
from collections.abc import AsyncGenerator, Iterator, Sequence
from pathlib import Path
from time import perf_counter
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import trio
import trio.lowlevel

from crockery.events.errors import BodyUnreadable
from crockery.events.facts import NAME as FACTS_NAME
from crockery.events.facts import FactsReader, FactsWriter
from crockery.events.format import HASH_SIZE
from crockery.events.log import Appended, Log
from crockery.events.opening import derived_folder
from crockery.events.ranges import unpack_numbers
from crockery.events.recover import beginning
from crockery.events.types.mail import MESSAGE_RECEIVED
from crockery.events.types.server import BODIES_ERASED
from crockery.events.writer import Writer
from crockery.limits import (
    FACTS_STEP,
    FOLLOW_ADOPTED,
    FOLLOW_BACKLOG,
    FOLLOW_FACTS,
    FOLLOW_PAUSE,
    FOLLOW_QUIET,
    FOLLOW_ROWS,
    FOLLOW_TEXT_BACKLOG,
    FOLLOW_TURN,
    SNAPSHOT_AT_STOP,
    SNAPSHOT_EVENTS,
    SNAPSHOT_TIME,
    TEXT_LIGHT,
)
from crockery.projections import snapshot
from crockery.projections.fold import fold
from crockery.projections.restore import Restored
from crockery.projections.rows import Message, RowMaker, read
from crockery.projections.state import State
from crockery.projections.structure import Structures
from crockery.projections.text import Texts

logger: Final = logging.getLogger(__name__)


class Step(NamedTuple):
    """How far a rebuild is."""

    done: int
    total: int


class Followers:
    """What trails the log of one server."""

    def __init__(self, path: Path, restored: Restored, writer: Writer) -> None:
        """Open the derived files beside the log at `path`; raises OSError."""
        log = restored.opened.log
        self.structures = Structures(restored.folder, log.file, log.header, log.read_message)
        self.texts = Texts(restored.folder, log.file, log.header, log.read_message)
        self._rows = RowMaker(self.structures, self.texts, log.read_message)
        for follower in (self.structures, self.texts):
            if follower.last > log.head:  # of a log that went on after this copy of it was made
                follower.clear()
            follower.follow(_numbers_after(restored.state, follower.last))
            follower.erase(restored.state.retention.unfinished)
        self._facts = FactsWriter(restored.folder / FACTS_NAME, log.file, log.header, restored.facts)
        self._facts_lock = trio.Lock()
        self._path = path
        self._folder = restored.folder
        self._log: Log = log
        self._state: State = restored.state
        self._since_snapshot = restored.opened.recovered.events
        self._hash_at = restored.opened.recovered.hash_at
        """Where in the log the hash of its last durable record is; 0: in what the snapshot stands for."""
        self._news = trio.Event()
        self._news.set()
        self._last_news = 0.0
        self._asked_for = 0
        writer.listeners.append(self._on_durable)

    def _on_durable(self, appended: Sequence[Appended]) -> None:
        self._hash_at = appended[-1].offset + len(appended[-1].record) - HASH_SIZE
        for event in appended:
            if event.type is MESSAGE_RECEIVED:
                self._rows.follow((event.sequence,))
            elif event.type is BODIES_ERASED:
                self._rows.erase(unpack_numbers(event.facts["numbers"]).tolist())
        self._since_snapshot += len(appended)
        self._last_news = trio.current_time()
        self._news.set()

    async def run(self) -> None:
        """Follow until cancelled."""
        while True:
            await self._news.wait()
            self._news = trio.Event()
            try:
                await self._copy_facts()
                if self._since_snapshot >= SNAPSHOT_EVENTS:
                    await self.make_snapshot()
                await self._make_rows()
            except OSError as error:
                logger.error("derived files in %s cannot be written (%s); going on without them", self._folder, error)
                return
            await trio.sleep(FOLLOW_FACTS)

    async def finish(self, *, with_snapshot: bool = True) -> None:
        """At an orderly stop, when nothing is appended any more: leave a snapshot for a quick start."""
        try:
            is_whole = self._log.durable == self._log.head and self._hash_at > 0
            if with_snapshot and self._since_snapshot >= SNAPSHOT_AT_STOP and is_whole:
                await self._copy_facts()
                self._save_snapshot()
            elif with_snapshot and self._since_snapshot:
                with trio.move_on_after(SNAPSHOT_TIME):
                    await self._fold_and_compare()
        except OSError as error:
            logger.error("no snapshot was written (%s); the next start reads the log instead", error)
        finally:
            self._facts.close()
            self._rows.close()

    async def _fold_and_compare(self) -> None:
        folded = await self.make_snapshot()
        if folded is not None and folded != snapshot.digest(snapshot.dump_state(self._state)):
            (self._folder / snapshot.NAME).unlink(missing_ok=True)
            logger.critical("the state in memory and the log differ: please report this; the log is the truth")

    def _save_snapshot(self) -> None:
        """Write the state in memory as it is: folding what came since the last snapshot would take too long."""
        place = self._log.durable_position
        taken = snapshot.Snapshot(self._state, self._log.catalog, place, self._hash_at, self._facts.length)
        snapshot.save(self._folder, self._log.header, taken)

    async def make_snapshot(self) -> bytes | None:
        """Have a child process fold the durable log; returns the digest of what it came to, None if it failed."""
        await self._copy_facts()
        self._facts.seal()
        events, self._since_snapshot = self._since_snapshot, 0
        place = (str(self._path), str(self._facts.position.offset), str(self._facts.length))
        command = [sys.executable, "-m", "crockery.projections.fold", *place]
        done = None
        try:
            done = await trio.run_process(command, capture_stdout=True, capture_stderr=True, check=False)
        finally:
            if done is None:  # the stop came first: `finish` must know how much there is to keep
                self._since_snapshot += events
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip()
            logger.error("no snapshot was written: %s", said.rpartition("\n")[2])
            logger.debug("%s", said)
            return None
        return bytes.fromhex(done.stdout.decode())

    async def rebuild(self) -> AsyncGenerator[Step, None]:
        """Make all derived files anew while the server serves. Raises OSError."""
        (self._folder / snapshot.NAME).unlink(missing_ok=True)
        async with self._facts_lock:
            self._facts.close()
            self._facts = _new_facts(self._folder, self._log)
        self._rows.clear()
        self._rows.follow(_numbers_after(self._state, 0))
        total = self._rows.backlog + 2
        await self._copy_facts()
        yield Step(1, total)
        while self._rows.backlog:
            await self._make_some(structures=True, texts=True)
            yield Step(max(1, total - 1 - self._rows.backlog), total)
            await trio.lowlevel.checkpoint()
        await self.make_snapshot()
        yield Step(total, total)

    async def _copy_facts(self) -> None:
        async with self._facts_lock:
            end = self._log.durable_position.offset
            while (at := self._facts.position.offset) < end:
                await trio.to_thread.run_sync(self._facts.catch_up, min(end, at + FACTS_STEP))

    async def _make_rows(self) -> None:
        while self._rows.backlog:
            if self._asked_for != self.structures.asked_for:  # who waits for rows makes them faster undisturbed
                self._asked_for = self.structures.asked_for
                self._last_news = trio.current_time()
            quiet = trio.current_time() - self._last_news >= FOLLOW_QUIET
            if self._since_snapshot >= SNAPSHOT_EVENTS:
                self._news.set()
                return
            structures = quiet or self.structures.backlog > FOLLOW_BACKLOG
            texts = quiet or self.texts.backlog > FOLLOW_TEXT_BACKLOG
            if structures or texts:
                await self._make_some(structures=structures, texts=texts)
                await trio.sleep(0 if quiet else FOLLOW_PAUSE)
            else:
                await trio.sleep(FOLLOW_PAUSE if self.structures.adopt(FOLLOW_ADOPTED) else FOLLOW_QUIET)

    async def _make_some(self, *, structures: bool, texts: bool) -> None:
        """Rows for these files, for a moment. Messages that may take long get theirs in a thread."""
        self._rows.erase_some(1)
        end = perf_counter() + FOLLOW_TURN
        while (wanted := self._rows.next(structures=structures, texts=texts)) and perf_counter() < end:
            if (message := self._quick(wanted.number)) is not None:
                made = self._rows.make(wanted, message)
            else:
                made = await trio.to_thread.run_sync(self._rows.make, wanted)
            self._rows.add(wanted, made)

    def _quick(self, number: int) -> Message | None:
        """A message whose rows are made in a millisecond or two; None where that may take longer."""
        try:
            start = self._log.read_range(number, 0, TEXT_LIGHT + 1)
        except BodyUnreadable:
            return None
        message = read(start) if len(start) <= TEXT_LIGHT else None
        return message if message is not None and message.is_quick else None


def rebuild(path: Path, log: Log, state: State) -> Iterator[Step]:
    """Make all derived files of a log anew that no server serves. Raises OSError."""
    folder = derived_folder(path)
    (folder / snapshot.NAME).unlink(missing_ok=True)
    facts = _new_facts(folder, log)
    structures = Structures(folder, log.file, log.header, log.read_message)
    texts = Texts(folder, log.file, log.header, log.read_message)
    rows = RowMaker(structures, texts, log.read_message)
    try:
        rows.clear()
        rows.follow(_numbers_after(state, 0))
        total = rows.backlog + 2
        facts.catch_up(log.durable_position.offset)
        yield Step(1, total)
        while rows.backlog:
            rows.work(FOLLOW_ROWS)
            yield Step(total - 1 - rows.backlog, total)
        facts.seal()
        fold(path, facts.position.offset, facts.length)
        yield Step(total, total)
    finally:
        facts.close()
        rows.close()


def _new_facts(folder: Path, log: Log) -> FactsWriter:
    nothing = FactsReader(folder / FACTS_NAME, log.file, log.header, beginning(log.header))
    return FactsWriter(folder / FACTS_NAME, log.file, log.header, nothing)


def _numbers_after(state: State, last: int) -> npt.NDArray[np.uint64]:
    """The messages in mailboxes with numbers beyond `last`, in order."""
    columns = [mailbox.columns.number for mailbox in state.mailboxes.by_id.values()]
    numbers = np.concatenate([column[column > np.uint64(last)] for column in columns] or [np.empty(0, np.uint64)])
    numbers.sort()
    return numbers
