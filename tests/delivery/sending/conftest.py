"""A store, a writer without threads, and a world of scripted servers, under a mock clock."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
import trio

from crockery.actions.store import Store
from crockery.assistant.conversation import why_given_up
from crockery.delivery.sending.notices import Notices
from crockery.delivery.sending.scheduler import Scheduler
from crockery.events.types import Event
from crockery.events.types.server import SETTING_CHANGED
from crockery.events.writer import Writer
from tests.support.far_side import DirectWriter, World
from tests.support.queue import states
from tests.support.store import START, TestStore, messages


@dataclass
class MockedClock:
    """Wall clock that follows Trio's; each reading is a microsecond later than the last."""

    ticks: int = 0

    def __call__(self) -> int:
        self.ticks += 1
        return START + int(trio.current_time() * 1e6) + self.ticks


@dataclass
class Sending:
    """A scheduler that runs."""

    files: TestStore
    writer: Writer
    world: World
    nursery: trio.Nursery
    stopping: trio.Event
    scheduler: Scheduler
    clock_is_proven: bool = True

    def start_notices(self, domain: str = "example.test", *account_names: str) -> None:
        """Tell senders; the domain and the accounts are ours."""
        facts = {"by": 0, "name": "domain", "value": domain, "old": None}
        self.store.log.append([Event(SETTING_CHANGED, facts)])
        for name in account_names:
            self.files.account(name)
        is_proven = lambda: self.clock_is_proven  # noqa: E731
        is_claimed = self.scheduler.agenda.is_claimed
        explain = partial(why_given_up, self.store)
        notices = Notices(self.store, self.writer, is_claimed, is_clock_proven=is_proven, explain=explain)
        self.nursery.start_soon(notices.run)

    def inbox(self, name: str) -> list[bytes]:
        """The mail in an account's INBOX."""
        return messages(self.store, name)

    @property
    def store(self) -> Store:
        return self.files.store

    async def until(self, condition: Callable[[], bool], seconds: float = 1000.0) -> float:
        """Wait until it is so; returns the seconds that took."""
        begin = trio.current_time()
        with trio.fail_after(seconds):
            while not condition():  # noqa: ASYNC110
                await trio.sleep(0.1)
        return trio.current_time() - begin

    async def until_empty(self, seconds: float = 1000.0) -> float:
        """Wait until nobody waits any more."""
        return await self.until(lambda: not self.store.state.queue.by_id, seconds)

    def states(self, number: int) -> dict[str, str]:
        return states(self.store, number)


@pytest.fixture
async def sending(tmp_path: Path, nursery: trio.Nursery) -> AsyncIterator[Sending]:
    """Tests take `autojump_clock` themselves: pytest-trio runs by a clock only if it is the test's own argument."""
    files = TestStore(tmp_path / "log.crk", MockedClock())  # type: ignore[arg-type]
    writer = DirectWriter(files.log)
    world = World(nursery)
    stopping = trio.Event()
    scheduler = Scheduler(
        files.store, writer, world, stopping, chance=lambda: 0.5, is_clock_proven=lambda: made.clock_is_proven
    )
    made = Sending(files, writer, world, nursery, stopping, scheduler)
    await nursery.start(writer.run)
    nursery.start_soon(scheduler.run)
    yield made
    nursery.cancel_scope.cancel()
