"""Who signs: a thread, several messages at a time; where there are many without a pause, a process. Each message gets
its own signature, or its own error, whatever becomes of the process.
"""

import threading
from collections import deque
from collections.abc import Iterable

import pytest
import trio
import trio.testing

from crockery.children.child import ChildFailed
from crockery.delivery.signing.process import Keys
from crockery.delivery.signing.task import SigningTask
from crockery.events.errors import BodyUnreadable
from crockery.limits import QUEUE_PIECE, QUEUE_SIGNED, QUEUE_SIGNING_IDLE, QUEUE_SIGNING_MANY, QUEUE_SIGNING_PAUSE
from crockery.projections.queue import QueuedMessage
from crockery.projections.signing import DKIMKey
from tests.support.waiting import PATIENCE

KEY = DKIMKey(1, "x.test", "s", "v=DKIM1")


def message(number: int, size: int = 1000, origin: str = "submitted") -> QueuedMessage:
    facts = {"account": 1, "origin": origin, "reverse_path": "a@x.test", "size": size, "prefix": b"", "expires": 1}
    return QueuedMessage(number, 0, {**facts, "recipients": []})


def damaged() -> Iterable[bytes]:
    yield b"it begins well"
    raise BodyUnreadable(4, "damaged")


class Thread:
    """Signs when it may, and counts how often it did."""

    now = 5

    def __init__(self, *, may: bool = True) -> None:
        self.may = threading.Event()
        self.signed = 0
        self.keys = [KEY]
        if may:
            self.may.set()

    def signs(self, message: QueuedMessage) -> bool:
        return message.origin != "forward"

    def sign(self, pieces: Iterable[bytes], now: int) -> bytes:
        self.may.wait(10)
        whole = b"".join(pieces)
        self.signed += 1
        return b"thread %d %b" % (now, whole)

    def known(self) -> list[DKIMKey]:
        return list(self.keys)

    def octets(self, key: DKIMKey) -> bytes:
        return b"key %d" % key.id


class Process:
    """Signs what it was given, until it is told to fail."""

    def __init__(self) -> None:
        self.keys: Keys = ()
        self.has_ended = False
        self._send, self._receive = trio.open_memory_channel[bytes](1000)
        self.hold: deque[bytes] | None = None
        """What it was given since it is slow."""

    async def start(self, keys: Keys) -> "Process":
        await trio.lowlevel.checkpoint()
        self.keys = keys
        return self

    async def sign(self, messages: Iterable[bytes], now: int) -> None:
        await trio.lowlevel.checkpoint()
        for whole in messages:
            if self.hold is None:
                self._send.send_nowait(b"process %d %b" % (now, whole))
            else:
                self.hold.append(whole)

    async def signatures(self) -> list[bytes]:
        try:
            return [await self._receive.receive()]
        except trio.EndOfChannel:
            raise ChildFailed("ended by SIGKILL") from None

    def die(self) -> None:
        self._send.close()

    async def end(self) -> None:
        await trio.lowlevel.checkpoint()
        self.has_ended = True


async def no_process(keys: Keys) -> Process:
    await trio.lowlevel.checkpoint()
    raise OSError("no processes here")


async def sign(task: SigningTask, *texts: bytes) -> list[bytes]:
    jobs = [task(message(number), (b"piece ", text)) for number, text in enumerate(texts)]
    with trio.fail_after(PATIENCE):
        return [await job.fields() for job in jobs]


async def expect_own(task: SigningTask, count: int, who: bytes) -> None:
    """Each of many messages gets its own signature, or its own error."""
    jobs = [task(message(n), damaged() if n % 5 == 4 else (b"piece ", b"%d" % n)) for n in range(count)]
    with trio.fail_after(PATIENCE):
        for number, job in enumerate(jobs):
            if number % 5 == 4:
                with pytest.raises(BodyUnreadable):
                    await job.fields()
            else:
                assert await job.fields() == b"%b 5 piece %d" % (who, number)


async def with_process(nursery: trio.Nursery, thread: Thread, process: Process) -> SigningTask:
    """A task whose process signs already."""
    task = SigningTask(thread, process.start)
    nursery.start_soon(task.run)
    await sign(task, *[b"x"] * QUEUE_SIGNING_MANY)
    with trio.fail_after(PATIENCE):
        while (await sign(task, b"x"))[0].startswith(b"thread"):
            pass
    return task


async def pass_by(clock: trio.testing.MockClock, seconds: float) -> None:
    """Threads are no tasks: a clock that jumps by itself would not wait for them."""
    clock.jump(seconds)
    await trio.testing.wait_all_tasks_blocked()


async def test_each_gets_its_own(nursery: trio.Nursery) -> None:
    task = SigningTask(Thread(), no_process)
    nursery.start_soon(task.run)
    await expect_own(task, 3 * QUEUE_SIGNED, b"thread")


async def test_who_goes_away_holds_up_nobody(nursery: trio.Nursery) -> None:
    thread = Thread(may=False)
    task = SigningTask(thread, no_process)
    nursery.start_soon(task.run)
    with trio.fail_after(PATIENCE):
        async with trio.open_nursery() as signing:
            for number in range(3):
                signing.start_soon(task(message(number), ()).fields)
            await trio.testing.wait_all_tasks_blocked()
            signing.cancel_scope.cancel()
        thread.may.set()
        assert await task(message(10), (b"x",)).fields() == b"thread 5 x"


async def test_it_begins_before_anyone_asks_for_the_fields(nursery: trio.Nursery) -> None:
    thread = Thread()
    task = SigningTask(thread, no_process)
    nursery.start_soon(task.run)
    signature = task(message(1), (b"x",))
    with trio.fail_after(PATIENCE):
        while not thread.signed:
            await trio.testing.wait_all_tasks_blocked()
        assert await signature.fields() == b"thread 5 x"
    assert thread.signed == 1


async def test_a_large_one_has_a_thread_of_its_own() -> None:
    task = SigningTask(Thread(), no_process)
    with trio.fail_after(PATIENCE):
        assert await task(message(1, QUEUE_PIECE + 1), (b"much",)).fields() == b"thread 5 much"


@pytest.mark.parametrize("size", [1000, QUEUE_PIECE + 1])
async def test_what_is_not_signed_is_not_read(size: int) -> None:
    task = SigningTask(Thread(), no_process)
    with trio.fail_after(PATIENCE):
        assert await task(message(1, size, "forward"), damaged()).fields() == b""


async def test_many_without_a_pause_are_signed_by_a_process(nursery: trio.Nursery) -> None:
    thread, process = Thread(), Process()
    task = await with_process(nursery, thread, process)
    assert process.keys == [("x.test", "s", b"key 1")]
    before = thread.signed
    await expect_own(task, 50, b"process")
    assert thread.signed == before


async def test_the_process_begins_while_there_is_always_something_waiting(nursery: trio.Nursery) -> None:
    thread, process = Thread(), Process()
    task = SigningTask(thread, process.start)
    jobs = [task(message(number), (b"x",)) for number in range(10 * QUEUE_SIGNING_MANY)]
    nursery.start_soon(task.run)
    with trio.fail_after(PATIENCE):
        assert await jobs[-1].fields() == b"process 5 x"


async def test_without_a_process_the_thread_goes_on(nursery: trio.Nursery) -> None:
    task = SigningTask(Thread(), no_process)
    nursery.start_soon(task.run)
    texts = [b"%d" % number for number in range(2 * QUEUE_SIGNING_MANY + 5)]
    assert await sign(task, *texts) == [b"thread 5 piece " + text for text in texts]


async def test_the_thread_takes_over_what_a_dead_process_had(nursery: trio.Nursery) -> None:
    process = Process()
    task = await with_process(nursery, Thread(), process)
    process.hold = deque()
    jobs = [task(message(number), iter((b"%d" % number,))) for number in range(7)]
    await trio.testing.wait_all_tasks_blocked()
    assert len(process.hold) == 7
    process.die()
    with trio.fail_after(PATIENCE):
        assert [await job.fields() for job in jobs] == [b"thread 5 %d" % number for number in range(7)]
    assert process.has_ended


async def test_nothing_is_signed_with_old_keys(nursery: trio.Nursery, mock_clock: trio.testing.MockClock) -> None:
    thread, process = Thread(), Process()
    task = await with_process(nursery, thread, process)
    thread.keys.append(DKIMKey(2, "x.test", "t", "v=DKIM1"))
    assert await sign(task, b"x") == [b"thread 5 piece x"]
    await pass_by(mock_clock, QUEUE_SIGNING_IDLE)
    assert process.has_ended


async def test_an_idle_process_ends(nursery: trio.Nursery, mock_clock: trio.testing.MockClock) -> None:
    process = Process()
    await with_process(nursery, Thread(), process)
    await pass_by(mock_clock, QUEUE_SIGNING_IDLE - 1)
    assert not process.has_ended
    await pass_by(mock_clock, 1)
    assert process.has_ended


async def test_a_process_that_does_not_answer(nursery: trio.Nursery, mock_clock: trio.testing.MockClock) -> None:
    process = Process()
    task = await with_process(nursery, Thread(), process)
    process.hold = deque()
    await pass_by(mock_clock, QUEUE_SIGNING_IDLE - 1)
    job = task(message(1), (b"x",))
    await trio.testing.wait_all_tasks_blocked()
    await pass_by(mock_clock, 1)
    assert not process.has_ended, "it was given the message only now"
    await pass_by(mock_clock, QUEUE_SIGNING_IDLE)
    assert process.has_ended
    assert await job.fields() == b"thread 5 x"


class Processes:
    """Starts one after the other, when it may."""

    def __init__(self) -> None:
        self.may = trio.Event()
        self.asked = 0
        self.started: list[Process] = []

    async def start(self, keys: Keys) -> Process:
        self.asked += 1
        await self.may.wait()
        process = Process()
        self.started.append(process)
        return await process.start(keys)


async def test_there_is_never_more_than_one(nursery: trio.Nursery, mock_clock: trio.testing.MockClock) -> None:
    processes = Processes()
    task = SigningTask(Thread(), processes.start)
    nursery.start_soon(task.run)
    for _ in range(3):
        await sign(task, *[b"x"] * QUEUE_SIGNING_MANY)
        await pass_by(mock_clock, QUEUE_SIGNING_PAUSE)
    assert processes.asked == 1
    processes.may.set()
    await trio.testing.wait_all_tasks_blocked()
    assert await sign(task, b"x") == [b"process 5 piece x"]


async def test_one_that_does_not_start(nursery: trio.Nursery, mock_clock: trio.testing.MockClock) -> None:
    processes = Processes()
    task = SigningTask(Thread(), processes.start)
    nursery.start_soon(task.run)
    await sign(task, *[b"x"] * QUEUE_SIGNING_MANY)
    await pass_by(mock_clock, QUEUE_SIGNING_IDLE)
    processes.may.set()
    assert await sign(task, b"x") == [b"thread 5 piece x"]
    await sign(task, *[b"x"] * QUEUE_SIGNING_MANY)
    await trio.testing.wait_all_tasks_blocked()
    assert (processes.asked, await sign(task, b"x")) == (2, [b"process 5 piece x"])


async def test_the_next_process_has_nothing_of_the_last(nursery: trio.Nursery) -> None:
    processes = Processes()
    processes.may.set()
    task = SigningTask(Thread(), processes.start)
    nursery.start_soon(task.run)
    for number in range(3):
        while len(processes.started) == number or (await sign(task, b"x"))[0].startswith(b"thread"):
            await sign(task, *[b"x"] * QUEUE_SIGNING_MANY)
        processes.started[number].hold = deque()
        jobs = [task(message(at), (b"%d" % at,)) for at in range(5)]
        await trio.testing.wait_all_tasks_blocked()
        processes.started[number].die()
        with trio.fail_after(PATIENCE):
            assert [await job.fields() for job in jobs] == [b"thread 5 %d" % at for at in range(5)]
    assert all(process.has_ended for process in processes.started)


async def test_a_process_that_signs_what_it_was_not_given(nursery: trio.Nursery) -> None:
    process = Process()
    task = await with_process(nursery, Thread(), process)
    await process.sign([b"something"], 5)
    await trio.testing.wait_all_tasks_blocked()
    assert process.has_ended
    assert await sign(task, b"x") == [b"thread 5 piece x"]


async def test_many_large_ones_are_read_some_at_a_time(nursery: trio.Nursery) -> None:
    task = await with_process(nursery, Thread(), Process())
    turn = 0
    turns: list[int] = []

    def pieces() -> Iterable[bytes]:
        turns.append(turn)
        yield b"x"

    class Turns(trio.abc.Instrument):
        def before_task_step(self, task: trio.lowlevel.Task) -> None:
            nonlocal turn
            turn += 1

    trio.lowlevel.add_instrument(instrument := Turns())
    jobs = [task(message(number), pieces()) for number in range(5 * QUEUE_SIGNED)]
    with trio.fail_after(PATIENCE):
        for job in jobs:
            await job.fields()
    trio.lowlevel.remove_instrument(instrument)
    assert max(map(turns.count, turns)) <= QUEUE_SIGNED


async def test_few_with_pauses_need_no_process(nursery: trio.Nursery, mock_clock: trio.testing.MockClock) -> None:
    process = Process()
    task = SigningTask(Thread(), process.start)
    nursery.start_soon(task.run)
    for _ in range(5):
        await sign(task, *[b"x"] * (QUEUE_SIGNING_MANY // 2))
        await pass_by(mock_clock, QUEUE_SIGNING_PAUSE)
    assert not process.keys
