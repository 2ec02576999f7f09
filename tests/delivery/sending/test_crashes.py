"""Mail leaves while the disk fails, fills up and the machine stops: nothing is sent that the log does not know of.

The log lies in a `SimFile`, other servers are scripted, time is mocked; a round is told by its seed alone.
"""

import collections
import random
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from crockery.actions.server import Place, start
from crockery.actions.store import Store
from crockery.delivery.sending.scheduler import Scheduler
from crockery.events.errors import LogFailed, LogFull
from crockery.events.opening import open_file
from crockery.events.writer import Writer
from crockery.projections.state import State
from tests.delivery.sending.conftest import MockedClock
from tests.support.far_side import DROP, DirectWriter, World
from tests.support.logs import new_file
from tests.support.queue import enqueue
from tests.support.sim_file import Crashed, SimFile
from tools.crash_sending import Submitted, Told, check

FAULTS = (["no room"], ["", "no room", "no room"], ["write"], ["", "sync"], ["sync"], ["", "", "write"])
ENDS = (Crashed, LogFailed, TimeoutError)
"""How a life ends."""


class SlowWriter(DirectWriter):
    """What is not waited for is not on disk yet."""

    async def _try_write(self, batch: object) -> bool:
        await trio.sleep(0.2)
        return await super()._try_write(batch)


class Round:
    """One log, from its making until its queue is empty."""

    def __init__(self, seed: int, folder: Path) -> None:
        self.rng = random.Random(seed)
        self.folder = folder
        self.file: SimFile = new_file(seed)
        self.submitted = Submitted()
        self.arrived: collections.Counter[str] = collections.Counter()
        self.ends: list[str] = []
        self.time = 0.0
        self.faults: list[str] = []

    def run(self) -> Told:
        for _ in range(5):
            self.file.fuse = self.rng.randrange(3, 60) if self.rng.random() < 0.6 else None
            self.faults = list(self.rng.choice(FAULTS)) if self.rng.random() < 0.6 else []
            self._live(self.rng.uniform(0.0, 100.0))
            self._check_recorded()
        self.file.fuse, self.faults = None, []
        self._live(None)
        told = self._told()
        check(self.submitted, self.arrived, told)
        return told

    def _live(self, seconds: float | None) -> None:
        """One life of the server; None: until its queue is empty."""

        async def live() -> None:
            state = State()
            clock = MockedClock()
            log = open_file(self.file, state.apply, clock, self.folder).log
            store = Store(log, state, clock)
            start(store, "1", Place("here", 1, 1))
            self.file.faults = self.faults
            try:
                await self._serve(store, seconds)
            finally:
                self.time = trio.current_time()

        clock = MockClock(autojump_threshold=0)
        clock.jump(self.time + 1)
        try:
            trio.run(live, clock=clock)
            self.ends.append("stop")
        except (Crashed, LogFailed) as error:
            self.ends.append(type(error).__name__)
        except BaseExceptionGroup as group:
            _, rest = group.split(ENDS)
            if rest is not None:
                raise rest from None
            self.ends.append("/".join(sorted({type(error).__name__ for error in leaves(group)})))
        if self.rng.random() < 0.7:
            self.file.power_cut()
        else:
            self.file.kill()

    async def _serve(self, store: Store, seconds: float | None) -> None:
        stopping = trio.Event()
        async with trio.open_nursery() as nursery:
            writer = SlowWriter(store.log)
            world = World(nursery)
            await nursery.start(writer.run)
            scheduler = Scheduler(store, writer, world, stopping, chance=self.rng.random)
            for number in range(4):
                side = world[f"d{number}.test"]
                side.end_time = self.rng.choice((0.0, 0.1, 3.0))
                side.end = self._take
            nursery.start_soon(scheduler.run)
            if seconds is None:
                while store.state.queue.by_id or store.log.head > store.log.durable:  # noqa: ASYNC110
                    await trio.sleep(1)
                stopping.set()
                await trio.sleep(10)
                nursery.cancel_scope.cancel()
            else:
                nursery.start_soon(self._submit, store, writer)
                await trio.sleep(seconds)
                self.file.fuse = 0
                raise TimeoutError

    async def _submit(self, store: Store, writer: Writer) -> None:
        for _ in range(12):
            recipient = f"m{next(self.submitted.numbers)}@d{self.rng.randrange(4)}.test"
            self.submitted.tried.add(recipient)
            try:
                enqueue(store, recipient, data=f"To: {recipient}\r\n\r\nHello\r\n".encode())
            except LogFull:
                continue
            await writer.wait_durable(store.log.head)
            self.submitted.acknowledged.add(recipient)
            await trio.sleep(self.rng.choice((0, 0.1, 2)))

    def _take(self, content: bytes) -> bytes:
        """A far server has a mail."""
        self.arrived[content.split()[1].decode()] += 1
        return b"250 2.0.0 taken" if self.rng.random() < 0.9 else DROP

    def _check_recorded(self) -> None:
        """What is on disk after a crash knows of each final dot."""
        told = self._told()
        for recipient, times in self.arrived.items():
            assert told.begun[recipient] >= times, f"{recipient} was sent {times} times, the log knows less"

    def _told(self) -> Told:
        told = Told()
        open_file(self.file, told.apply, lambda: 0, self.folder)
        told.end()
        return told


def leaves(group: BaseExceptionGroup[BaseException]) -> list[BaseException]:
    found: list[BaseException] = []
    for one in group.exceptions:
        found += leaves(one) if isinstance(one, BaseExceptionGroup) else [one]
    return found


@pytest.mark.parametrize("first", range(0, 40, 10))
def test_rounds(first: int, tmp_path: Path) -> None:
    ends: collections.Counter[str] = collections.Counter()
    unknown = twice = 0
    for seed in range(first, first + 10):
        round_ = Round(seed, tmp_path)
        try:
            told = round_.run()
        except Exception as error:
            raise AssertionError(f"round {seed}: {error!r}") from error
        ends.update(round_.ends)
        unknown += told.unknown.total()
        twice += sum(round_.arrived.values()) - len(round_.arrived)
    assert {"Crashed", "LogFailed", "stop"} <= ends.keys()
    assert 0 < twice <= unknown
