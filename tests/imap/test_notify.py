"""NOTIFY under load: overflow, a client that does not read, sessions that end."""

from pathlib import Path

import pytest
import trio

from crockery import limits
from crockery.actions.actor import the_server
from crockery.actions.incoming import received
from crockery.actions.mail import Delivery, deliver
from crockery.actions.mailboxes import change_subscriptions
from tests.support.dialog import Client, logged_in
from tests.support.server import RunningServer, running_server
from tests.support.waiting import PATIENCE, until


def account_of(server: RunningServer) -> int:
    return server.store.state.accounts.by_name["anna"].id


def subscribe_many(server: RunningServer, count: int, name: str) -> None:
    for number in range(count):
        change_subscriptions(server.store, the_server(), account_of(server), add=f"{name}{number}")


async def notified(server: RunningServer, groups: str) -> Client:
    client = await logged_in(server, "anna")
    await client.send(f"n NOTIFY SET {groups}\r\n".encode())
    assert await client.line() == "n OK NOTIFY completed"
    return client


async def test_overflow_ends_it_and_a_new_notify_begins_anew(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "IMAP_NOTIFY_HELD", 10)
    client = await notified(server, "(personal (SubscriptionChange))")
    subscribe_many(server, 11, "a")
    line = await client.line()
    assert line.startswith("* OK [NOTIFICATIONOVERFLOW] "), line
    subscribe_many(server, 1, "b")
    await server.services.writer.wait_durable(server.store.log.head)
    await client.send(b"x NOOP\r\n")
    assert await client.line() == "x OK NOOP completed"
    await client.send(b"n NOTIFY SET (personal (SubscriptionChange))\r\n")
    assert await client.line() == "n OK NOTIFY completed"
    subscribe_many(server, 1, "c")
    assert await client.line() == '* LIST (\\NonExistent \\Subscribed) "/" c0'
    await client.close()


async def test_many_messages_are_one_status(server: RunningServer) -> None:
    client = await notified(server, "(mailboxes INBOX (MessageNew MessageExpunge))")
    inbox = server.store.state.mailboxes.find(account_of(server), "INBOX")
    assert inbox is not None
    for _ in range(500):
        deliver(server.store, the_server(), received(b"x\r\n"), [Delivery(inbox, b"")], via="server")
    last = ""
    lines = 0
    while "MESSAGES 500" not in last:
        last = await client.line()
        assert last.startswith("* STATUS INBOX (MESSAGES ")
        lines += 1
    assert lines < 50
    await client.close()


async def test_listeners_go_with_their_sessions(server: RunningServer) -> None:
    changes = server.services.changes
    clients = [await notified(server, "(personal (MailboxName))") for _ in range(3)]
    assert len(changes._listeners[account_of(server)]) == 3
    await clients[0].close()
    await clients[1].send(b"x UNAUTHENTICATE\r\n")
    assert (await clients[1].line()).startswith("x OK")
    await clients[2].send(b"x LOGOUT\r\n")
    assert (await clients[2].line()).startswith("* BYE")
    assert (await clients[2].line()).startswith("x OK")
    await until(lambda: not changes._listeners)
    for client in clients[1:]:
        await client.close()


async def test_a_stop_is_told_to_those_who_only_listen(tmp_path: Path) -> None:
    with trio.fail_after(PATIENCE):
        async with running_server(tmp_path) as server:
            client = await notified(server, "(personal (MailboxName))")
            server.server.stop()
            assert (await client.line()).startswith("* BYE")
            await client.close()
