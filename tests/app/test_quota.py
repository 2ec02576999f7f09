"""Accounts are told that they are nearly full, once a step; mail to a full one has to wait; what they delete counts."""

from pathlib import Path

import numpy as np
import pytest
import trio

from crockery import limits
from crockery.actions.actor import the_server
from crockery.actions.incoming import received
from crockery.actions.mail import Delivery, deliver, expunge, store_flags
from crockery.actions.quota import set_quota
from crockery.actions.settings import change_setting
from crockery.projections.accounts import Account
from crockery.projections.mailboxes import Mailbox
from crockery.projections.quota import Quota, fullness, quota_of, step_of, usage_of
from tests.support.dialog import Client
from tests.support.server import RunningServer, running_server
from tests.support.waiting import until


def anna_of(server: RunningServer) -> tuple[Account, Mailbox]:
    account = server.store.state.accounts.by_name["anna"]
    inbox = server.store.state.mailboxes.find(account.id, "INBOX")
    assert inbox is not None
    return account, inbox


async def smtp(server: RunningServer, *lines: str) -> list[str]:
    """Say the lines to the MX port; the last line of each reply."""
    client = Client(await trio.open_tcp_stream("127.0.0.1", server.ports["smtp"]))
    replies = []
    for line in ("", "EHLO mx.example.org", *lines):
        if line:
            await client.send(line.encode() + b"\r\n")
        while (reply := await client.line())[3:4] == "-":
            pass
        replies.append(reply)
    await client.close()
    return replies[2:]


async def mail(server: RunningServer, recipient: str = "anna@example.test") -> str:
    """Send a mail; the reply that decided."""
    replies = await smtp(
        server, "MAIL FROM:<c@example.org>", f"RCPT TO:<{recipient}>", "DATA", "Subject: x\r\n\r\nx\r\n."
    )
    return replies[1] if replies[1][0] != "2" else replies[3]


async def settle(server: RunningServer, step: int) -> None:
    """Until the account knows."""
    account, _ = anna_of(server)
    await until(lambda: account.quota_told == step)


def subjects(server: RunningServer) -> list[str]:
    _, inbox = anna_of(server)
    mails = [server.services.store.log.read_message(number)[1] for number in inbox.columns.number.tolist()]
    found = [line for data in mails for line in data.decode().split("\r\n") if line.startswith("Subject: Your mail")]
    return [line.removeprefix("Subject: Your mail account is ") for line in found]


async def test_told_at_each_step_once_and_refused_when_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "QUOTA_LOOK", 0.01)
    async with running_server(tmp_path) as server:
        account, inbox = anna_of(server)
        store = server.store
        set_quota(store, the_server(), account, Quota(0, 20))
        for number in range(16):
            deliver(store, the_server(), received(b"%d\r\n" % number), [Delivery(inbox, b"")], via="server")
        await settle(server, 80)
        assert subjects(server) == ["80 % full"]
        assert (await mail(server)).startswith("250 ")
        assert (await mail(server)).startswith("250 ")
        await settle(server, 95)
        assert subjects(server) == ["80 % full", "95 % full"]  # the mails themselves count: 20 now
        await settle(server, 100)
        assert subjects(server) == ["80 % full", "95 % full", "full"]
        assert (await mail(server)).startswith("452 4.2.2")
        assert (await mail(server, "ben@example.test")).startswith("250 ")
        store_flags(store, the_server(), inbox, inbox.columns.uid[:12], "+", ["\\Deleted"])
        expunge(store, the_server(), inbox)
        await settle(server, 0)
        assert (await mail(server)).startswith("250 ")
        assert len(subjects(server)) == 3
        assert usage_of(store.state, account.id).messages == len(inbox)
    async with running_server(tmp_path) as server:
        account, inbox = anna_of(server)
        assert (account.quota, account.quota_told) == ((0, 20), 0)


async def test_told_once_that_mail_was_refused_until_there_is_room_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "QUOTA_LOOK", 0.01)
    big = ["MAIL FROM:<c@example.org> SIZE=30000", "RCPT TO:<anna@example.test>"]
    async with running_server(tmp_path) as server:
        account, inbox = anna_of(server)
        store = server.store
        set_quota(store, the_server(), account, Quota(100 << 10, 0))
        deliver(store, the_server(), received(bytes(75 << 10)), [Delivery(inbox, b"")], via="server")
        assert (await smtp(server, *big))[1].startswith("452 4.2.2")
        await settle(server, 100)
        mails = [store.log.read_message(number)[1].decode() for number in inbox.columns.number.tolist()]
        assert "\r\nSubject: Your mail account has no room for a mail\r\n" in mails[-1]
        assert "Your mailboxes hold 75.0 KiB of 100.0 KiB." in mails[-1]
        assert "A mail of 29.3 KiB that somebody sends you does not fit" in mails[-1]
        count = len(inbox)
    async with running_server(tmp_path) as server:
        account, inbox = anna_of(server)
        store = server.store
        assert (account.quota_told, account.quota_lacking) == (100, 30000)
        assert (await smtp(server, *big))[1].startswith("452 4.2.2")
        deliver(store, the_server(), received(bytes(8 << 10)), [Delivery(inbox, b"")], via="server")
        assert (await smtp(server, *big))[1].startswith("452 4.2.2")
        store_flags(store, the_server(), inbox, inbox.columns.uid[:1], "+", ["\\Deleted"])
        expunge(store, the_server(), inbox)
        await settle(server, 0)
        assert len(inbox) == count  # and no second letter
        assert (await smtp(server, *big))[1].startswith("250 2.1.5")


async def test_the_declared_size_is_weighed(tmp_path: Path) -> None:
    async with running_server(tmp_path) as server:
        account, inbox = anna_of(server)
        set_quota(server.store, the_server(), account, Quota(1000, 0))
        deliver(server.store, the_server(), received(bytes(600)), [Delivery(inbox, b"")], via="server")
        said = {}
        for size in ("", " SIZE=400", " SIZE=401", " SIZE=1001"):
            said[size] = await smtp(server, f"MAIL FROM:<c@example.org>{size}", "RCPT TO:<anna@example.test>")
        assert [replies[1][:9] for replies in said.values()] == ["250 2.1.5", "250 2.1.5", "452 4.2.2", "552 5.2.3"]
        assert (await smtp(server, "MAIL FROM:<c@example.org> SIZE=1001", "RCPT TO:<ben@example.test>"))[1][:3] == "250"


async def test_the_setting_is_for_accounts_without_their_own(tmp_path: Path) -> None:
    async with running_server(tmp_path) as server:
        account, inbox = anna_of(server)
        store, state = server.store, server.store.state
        assert quota_of(state, account.id) == Quota(0, 0)
        assert change_setting(store, the_server(), "quota-storage", "1G") == 1 << 30
        assert quota_of(state, account.id) == Quota(1 << 30, 0)
        set_quota(store, the_server(), account, Quota(1000, 0))
        set_quota(store, the_server(), account, Quota(1000, 0))
        deliver(store, the_server(), received(bytes(np.full(900, 65, np.uint8))), [Delivery(inbox, b"")], via="server")
        assert fullness(state, account.id) == 90
        set_quota(store, the_server(), account, None)
        assert quota_of(state, account.id) == Quota(1 << 30, 0)


@pytest.mark.parametrize(("percent", "step"), [(0, 0), (79, 0), (80, 80), (94, 80), (95, 95), (100, 100), (140, 100)])
def test_steps(percent: int, step: int) -> None:
    assert step_of(percent) == step
