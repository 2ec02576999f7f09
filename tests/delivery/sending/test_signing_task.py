"""Messages are signed in a thread, whatever waits at a time together; each gets its own signature, or its own error."""

import threading
from collections.abc import Iterable

import pytest
import trio

from crockery.delivery.sending.signing import SigningTask
from crockery.events.errors import BodyUnreadable
from crockery.limits import QUEUE_PIECE, QUEUE_SIGNED
from crockery.projections.queue import QueuedMessage
from tests.support.waiting import PATIENCE


def message(number: int, size: int = 1000) -> QueuedMessage:
    facts = {"account": 1, "origin": "submitted", "reverse_path": "a@x.test", "size": size, "prefix": b"", "expires": 1}
    return QueuedMessage(number, 0, {**facts, "recipients": []})


class Slow:
    """Signs when it may, and counts how often it was given work by a thread."""

    def __init__(self) -> None:
        self.may = threading.Event()
        self.threads: list[int] = []

    def __call__(self, message: QueuedMessage, pieces: Iterable[bytes]) -> bytes:
        self.may.wait(10)
        self.threads.append(message.id)
        if message.id % 5 == 4:
            raise BodyUnreadable(message.id, "damaged")
        return b"signed %d %b" % (message.id, b"".join(pieces))


async def test_each_gets_its_own(nursery: trio.Nursery) -> None:
    slow = Slow()
    task = SigningTask(slow)
    nursery.start_soon(task.run)
    got: dict[int, bytes] = {}

    async def sign(number: int) -> None:
        if number % 5 == 4:
            with pytest.raises(BodyUnreadable, match=str(number)):
                await task(message(number), (b"",)).fields()
            got[number] = b"error"
        else:
            got[number] = await task(message(number), (b"piece ", b"%d" % number)).fields()

    with trio.fail_after(PATIENCE):
        async with trio.open_nursery() as signing:
            for number in range(20):
                signing.start_soon(sign, number)
            await trio.testing.wait_all_tasks_blocked()
            slow.may.set()
    assert got == {n: b"error" if n % 5 == 4 else b"signed %d piece %d" % (n, n) for n in range(20)}
    assert sorted(slow.threads) == list(range(20))


async def test_who_goes_away_holds_up_nobody(nursery: trio.Nursery) -> None:
    slow = Slow()
    task = SigningTask(slow)
    nursery.start_soon(task.run)
    with trio.fail_after(PATIENCE):
        async with trio.open_nursery() as signing:
            for number in range(3):
                signing.start_soon(task(message(number), ()).fields)
            await trio.testing.wait_all_tasks_blocked()
            signing.cancel_scope.cancel()
        slow.may.set()
        assert await task(message(10), ()).fields() == b"signed 10 "


async def test_it_begins_before_anyone_asks_for_the_fields(nursery: trio.Nursery) -> None:
    slow = Slow()
    slow.may.set()
    task = SigningTask(slow)
    nursery.start_soon(task.run)
    signature = task(message(1), (b"",))
    with trio.fail_after(PATIENCE):
        while not slow.threads:
            await trio.testing.wait_all_tasks_blocked()
        assert await signature.fields() == b"signed 1 "
    assert slow.threads == [1]


async def test_many_are_signed_some_at_a_time(nursery: trio.Nursery) -> None:
    slow = Slow()
    slow.may.set()
    task = SigningTask(slow)
    many = [task(message(number * 5), ()) for number in range(2 * QUEUE_SIGNED + 1)]
    nursery.start_soon(task.run)
    with trio.fail_after(PATIENCE):
        assert await many[0].fields() == b"signed 0 "
        assert [await job.fields() for job in many] == [b"signed %d " % (5 * n) for n in range(len(many))]


async def test_a_large_one_has_a_thread_of_its_own(nursery: trio.Nursery) -> None:
    slow = Slow()
    slow.may.set()
    with trio.fail_after(PATIENCE):
        assert await SigningTask(slow)(message(1, QUEUE_PIECE + 1), (b"much",)).fields() == b"signed 1 much"
