"""Bad days: a full disk, a failed write, a defect of ours. Nobody is told what is not so."""

import errno
from collections.abc import Sequence
from pathlib import Path

import pytest
import trio
import trio.testing

from crockery.actions.store import Store
from crockery.delivery.intake import Intake
from crockery.events.errors import LogFailed, LogFull
from crockery.events.types import Event
from crockery.smtp.server import Role
from tests.support.smtp_session import smtp_server
from tests.support.store import messages

LETTER = b"Subject: hi\r\n\r\nHello\r\n"
LARGE = b"Subject: hi\r\n\r\n" + b"0123456789abcdef\r\n" * 200_000


def no_room(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on bodies find no room on the disk, as the log itself finds out."""

    def append(events: Sequence[Event], *, jump: int = 0) -> int:
        raise LogFull("the disk is full")

    monkeypatch.setattr(store.log, "append", append)


@pytest.mark.parametrize("message", [LETTER, LARGE], ids=["small", "large"])
async def test_a_full_disk(tmp_path: Path, message: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    async with smtp_server(tmp_path / "x.crk") as served:
        peer = await served.connect()
        await peer.codes("EHLO c")
        with monkeypatch.context() as patch:
            no_room(served.store, patch)
            assert await peer.mail(message, "anna@example.test") == (
                "452 4.3.1 Not enough room at the moment, try again later"
            )
        assert served.services.budget.used == 0
        assert (await peer.mail(message, "anna@example.test")).startswith("250")
        assert len(messages(served.store, "anna")) == 1


async def test_a_stalled_log_refuses_early(tmp_path: Path) -> None:
    async with smtp_server(tmp_path / "x.crk") as served:
        peer = await served.connect()
        await peer.codes("EHLO c")
        await served.services.writer.wait_durable(served.store.log.head)  # a batch that is done ends a stall
        served.store.log.stalled = True
        assert await peer.codes("MAIL FROM:<>") == [452]


@pytest.mark.parametrize("role", Role)
async def test_nobody_is_told_of_what_was_not_synced(
    tmp_path: Path, role: Role, monkeypatch: pytest.MonkeyPatch
) -> None:
    def sync() -> None:
        raise OSError(errno.EIO, "I/O error")

    told: list[bytes] = []
    with pytest.raises(ExceptionGroup) as caught:
        async with smtp_server(tmp_path / "x.crk") as served:
            peer = await served.connect(role, login="anna" if role is Role.SUBMISSION else "")
            await peer.codes("EHLO c", "MAIL FROM:<anna@example.test>", "RCPT TO:<ben@example.test>", "DATA")
            monkeypatch.setattr(served.store.log.file, "sync", sync)
            await peer.send(b"From: anna@example.test\r\n\r\nHi\r\n.\r\nNOOP\r\n")
            told.append(await peer.reply())
    assert caught.group_contains(LogFailed) if hasattr(caught, "group_contains") else True
    assert told in ([], [b""])


async def test_a_250_waits_for_the_sync(tmp_path: Path) -> None:
    async with smtp_server(tmp_path / "x.crk") as served:
        peer = await served.connect()
        await peer.codes("EHLO c", "MAIL FROM:<>", "RCPT TO:<anna@example.test>", "DATA")
        gate = trio.Event()
        really = served.services.writer.wait_durable

        async def wait(position: int) -> None:
            await gate.wait()
            await really(position)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(type(served.services.writer), "wait_durable", lambda self, position: wait(position))
            await peer.send(LETTER + b".\r\n")
            while not messages(served.store, "anna"):
                await trio.testing.wait_all_tasks_blocked(0.001)
            with trio.move_on_after(0.05) as early:
                await peer.reply()
            assert early.cancelled_caught
            gate.set()
            assert (await peer.reply()).startswith(b"250 ")


async def test_defects_of_ours_are_451_with_a_reference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(self: Intake, *arguments: bytes) -> None:
        raise ZeroDivisionError("a defect")

    async with smtp_server(tmp_path / "x.crk") as served:
        peer = await served.connect()
        await peer.codes("EHLO c")
        for method in ("write", "finish"):
            with monkeypatch.context() as patch:
                patch.setattr(Intake, method, broken)
                reply = await peer.mail(LETTER, "anna@example.test")
            assert reply.startswith("451 4.3.0 Something is wrong at our side, try again later (reference ")
            reference = reply.rpartition(" ")[2].rstrip(")")
            assert reference in caplog.text and "ZeroDivisionError" in caplog.text
            assert "defect" not in reply
        assert (await peer.mail(LETTER, "anna@example.test")).startswith("250")
        assert served.services.budget.used == 0
