"""Group commit: who waits for what, cancellation, full disks, failed syncs. Nobody is told before the sync."""

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing

from crockery.events.errors import LogFailed
from crockery.events.log import Appended, Log
from crockery.events.types import EventType
from crockery.events.writer import Writer
from tests.support.logs import message, new_file, reopen, setting
from tests.support.sim_file import SimFile
from tests.support.waiting import PATIENCE


class SlowFile(SimFile):
    """A disk whose syncs wait until the test lets them."""

    def hold(self) -> None:
        self.let = threading.Semaphore(0)
        self.syncing = threading.Event()
        self.held = True

    held = False

    def sync(self) -> None:
        if self.held:
            self.syncing.set()
            assert self.let.acquire(timeout=PATIENCE)
        super().sync()


def broken_apply(number: int, time: int, kind: EventType, facts: Mapping[str, Any]) -> None:
    """A projection with a defect."""
    raise KeyError(number)


@pytest.fixture
def file() -> SlowFile:
    file = new_file()
    file.__class__ = SlowFile
    assert isinstance(file, SlowFile)
    return file


@pytest.fixture
def log(file: SlowFile, tmp_path: Path) -> Log:
    return reopen(file, tmp_path / "d").log


async def _in_sync(file: SlowFile) -> None:
    with trio.fail_after(PATIENCE):
        await trio.to_thread.run_sync(file.syncing.wait)
    file.syncing.clear()


async def test_waiting_ends_when_the_batch_is_on_disk(log: Log, file: SlowFile, nursery: trio.Nursery) -> None:
    writer = Writer(log)
    batches: list[Sequence[Appended]] = []
    writer.listeners.append(batches.append)
    await nursery.start(writer.run)
    file.hold()
    log.append([setting()])
    await _in_sync(file)
    log.append([setting()])
    log.append([message()])
    done: list[int] = []

    async def wait(number: int) -> None:
        await writer.wait_durable(number)
        done.append(number)

    for number in (3, 1, 2):
        nursery.start_soon(wait, number)
    await trio.testing.wait_all_tasks_blocked()
    assert not done and log.durable == 0
    file.let.release()
    await _in_sync(file)
    await trio.testing.wait_all_tasks_blocked()
    assert done == [1] and log.durable == 1
    file.let.release()
    with trio.fail_after(PATIENCE):
        await writer.wait_durable(3)
    await trio.testing.wait_all_tasks_blocked()
    assert sorted(done) == [1, 2, 3]
    assert [[event.sequence for event in batch] for batch in batches] == [[1], [2, 3]], "one batch for all that waited"


async def test_waiting_for_what_is_durable_does_not_yield(log: Log) -> None:
    writer = Writer(log)
    log.append([setting()])
    log.commit()
    with trio.testing.assert_no_checkpoints():
        await writer.wait_durable(1)


async def test_cancelled_writer_writes_what_was_appended(log: Log, file: SlowFile, tmp_path: Path) -> None:
    writer = Writer(log)
    async with trio.open_nursery() as nursery:
        await nursery.start(writer.run)
        file.hold()
        log.append([setting()])
        await _in_sync(file)
        log.append([setting()])
        nursery.cancel_scope.cancel()
        file.let.release(2)
    assert log.durable == 2
    file.held = False
    file.power_cut()
    assert reopen(file, tmp_path / "d").log.head == 2


async def test_cancelled_before_the_write_began_nothing_is_lost(log: Log, file: SlowFile, tmp_path: Path) -> None:
    writer = Writer(log)
    async with trio.open_nursery() as nursery:
        await nursery.start(writer.run)
        log.append([setting()])
        nursery.cancel_scope.cancel()  # the writer wakes cancelled
    log.append([message()])
    log.commit()
    assert reopen(file, tmp_path / "d").log.head == 2


async def test_full_disk_holds_everything_until_there_is_room(
    log: Log, file: SlowFile, nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    writer = Writer(log)
    await nursery.start(writer.run)
    file.faults = ["no room"] * 5
    log.append([message()])
    begun = trio.current_time()
    await writer.wait_durable(1)
    assert trio.current_time() - begun >= 5 and not file.faults


async def test_stop_with_a_full_disk_gives_up_and_keeps_the_log_sound(
    log: Log, file: SlowFile, tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    log.append([setting()])
    log.commit()
    writer = Writer(log)
    async with trio.open_nursery() as nursery:
        await nursery.start(writer.run)
        file.faults = ["no room"] * 1000
        log.append([message()])
        await trio.sleep(3)
        nursery.cancel_scope.cancel()
    assert log.durable == 1
    file.faults = []
    opened = reopen(file, tmp_path / "d")
    assert (opened.log.head, opened.recovered.tail) == (1, 0)


@pytest.mark.parametrize("fault", ["write", "sync"])
async def test_failed_write_or_sync_ends_it_and_nobody_is_told(log: Log, file: SlowFile, fault: str) -> None:
    writer = Writer(log)
    listened: list[Sequence[Appended]] = []
    writer.listeners.append(listened.append)
    refused: list[int] = []

    async def wait(number: int) -> None:
        with pytest.raises(LogFailed):
            await writer.wait_durable(number)
        refused.append(number)

    async with trio.open_nursery() as nursery:
        file.hold()
        file.faults = [fault]
        log.append([setting()])
        nursery.start_soon(wait, 1)
        nursery.start_soon(wait, 2)
        await trio.testing.wait_all_tasks_blocked()
        file.let.release()
        with pytest.raises(LogFailed, match="nothing was acknowledged since; check the disk and restart"):
            await writer.run()
    assert sorted(refused) == [1, 2] and not listened and log.durable == 0
    with pytest.raises(LogFailed):
        await writer.wait_durable(0)
    with pytest.raises(LogFailed):
        log.append([setting()])


async def test_event_that_cannot_be_applied_stops_the_writer(log: Log) -> None:
    writer = Writer(log)
    log._apply = broken_apply

    async def append() -> None:
        with pytest.raises(LogFailed, match="defect"):
            log.append([setting()])

    with trio.fail_after(PATIENCE), pytest.raises(BaseExceptionGroup) as caught:
        async with trio.open_nursery() as nursery:
            await nursery.start(writer.run)
            nursery.start_soon(append)
    assert caught.group_contains(LogFailed)
    with pytest.raises(LogFailed):
        await writer.wait_durable(0)


async def test_many_waiters_with_random_appends(log: Log, file: SlowFile, nursery: trio.Nursery) -> None:
    """Whoever is told finds the event on the disk that a power cut would leave."""
    writer = Writer(log)
    await nursery.start(writer.run)

    async def session() -> None:
        for _ in range(20):
            number = log.append([setting(), message()]) + 1
            offset = log.catalog.find(number)
            await writer.wait_durable(number)
            assert log.durable >= number and offset is not None and len(file.disk) > offset + 100

    with trio.fail_after(PATIENCE):
        async with trio.open_nursery() as sessions:
            for _ in range(10):
                sessions.start_soon(session)
    assert log.durable == log.head == 400
