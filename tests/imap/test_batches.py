"""UIDBATCHES over mailboxes of some size: the batches partition the UIDs, and none is larger than asked for."""

import itertools
from pathlib import Path

import pytest

from crockery import limits
from crockery.actions.actor import the_server
from crockery.actions.incoming import received
from crockery.actions.mail import Delivery, deliver, expunge
from tests.support.dialog import logged_in
from tests.support.server import running_server


@pytest.mark.parametrize("size", [3, 4, 5])
async def test_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(limits, "IMAP_BATCH_MIN", 1)
    async with running_server(tmp_path) as server:
        account = server.store.state.accounts.find("anna")
        assert account is not None
        inbox = server.store.state.mailboxes.find(account.id, "INBOX")
        assert inbox is not None
        for uid in range(1, 21):
            flags = ["\\Deleted"] if uid in (3, 4, 9, 20) else []
            deliver(server.store, the_server(), received(b"x"), [Delivery(inbox, b"", flags)], via="server")
        expunge(server.store, the_server(), inbox)
        uids = set(inbox.columns.uid.tolist())
        client = await logged_in(server, "anna")
        await client.send(b"a SELECT INBOX\r\nb UIDBATCHES %d\r\nc UIDBATCHES %d 2:3\r\n" % (size, size))
        lines = [""]
        while not lines[-1].startswith("c "):
            lines.append(await client.line())
        await client.close()
    every, some = [line.split(") ")[1] for line in lines if "UIDBATCHES (" in line]
    pairs = [tuple(map(int, pair.split(":"))) for pair in every.split(",")]
    assert pairs[0][0] == 19
    assert pairs[-1][1] == 1
    assert all(below[0] + 1 == low for (_, low), below in itertools.pairwise(pairs)), "no gaps"
    counts = [len([uid for uid in uids if low <= uid <= high]) for high, low in pairs]
    assert counts[:-1] == [size] * (len(counts) - 1)
    assert 0 < counts[-1] <= size
    assert some == ",".join(f"{high}:{low}" for high, low in pairs[1:3])
