"""Changes wake whom they concern, once they are durable; the budget is shared in order."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from crockery import limits
from crockery.actions.accounts import add_account, remove_account
from crockery.actions.actor import the_server
from crockery.actions.incoming import received
from crockery.actions.mail import Delivery, deliver
from crockery.actions.mailboxes import change_subscriptions, create_mailbox
from crockery.events.writer import Writer
from crockery.net.budget import Budget
from crockery.net.changes import Changes
from crockery.net.tally import Tally
from crockery.projections.mailboxes import Mailbox
from tests.support.store import TestStore


@pytest.fixture
def kept(tmp_path: Path) -> TestStore:
    return TestStore(tmp_path / "test.crk")


def _deliver(kept: TestStore, mailbox: Mailbox) -> None:
    deliver(kept.store, the_server(), received(b"Subject: hi\r\n\r\nhello\r\n"), [Delivery(mailbox, b"")], via="smtp")


class Waiter:
    """A task that waits; `done` tells whether it still does."""

    def __init__(self, nursery: trio.Nursery, wait: Callable[[], Awaitable[None]]) -> None:
        self.done = False
        self._wait = wait
        nursery.start_soon(self._run)

    async def _run(self) -> None:
        await self._wait()
        self.done = True


async def test_waking(kept: TestStore) -> None:
    store = kept.store
    writer = Writer(store.log)
    changes = Changes(store.state, writer)
    anna = add_account(store, the_server(), "anna").id
    inbox = store.state.mailboxes.find(anna, "INBOX")
    sent = store.state.mailboxes.find(anna, "Sent")
    assert inbox is not None and sent is not None
    async with trio.open_nursery() as nursery:
        await nursery.start(writer.run)
        await writer.wait_durable(store.log.head)
        in_inbox = Waiter(nursery, lambda: changes.wait_mailbox(inbox.id, inbox.position))
        in_sent = Waiter(nursery, lambda: changes.wait_mailbox(sent.id, sent.position))
        await wait_all_tasks_blocked()
        assert not (in_inbox.done or in_sent.done)

        _deliver(kept, inbox)
        await writer.wait_durable(store.log.head)
        await wait_all_tasks_blocked()
        assert in_inbox.done and not in_sent.done

        change_subscriptions(store, the_server(), anna, add="elsewhere")
        await writer.wait_durable(store.log.head)
        await wait_all_tasks_blocked()
        assert not in_sent.done

        remove_account(store, the_server(), "anna")
        await writer.wait_durable(store.log.head)
        await wait_all_tasks_blocked()
        assert in_sent.done
        nursery.cancel_scope.cancel()
    assert not changes._waiting
    kept.close()


async def test_nobody_is_woken_before_it_is_durable(kept: TestStore) -> None:
    store = kept.store
    writer = Writer(store.log)
    changes = Changes(store.state, writer)
    inbox = create_mailbox(store, the_server(), 1, "INBOX")
    kept.store.log.commit()
    async with trio.open_nursery() as nursery:
        before = inbox.position
        waiter = Waiter(nursery, lambda: changes.wait_mailbox(inbox.id, before))
        await wait_all_tasks_blocked()
        _deliver(kept, inbox)  # there is no writer yet
        late = Waiter(nursery, lambda: changes.wait_mailbox(inbox.id, before))
        await wait_all_tasks_blocked()
        assert not waiter.done and not late.done
        await nursery.start(writer.run)
        await writer.wait_durable(store.log.head)
        await wait_all_tasks_blocked()
        assert waiter.done and late.done
        with trio.fail_after(1):  # what lies behind is told at once
            await changes.wait_mailbox(inbox.id, 0)
            await changes.wait_mailbox(987654, 10**9)
        nursery.cancel_scope.cancel()
    kept.close()


async def test_budget_serves_in_order() -> None:
    budget = Budget(100)
    await budget.take(60)
    async with trio.open_nursery() as nursery:
        large = Waiter(nursery, lambda: budget.take(90))
        await wait_all_tasks_blocked()
        small = Waiter(nursery, lambda: budget.take(10))
        await wait_all_tasks_blocked()
        assert not large.done and not small.done, "a small one must not pass a large one"
        budget.give(60)
        await wait_all_tasks_blocked()
        assert large.done and small.done
    assert budget.used == 100


async def test_budget_refuses_after_a_while_and_counts_right(autojump_clock: MockClock) -> None:
    budget = Budget(100)
    await budget.take(500)  # larger than all, but alone
    started = trio.current_time()
    with pytest.raises(trio.TooSlowError):
        await budget.take(1)
    assert trio.current_time() - started == limits.BUDGET_WAIT
    budget.give(500)
    await budget.take(100)
    assert budget.used == 100
    async with trio.open_nursery() as nursery:  # cancelled while waiting: the next one gets its turn
        scope = trio.CancelScope()

        async def give_up() -> None:
            with scope:
                await budget.take(100)

        nursery.start_soon(give_up)
        await wait_all_tasks_blocked()
        waiter = Waiter(nursery, lambda: budget.take(0))
        await wait_all_tasks_blocked()
        scope.cancel()
        await wait_all_tasks_blocked()
        assert waiter.done
    assert budget.used == 100


async def test_tally_writes_once_a_minute(kept: TestStore, autojump_clock: MockClock) -> None:
    tally = Tally(kept.store)
    head = kept.store.log.head
    async with trio.open_nursery() as nursery:
        nursery.start_soon(tally.run)
        for _ in range(1000):
            tally.count("login-wrong")
        await trio.sleep(limits.TALLY_INTERVAL + 1)
        assert kept.store.log.head == head + 1
        await trio.sleep(limits.TALLY_INTERVAL * 10)
        assert kept.store.log.head == head + 1, "nothing happened, nothing is written"
        tally.count("login-wrong", 2)
        nursery.cancel_scope.cancel()
    assert kept.store.log.head == head + 2
    assert not tally.counts
    kept.close()
