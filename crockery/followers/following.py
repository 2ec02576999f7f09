"""What trails the log of one server: the copy of the facts, snapshots, and rows."""

import logging
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Final

import trio

from crockery.events.facts import NAME as FACTS_NAME
from crockery.events.facts import FactsWriter
from crockery.events.format import HASH_SIZE
from crockery.events.log import Appended, Log
from crockery.events.ranges import unpack_numbers
from crockery.events.types.mail import MESSAGE_RECEIVED
from crockery.events.types.server import BODIES_ERASED
from crockery.events.writer import Writer
from crockery.followers.rebuilding import Step, message_numbers, new_facts
from crockery.followers.rows import RowFollower
from crockery.limits import FACTS_STEP, FOLLOW_FACTS, SNAPSHOT_AT_STOP, SNAPSHOT_EVENTS, SNAPSHOT_TIME
from crockery.projections import snapshot
from crockery.projections.restore import Restored
from crockery.projections.state import State
from crockery.projections.structure import Structures
from crockery.projections.text import Texts

logger: Final = logging.getLogger(__name__)


class Followers:
    """What trails the log of one server."""

    def __init__(self, path: Path, restored: Restored, writer: Writer) -> None:
        """Open the derived files beside the log at `path`; raises OSError."""
        log = restored.opened.log
        self.structures = Structures(restored.folder, log.file, log.read_message)
        self.texts = Texts(restored.folder, log.file)
        for file in (self.structures, self.texts):
            if file.last > log.head:  # of a log that went on after this copy of it was made
                file.clear()
        self._rows = RowFollower(path, log, self.structures, self.texts)
        self._rows.files.resume(message_numbers(restored.state))
        self._rows.files.erase(restored.state.retention.unfinished)
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
        writer.listeners.append(self._on_durable)

    def _on_durable(self, appended: Sequence[Appended]) -> None:
        self._hash_at = appended[-1].offset + len(appended[-1].record) - HASH_SIZE
        received = []
        for event in appended:
            if event.type is MESSAGE_RECEIVED:
                received.append(event.sequence)
            elif event.type is BODIES_ERASED:
                self._rows.erase(unpack_numbers(event.facts["numbers"]).tolist())
        if received:
            self._rows.follow(received)
        self._since_snapshot += len(appended)
        self._news.set()

    async def run(self) -> None:
        """Follow until cancelled."""
        async with trio.open_nursery() as nursery:
            for follow in (self._follow_facts, self._rows.run):
                nursery.start_soon(self._run, follow)

    async def _run(self, follow: Callable[[], Awaitable[None]]) -> None:
        try:
            await follow()
        except OSError as error:
            logger.error("derived files in %s cannot be written (%s); going on without them", self._folder, error)

    async def _follow_facts(self) -> None:
        while True:
            await self._news.wait()
            self._news = trio.Event()
            await self._copy_facts()
            if self._since_snapshot >= SNAPSHOT_EVENTS:
                await self.make_snapshot()
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
            self._facts = new_facts(self._folder, self._log)
        await self._rows.clear(message_numbers(self._state))
        files = self._rows.files
        total = files.backlog + 2
        await self._copy_facts()
        yield Step(1, total)
        while files.backlog:
            await self._rows.make_some()
            yield Step(max(1, total - 1 - files.backlog), total)
        await self.make_snapshot()
        yield Step(total, total)

    async def _copy_facts(self) -> None:
        async with self._facts_lock:
            end = self._log.durable_position.offset
            while (at := self._facts.position.offset) < end:
                await trio.to_thread.run_sync(self._facts.catch_up, min(end, at + FACTS_STEP))
