"""The IMAP server from outside: what transcripts cannot show (timing, stops, faults, clients that do not read)."""

import threading
from pathlib import Path
from typing import Any

import pytest
import trio

from crockery import limits
from crockery.imap.verbs import HANDLERS
from tests.support.dialog import connect, hear, logged_in, say
from tests.support.server import running_server
from tests.support.waiting import until


async def test_nobody_is_told_before_it_is_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running_server(tmp_path) as server:
        anna, other = await logged_in(server, "anna"), await logged_in(server, "anna")
        await say(other, "SELECT INBOX")
        log = server.store.log
        gate = threading.Event()
        write = log.write_batch

        monkeypatch.setattr(log, "write_batch", lambda batch: gate.wait(20) and write(batch))
        before = log.head
        await anna.send(b"a APPEND INBOX {6+}\r\nbody\r\n\r\n")
        while log.head == before:
            await trio.lowlevel.checkpoint()
        await other.send(b"b NOOP\r\n")
        for client in (anna, other):
            with pytest.raises(trio.TooSlowError), trio.fail_after(0.05):
                await client.line()
        gate.set()
        assert (await anna.line()).startswith("a OK [APPENDUID")
        assert await hear(other, "b") == ["* 1 EXISTS", "* 1 RECENT", "b OK NOOP completed"]
        await anna.close()
        await other.close()


async def test_what_is_quiet_is_read_without_waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running_server(tmp_path) as server:
        anna, ben = await logged_in(server, "anna"), await logged_in(server, "ben")
        await say(ben, "SELECT INBOX")
        gate = threading.Event()
        write = server.store.log.write_batch
        monkeypatch.setattr(server.store.log, "write_batch", lambda batch: gate.wait(20) and write(batch))
        await anna.send(b"a APPEND INBOX {6+}\r\nbody\r\n\r\n")
        assert await say(ben, "STATUS INBOX (MESSAGES)") == ["* STATUS INBOX (MESSAGES 0)", "x OK STATUS completed"]
        gate.set()
        await hear(anna, "a")
        await anna.close()
        await ben.close()


async def test_a_stop_says_goodbye(tmp_path: Path) -> None:
    async with running_server(tmp_path) as server:
        waiting, idling, fresh = await logged_in(server, "anna"), await logged_in(server, "ben"), await connect(server)
        await fresh.line()
        await idling.send(b"i IDLE\r\n")
        assert await idling.line() == "+ idling"
        server.server.stop()
        for client in (waiting, idling, fresh):
            assert await client.line() == "* BYE The server is stopping"
            assert await client.line() == "end"
            await client.close()


async def test_silence_ends_a_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "IMAP_LOGIN_TIMEOUT", 0.02)
    async with running_server(tmp_path) as server:
        client = await connect(server)
        await client.line()
        assert await client.line() == "* BYE Nothing was said for too long"
        await client.close()


async def test_idle_says_that_it_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "IMAP_KEEPALIVE", 0.02)
    async with running_server(tmp_path) as server:
        client = await logged_in(server, "anna")
        await client.send(b"i IDLE\r\n")
        assert [await client.line() for _ in range(2)] == ["+ idling", "* OK Still here"]
        await client.close()


async def test_a_defect_is_answered_and_the_session_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*args: Any) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setitem(HANDLERS, "NAMESPACE", broken)
    async with running_server(tmp_path) as server:
        client = await logged_in(server, "anna")
        (line,) = await say(client, "NAMESPACE")
        assert line.startswith("x NO [SERVERBUG] An error of the server, reference ")
        assert line.rpartition(" ")[2] in caplog.text and "secret detail" not in line
        assert await say(client, "NOOP") == ["x OK NOOP completed"]
        await client.close()


async def test_a_full_disk_refuses_new_mail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running_server(tmp_path) as server:
        client = await logged_in(server, "anna")
        monkeypatch.setattr(server.store.log, "stalled", True)
        await client.send(b"a APPEND INBOX {6+}\r\nbody\r\n\r\n")
        assert (await client.line()).startswith("a NO [LIMIT] the disk is full")
        await client.send(b"b APPEND INBOX {2000000+}\r\n" + b"x" * 2_000_000 + b"\r\nc NOOP\r\n")
        assert (await client.line()).startswith("b NO [LIMIT] the disk is full")
        assert await client.line() == "c OK NOOP completed"
        monkeypatch.setattr(server.store.log, "stalled", False)
        assert (await say(client, "CREATE more"))[-1].endswith(" CREATE completed")
        await client.close()


async def test_a_damaged_message_reads_as_a_notice(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with running_server(tmp_path) as server:
        client = await logged_in(server, "anna")
        await client.send(b"a APPEND INBOX {11+}\r\nhello there\r\n")
        assert (await client.line()).startswith("a OK")
        with server.path.open("r+b") as file:
            file.seek(server.store.log.end - 8)  # the message's frame is the last thing in the log
            file.write(b"\xff" * 8)
        await say(client, "SELECT INBOX")
        lines = await say(client, "FETCH 1 (BODY.PEEK[] BODYSTRUCTURE)")
        assert "Subject: This message cannot be read" in "\n".join(lines)
        assert lines[-1] == "x OK FETCH completed"
        await client.close()


async def test_a_client_that_does_not_read_holds_up_nobody(tmp_path: Path) -> None:
    async with running_server(tmp_path) as server:
        slow, quick = await logged_in(server, "anna"), await logged_in(server, "anna")
        mail = b"Subject: x\r\n\r\n" + b"0123456789abcdef" * 16_000
        for _ in range(20):
            await quick.send(b"a APPEND INBOX {%d+}\r\n%b\r\n" % (len(mail), mail))
            assert (await quick.line()).startswith("a OK")
        await say(slow, "SELECT INBOX")
        for _ in range(10):
            await slow.send(b"s FETCH 1:* BODY.PEEK[]\r\n")
        assert await say(quick, "NOOP") == ["x OK NOOP completed"]
        await slow.close()
        assert await say(quick, "NOOP") == ["x OK NOOP completed"]
        await quick.close()


async def test_a_client_that_breaks_off_in_a_literal(tmp_path: Path) -> None:
    async with running_server(tmp_path) as server:
        client = await logged_in(server, "anna")
        await client.send(b"a APPEND INBOX {3000000+}\r\n" + b"x" * 1_500_000)
        await client.close()
        other = await logged_in(server, "anna")
        await until(lambda: not server.services.budget.used)
        assert await say(other, "STATUS INBOX (MESSAGES)") == [
            "* STATUS INBOX (MESSAGES 0)",
            "x OK STATUS completed",
        ]
        await other.close()


async def test_long_searches_say_that_they_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crockery.limits.IMAP_PROGRESS_EVERY", 0)
    monkeypatch.setattr("crockery.limits.IMAP_SLICE_MADE", 2)
    monkeypatch.setattr("crockery.followers.timing.ROWS_SOME", 1000)  # each message has to be read
    async with running_server(tmp_path) as server:
        client = await logged_in(server, "anna")
        for number in range(5):
            body = b"Subject: %d\r\n\r\nword\r\n" % number
            await client.send(b"a APPEND INBOX {%d+}\r\n%b\r\n" % (len(body), body))
            assert (await client.line()).startswith("a OK")
        await say(client, "SELECT INBOX")
        lines = await say(client, "SEARCH BODY word")
        await client.close()
    assert list(dict.fromkeys(line for line in lines if "INPROGRESS" in line)) == [
        f'* OK [INPROGRESS ("x" {done} 5)] Still at it' for done in (0, 2, 4)
    ]
    assert lines[-2:] == ["* SEARCH 1 2 3 4 5", "x OK SEARCH completed"]
