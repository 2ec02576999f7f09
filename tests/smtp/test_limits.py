"""Peers that flood, stall, err and guess: each limit crossed once, with the reply that tells it."""

import itertools
import random
from pathlib import Path

import pytest
import trio
import trio.testing

from crockery import limits
from crockery.events.types.server import SETTING_CHANGED
from crockery.net.budget import Budget
from crockery.smtp.server import Role
from tests.support.smtp_session import change, smtp_server
from tests.support.store import messages
from tests.support.waiting import PATIENCE

LETTER = b"Subject: hi\r\n\r\nHello\r\n"


async def test_errors(tmp_path: Path) -> None:
    async with smtp_server(tmp_path / "x.crk") as served:
        peer = await served.connect()
        lines = ["EHLO c", "MAIL FROM:<c@client.test>", *(f"RCPT TO:<u{n}@example.test>" for n in range(30))]
        await peer.send("".join(f"{line}\r\n" for line in lines).encode())
        said = [int((await peer.reply())[:3]) for _ in range(2 + limits.SMTP_MAX_ERRORS + 1)]
        assert said == [250, 250, *[550] * limits.SMTP_MAX_ERRORS, 421]
        assert await peer.at_end()
        assert served.services.tally.counts == {
            "smtp-recipient-refused": limits.SMTP_MAX_ERRORS,
            "smtp-too-many-errors": 1,
        }


async def test_commands_without_mail(tmp_path: Path) -> None:
    async with smtp_server(tmp_path / "x.crk") as served:
        peer = await served.connect()
        for _ in range(3):
            assert set(await peer.codes("EHLO c", *["NOOP"] * (limits.SMTP_MAX_IDLE_COMMANDS // 2))) == {250}
            assert (await peer.mail(LETTER, "anna@example.test")).startswith("250")
        await peer.send(b"RSET\r\n" * limits.SMTP_MAX_IDLE_COMMANDS)
        replies = [await peer.last_line() for _ in range(limits.SMTP_MAX_IDLE_COMMANDS + 1)]
        assert replies[-2:] == ["250 2.0.0 OK", "421 4.7.0 Too many commands and no mail, closing"]
        assert await peer.at_end()


async def test_empty_chunks_are_commands_without_mail_but_others_are_not(tmp_path: Path) -> None:
    async with smtp_server(tmp_path / "x.crk") as served:
        peer = await served.connect()
        await peer.codes("EHLO c", "MAIL FROM:<>", "RCPT TO:<anna@example.test>")
        await peer.send(b"BDAT 1\r\nx" * limits.SMTP_MAX_IDLE_COMMANDS * 2)
        for _ in range(limits.SMTP_MAX_IDLE_COMMANDS * 2):
            assert (await peer.reply()).startswith(b"250 ")
        await peer.send(b"BDAT 0\r\n" * limits.SMTP_MAX_IDLE_COMMANDS)
        for _ in range(limits.SMTP_MAX_IDLE_COMMANDS):
            last = await peer.reply()
            if last.startswith(b"421 "):
                break
        assert last.startswith(b"421 4.7.0 Too many commands")


async def test_recipients(tmp_path: Path) -> None:
    async with smtp_server(tmp_path / "x.crk") as served:
        change(served.store, SETTING_CHANGED, name="max-recipients", value=3, old=None)
        peer = await served.connect()
        await peer.codes("EHLO c", "MAIL FROM:<c@client.test>")
        many = [f"RCPT TO:<anna+{n}@example.test>" for n in range(60)]
        assert await peer.codes(*many) == [250] * 3 + [452] * 57
        assert await peer.codes("DATA") == [354]
        assert await peer.codes(LETTER + b".") == [250]
        assert len(messages(served.store, "anna")) == 1


async def test_sizes(tmp_path: Path) -> None:
    async with smtp_server(tmp_path / "x.crk") as served:
        change(served.store, SETTING_CHANGED, name="max-message-size", value=1000, old=None)
        peer = await served.connect()
        await peer.codes("EHLO c")
        assert await peer.codes("MAIL FROM:<c@client.test> SIZE=1001") == [552]
        assert await peer.mail(b"x" * 999 + b"\r\n", "anna@example.test") == "552 5.3.4 The message is too big"
        assert (await peer.mail(b"x" * 998 + b"\r\n", "anna@example.test")).startswith("250")


async def test_a_huge_header(tmp_path: Path) -> None:
    async with smtp_server(tmp_path / "x.crk") as served:
        peer = await served.connect()
        await peer.codes("EHLO c")
        reply = await peer.mail(b"X: y\r\n" * 300_000, "anna@example.test")
        assert reply == "552 5.3.4 The header of the message is too big"
        assert served.services.tally.counts == {"smtp-message-refused": 1}
        assert (await peer.mail(LETTER, "anna@example.test")).startswith("250")


async def test_the_budget(tmp_path: Path) -> None:
    budget = Budget(total=100_000, wait=0.01)
    async with smtp_server(tmp_path / "x.crk", budget=budget) as served:
        peer, other = await served.connect(), await served.connect()
        await peer.codes("EHLO c", "MAIL FROM:<>", "RCPT TO:<anna@example.test>", "DATA")
        await peer.send(b"x" * 90_000)
        while budget.used < 90_000:
            await trio.testing.wait_all_tasks_blocked(0.001)
        await other.codes("EHLO c")
        assert await other.mail(b"x" * 20_000 + b"\r\n", "anna@example.test") == (
            "452 4.3.2 Too much mail in flight, try again soon"
        )
        assert await peer.codes(b"\r\n.") == [250]
        assert budget.used == 0
        assert (await other.mail(b"x" * 20_000 + b"\r\n", "anna@example.test")).startswith("250")


STALLS = {
    "silence": (b"", []),
    "half a command": (b"EHL", []),
    "after a command": (b"EHLO c\r\n", [250]),
    "within a message": (
        b"EHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<anna@example.test>\r\nDATA\r\nx\r\n",
        [250, 250, 250, 354],
    ),
    "within a chunk": (b"EHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<anna@example.test>\r\nBDAT 9\r\nx", [250, 250, 250]),
}


@pytest.mark.parametrize("name", STALLS)
@pytest.mark.parametrize("role", Role)
async def test_stalled_peers(tmp_path: Path, name: str, role: Role, monkeypatch: pytest.MonkeyPatch) -> None:
    octets, codes = STALLS[name]
    for limit in ("SMTP_COMMAND_TIMEOUT", "SMTP_LOGIN_TIMEOUT", "SMTP_DATA_TIMEOUT"):
        monkeypatch.setattr(limits, limit, 0.25)
    async with smtp_server(tmp_path / "x.crk") as served:
        peer = await served.connect(role)
        await peer.send(octets)
        said = [int((await peer.reply())[:3]) for _ in range(len(codes))]
        assert said == (codes if role is Role.MX else [code if n < 1 else said[n] for n, code in enumerate(codes)])
        replies = []
        while reply := await peer.reply():
            replies.append(reply)
        assert replies[-1] == b"421 4.4.2 No command for too long, closing\r\n"
        assert messages(served.store, "anna") == []


async def test_a_command_that_trickles_has_one_deadline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SMTP_COMMAND_TIMEOUT", 0.2)
    async with smtp_server(tmp_path / "x.crk") as served:
        peer = await served.connect()

        async def trickle() -> None:
            for _ in itertools.count():
                await peer.send(b"x")
                await trio.sleep(0.02)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(trickle)
            with trio.fail_after(PATIENCE):
                assert (await peer.reply()).startswith(b"421 4.4.2")
            nursery.cancel_scope.cancel()


async def test_a_message_that_trickles_has_one_deadline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SMTP_MESSAGE_TIMEOUT", 0.2)
    async with smtp_server(tmp_path / "x.crk") as served:
        peer = await served.connect()
        assert await peer.codes("EHLO c", "MAIL FROM:<>", "RCPT TO:<anna@example.test>", "DATA") == [250] * 3 + [354]
        with trio.fail_after(PATIENCE):
            while True:
                await peer.send(b"x")
                with trio.move_on_after(0.02):
                    assert (await peer.reply()).startswith(b"421 4.4.2")
                    break


async def test_a_peer_that_does_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Replies wait for it to read, commands are not read meanwhile, and the connection ends."""
    monkeypatch.setattr(limits, "SMTP_MAX_IDLE_COMMANDS", 10**9)
    monkeypatch.setattr("crockery.net.connection.Connection.send.__defaults__", (0.2,))
    async with smtp_server(tmp_path / "x.crk") as served:
        peer = await served.connect()
        with pytest.raises(trio.BrokenResourceError):
            while True:
                await peer.send(b"EHLO c\r\n" * 10_000)


async def test_pipelined_garbage(tmp_path: Path) -> None:
    async with smtp_server(tmp_path / "x.crk") as served:
        peer = await served.connect()
        lines = random.Random(1)
        await peer.send(b"\r\n".join(lines.randbytes(lines.randrange(200)) for _ in range(500)))
        replies = []
        while reply := await peer.reply():
            replies.append(reply)
        assert replies[-1].startswith(b"421 4.7.0 ")
        assert len(replies) <= limits.SMTP_MAX_ERRORS + 1


async def test_stopping(tmp_path: Path) -> None:
    """Who waits is told; who is sending a message may finish it."""
    async with smtp_server(tmp_path / "x.crk") as served:
        waiting, busy = await served.connect(), await served.connect()
        await busy.codes("EHLO c", "MAIL FROM:<>", "RCPT TO:<anna@example.test>", "DATA")
        served.services.stopping.set()
        assert await waiting.reply() == b"421 4.3.2 This server is shutting down, try again soon\r\n"
        assert await waiting.at_end()
        assert await busy.codes(LETTER + b".") == [250]
        assert (await busy.reply()).startswith(b"421 4.3.2 ")
        late = await served.connect()  # takes the greeting
        assert await late.reply() == b"421 4.3.2 This server is shutting down, try again soon\r\n"
