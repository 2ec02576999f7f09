"""The IMAP server from outside: what transcripts cannot show (timing, TLS, stops, faults, other people's clients)."""

import base64
import contextlib
import email
import imaplib
import ssl
import threading
from collections.abc import AsyncIterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import scramp
import trio

from crockery import limits
from crockery.actions.accounts import add_app_password, disable_account
from crockery.actions.actor import the_server
from crockery.imap.capability import capabilities
from crockery.imap.verbs import HANDLERS
from crockery.net.connection import Connection
from crockery.net.passwords import app_password_secret
from tests.support.dialog import Client, connect, logged_in
from tests.support.server import PASSWORD, RunningServer, running_server


@contextlib.asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[RunningServer]:
    with trio.fail_after(60):
        async with running_server(folder) as server:
            yield server


async def until(client: Client, tag: str) -> list[str]:
    """Lines up to the tagged one."""
    lines = [await client.line()]
    while not lines[-1].startswith((tag + " ", "end", "* BYE")):
        lines.append(await client.line())
    return lines


async def command(client: Client, text: str) -> list[str]:
    """Say one command; all lines of the answer."""
    await client.send(f"x {text}\r\n".encode())
    return await until(client, "x")


def large_mail() -> bytes:
    """Some 2 MB: text, an attachment that zstd cannot make small, and a mail with one itself."""
    inner = EmailMessage()
    inner["Subject"] = "inner"
    inner.set_content("inner text\n" * 20_000)
    mail = EmailMessage()
    mail["Subject"] = "large"
    mail["From"] = "anna@example.test"
    mail.set_content("see there\n")
    noise = b"".join(bytes((number * number >> 5 & 255,)) for number in range(1_000_000))
    mail.add_attachment(noise, maintype="application", subtype="octet-stream", filename="noise")
    mail.add_attachment(inner)
    return mail.as_bytes(policy=mail.policy.clone(linesep="\r\n"))


def smoke(port: int, mails: list[bytes]) -> None:
    """What Python's imaplib does and gets."""
    client = imaplib.IMAP4("127.0.0.1", port, timeout=20)
    client.login("anna", PASSWORD)
    assert client.select()[1] == [b"0"]
    for mail in mails:
        assert client.append("INBOX", "(\\Flagged)", None, mail)[0] == "OK"
    for number, mail in enumerate(mails, 1):
        assert client.fetch(str(number), "(RFC822)")[1][0][1] == mail  # type: ignore[index]
    assert client.search(None, "SUBJECT", '"inner"')[1] == [b""]
    assert client.search(None, "TEXT", '"inner"')[1] == [b"2"]
    assert client.store("1", "+FLAGS", "\\Deleted")[1] == [b"1 (FLAGS (\\Seen \\Flagged \\Deleted \\Recent))"]
    assert client.expunge()[1] == [b"1"]
    assert client.uid("FETCH", "2", "(FLAGS)")[1] == [b"1 (UID 2 FLAGS (\\Seen \\Flagged \\Recent))"]
    assert client.copy("1", "Archive")[0] == "OK"
    assert client.status("Archive", "(MESSAGES)")[1] == [b"Archive (MESSAGES 1)"]
    assert client.list()[0] == "OK"
    client.close()
    client.logout()


async def test_imaplib_reads_back_what_it_wrote(tmp_path: Path) -> None:
    mails = [b"Subject: hi\r\n\r\nthere\r\n", large_mail()]
    async with serving(tmp_path) as server:
        await trio.to_thread.run_sync(smoke, server.ports["imap"], mails)


def fetch_parts(port: int, mail: bytes) -> None:
    """Every kind of section of a large message, against what the stdlib makes of it."""
    client = imaplib.IMAP4("127.0.0.1", port, timeout=20)
    client.login("anna", PASSWORD)
    client.append("INBOX", "", None, mail)  # type: ignore[arg-type]
    client.select()

    def get(item: str) -> bytes:
        data: Any = client.fetch("1", f"({item})")[1][0]
        return data[1] if isinstance(data, tuple) else data  # type: ignore[no-any-return]

    header, _, text = mail.partition(b"\r\n\r\n")
    assert get("BODY.PEEK[]") == mail
    assert get("BODY.PEEK[]<1000000.5000>") == mail[1_000_000:1_005_000]
    assert get("BODY.PEEK[HEADER]") == header + b"\r\n\r\n"
    assert get("BODY.PEEK[TEXT]") == text
    assert get("BODY.PEEK[HEADER.FIELDS (Subject)]") == b"Subject: large\r\n\r\n"
    assert b"large" not in get("BODY.PEEK[HEADER.FIELDS.NOT (Subject)]")
    attachment, inner = [
        part for part in email.message_from_bytes(mail).walk() if part.get_filename() or part["subject"] == "inner"
    ]
    encoded = get("BODY.PEEK[2]")
    assert base64.b64decode(encoded) == attachment.get_payload(decode=True)
    assert get("BINARY.PEEK[2]<10.100>") == attachment.get_payload(decode=True)[10:110]  # type: ignore[index]
    assert get("BINARY.SIZE[2]") == b"1 (BINARY.SIZE[2] 1000000)"
    assert get("BODY.PEEK[3.1]<0.10>") == b"inner text"
    assert b"application/octet-stream" in get("BODY.PEEK[2.MIME]")
    assert b"BODY[7] NIL" in get("BODY.PEEK[7]")
    assert b'"Subject' not in get("BODYSTRUCTURE") and b'"noise"' in get("BODYSTRUCTURE")
    assert b'"large"' in get("FLAGS ENVELOPE")
    assert get("BODY").startswith(b'1 (BODY (("text" "plain"')
    assert inner["subject"] == "inner"
    client.logout()


async def test_parts_of_a_large_message(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        await trio.to_thread.run_sync(fetch_parts, server.ports["imap"], large_mail())


async def test_nobody_is_told_before_it_is_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(tmp_path) as server:
        anna, other = await logged_in(server, "anna"), await logged_in(server, "anna")
        await command(other, "SELECT INBOX")
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
        assert await until(other, "b") == ["* 1 EXISTS", "* 1 RECENT", "b OK NOOP completed"]
        await anna.close()
        await other.close()


async def test_what_is_quiet_is_read_without_waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(tmp_path) as server:
        anna, ben = await logged_in(server, "anna"), await logged_in(server, "ben")
        await command(ben, "SELECT INBOX")
        gate = threading.Event()
        write = server.store.log.write_batch
        monkeypatch.setattr(server.store.log, "write_batch", lambda batch: gate.wait(20) and write(batch))
        await anna.send(b"a APPEND INBOX {6+}\r\nbody\r\n\r\n")
        assert await command(ben, "STATUS INBOX (MESSAGES)") == ["* STATUS INBOX (MESSAGES 0)", "x OK STATUS completed"]
        gate.set()
        await until(anna, "a")
        await anna.close()
        await ben.close()


async def test_a_stop_says_goodbye(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
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
    async with serving(tmp_path) as server:
        client = await connect(server)
        await client.line()
        assert await client.line() == "* BYE Nothing was said for too long"
        await client.close()


async def test_idle_says_that_it_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "IMAP_KEEPALIVE", 0.02)
    async with serving(tmp_path) as server:
        client = await logged_in(server, "anna")
        await client.send(b"i IDLE\r\n")
        assert [await client.line() for _ in range(2)] == ["+ idling", "* OK Still here"]
        await client.close()


async def test_an_account_that_is_closed_loses_its_sessions(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        client = await logged_in(server, "anna")
        disable_account(server.store, the_server(), "anna")
        assert await command(client, "NOOP") == ["* BYE The account was closed"]
        await client.close()


async def test_too_many_failed_logins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "IMAP_LOGIN_BAD_MAX", 2)
    async with serving(tmp_path) as server:
        client = await connect(server)
        await client.line()
        assert (await command(client, "LOGIN anna x"))[-1].startswith("x NO [AUTHENTICATIONFAILED]")
        assert await command(client, "LOGIN anna y") == ["* BYE Too many failed logins"]
        await client.close()


async def test_a_defect_is_answered_and_the_session_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*args: Any) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setitem(HANDLERS, "NAMESPACE", broken)
    async with serving(tmp_path) as server:
        client = await logged_in(server, "anna")
        (line,) = await command(client, "NAMESPACE")
        assert line.startswith("x NO [SERVERBUG] An error of the server, reference ")
        assert line.rpartition(" ")[2] in caplog.text and "secret detail" not in line
        assert await command(client, "NOOP") == ["x OK NOOP completed"]
        await client.close()


async def test_a_full_disk_refuses_new_mail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(tmp_path) as server:
        client = await logged_in(server, "anna")
        monkeypatch.setattr(server.store.log, "stalled", True)
        await client.send(b"a APPEND INBOX {6+}\r\nbody\r\n\r\n")
        assert (await client.line()).startswith("a NO [LIMIT] the disk is full")
        await client.send(b"b APPEND INBOX {2000000+}\r\n" + b"x" * 2_000_000 + b"\r\nc NOOP\r\n")
        assert (await client.line()).startswith("b NO [LIMIT] the disk is full")
        assert await client.line() == "c OK NOOP completed"
        monkeypatch.setattr(server.store.log, "stalled", False)
        assert (await command(client, "CREATE more"))[-1].endswith(" CREATE completed")
        await client.close()


async def test_a_damaged_message_reads_as_a_notice(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with serving(tmp_path) as server:
        client = await logged_in(server, "anna")
        await client.send(b"a APPEND INBOX {11+}\r\nhello there\r\n")
        assert (await client.line()).startswith("a OK")
        with server.path.open("r+b") as file:
            file.seek(server.store.log.end - 8)  # the message's frame is the last thing in the log
            file.write(b"\xff" * 8)
        await command(client, "SELECT INBOX")
        lines = await command(client, "FETCH 1 (BODY.PEEK[] BODYSTRUCTURE)")
        assert "Subject: This message cannot be read" in "\n".join(lines)
        assert lines[-1] == "x OK FETCH completed"
        await client.close()


async def test_starttls_drops_what_was_sent_in_the_clear(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        stream = await trio.open_tcp_stream("127.0.0.1", server.ports["imap"])
        await stream.receive_some(4096)
        await stream.send_all(b"a STARTTLS\r\nb LOGIN anna secret\r\n")
        assert await stream.receive_some(4096) == b"a OK Begin TLS now\r\n"
        inside = trio.SSLStream(stream, server.client_context, server_hostname="127.0.0.1")
        await inside.send_all(b"c CAPABILITY\r\n")
        said = await inside.receive_some(4096)
        assert said.startswith(b"* CAPABILITY") and b"STARTTLS" not in said and b"b OK" not in said
        assert server.services.tally.counts["imap-starttls-injection"] == 1
        await inside.send_all(b"d STARTTLS\r\n")
        while b"d BAD TLS is on already" not in said:
            said += await inside.receive_some(4096)
        await stream.aclose()


async def test_passwords_need_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Connection, "is_secure", property(lambda self: bool(self.tls)))
    async with serving(tmp_path) as server:
        client = await connect(server)
        assert "LOGINDISABLED" in await client.line()
        refused = "x NO [PRIVACYREQUIRED] Passwords are taken over TLS only: use STARTTLS"
        assert await command(client, "LOGIN anna secret") == [refused]
        assert await command(client, "AUTHENTICATE PLAIN") == [refused]
        await client.close()


def test_capabilities_before_login() -> None:
    outside = capabilities(logged_in=False, tls=False, secure=False, scram=True)
    assert "LOGINDISABLED" in outside and "STARTTLS" in outside and "AUTH=PLAIN" not in outside
    assert "AUTH=SCRAM-SHA-256" not in outside
    inside = capabilities(logged_in=False, tls=True, secure=True, scram=False)
    assert "LOGINDISABLED" not in inside and "STARTTLS" not in inside and "AUTH=PLAIN" in inside
    assert "AUTH=SCRAM-SHA-256" not in inside
    assert "AUTH=SCRAM-SHA-256" in capabilities(logged_in=False, tls=True, secure=True, scram=True)


async def test_scram(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        early = await connect(server)
        assert "SCRAM" not in await early.line()  # nobody could use it
        await early.close()
        add_app_password(server.store, the_server(), "anna", "phone", app_password_secret("abcd efgh"))
        for password, verdict in (("abcd efgh", "x OK [CAPABILITY"), ("wrong", "x NO [AUTHENTICATIONFAILED]")):
            client = await connect(server)
            assert "AUTH=SCRAM-SHA-256" in await client.line()
            scram = scramp.ScramClient(["SCRAM-SHA-256"], "anna/phone", password)
            first = base64.b64encode(scram.get_client_first().encode()).decode()
            await client.send(f"x AUTHENTICATE SCRAM-SHA-256 {first}\r\n".encode())
            scram.set_server_first(base64.b64decode((await client.line())[2:]).decode())
            await client.send(base64.b64encode(scram.get_client_final().encode()) + b"\r\n")
            line = await client.line()
            if line.startswith("+ "):
                scram.set_server_final(base64.b64decode(line[2:]).decode())
                await client.send(b"\r\n")
                line = await client.line()
            assert line.startswith(verdict)
            await client.close()


async def test_scram_with_an_account_password(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        add_app_password(server.store, the_server(), "anna", "phone", app_password_secret("abcd efgh"))
        client = await connect(server)
        assert "SCRAM" in await client.line()
        first = scramp.ScramClient(["SCRAM-SHA-256"], "anna", "secret").get_client_first()
        await client.send(f"x AUTHENTICATE SCRAM-SHA-256 {base64.b64encode(first.encode()).decode()}\r\n".encode())
        nonce = base64.b64decode((await client.line())[2:]).decode().partition(",")[0]
        await client.send(base64.b64encode(f"c=biws,{nonce},p=AAAA".encode()) + b"\r\n")
        assert (await client.line()).startswith("x NO [AUTHENTICATIONFAILED] SCRAM takes app passwords only")
        again = await connect(server)  # so that its next try is another
        assert "SCRAM" not in await again.line()
        await client.close()
        await again.close()


async def test_a_client_that_does_not_read_holds_up_nobody(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        slow, quick = await logged_in(server, "anna"), await logged_in(server, "anna")
        mail = b"Subject: x\r\n\r\n" + b"0123456789abcdef" * 16_000
        for _ in range(20):
            await quick.send(b"a APPEND INBOX {%d+}\r\n%b\r\n" % (len(mail), mail))
            assert (await quick.line()).startswith("a OK")
        await command(slow, "SELECT INBOX")
        for _ in range(10):
            await slow.send(b"s FETCH 1:* BODY.PEEK[]\r\n")
        assert await command(quick, "NOOP") == ["x OK NOOP completed"]
        await slow.close()
        assert await command(quick, "NOOP") == ["x OK NOOP completed"]
        await quick.close()


async def test_a_client_that_breaks_off_in_a_literal(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        client = await logged_in(server, "anna")
        await client.send(b"a APPEND INBOX {3000000+}\r\n" + b"x" * 1_500_000)
        await client.close()
        other = await logged_in(server, "anna")
        with trio.fail_after(5):
            while server.services.budget.used:
                await trio.lowlevel.checkpoint()
        assert await command(other, "STATUS INBOX (MESSAGES)") == [
            "* STATUS INBOX (MESSAGES 0)",
            "x OK STATUS completed",
        ]
        await other.close()


def tls_smoke(port: int, context: ssl.SSLContext) -> None:
    """Large answers pass through TLS."""
    client = imaplib.IMAP4_SSL("localhost", port, ssl_context=context, timeout=20)
    client.login("anna", PASSWORD)
    mail = b"Subject: x\r\n\r\n" + b"0123456789abcdef" * 60_000
    client.append("INBOX", "", None, mail)  # type: ignore[arg-type]
    client.select()
    assert client.fetch("1", "(BODY[])")[1][0][1] == mail  # type: ignore[index]
    client.logout()


async def test_imaplib_over_tls(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        await trio.to_thread.run_sync(tls_smoke, server.ports["imaps"], server.client_context)


async def test_long_searches_say_that_they_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crockery.limits.IMAP_PROGRESS_EVERY", 0)
    monkeypatch.setattr("crockery.limits.IMAP_SLICE_MADE", 2)
    monkeypatch.setattr("crockery.followers.FOLLOW_QUIET", 1000)  # each message has to be read
    async with serving(tmp_path) as server:
        client = await logged_in(server, "anna")
        for number in range(5):
            body = b"Subject: %d\r\n\r\nword\r\n" % number
            await client.send(b"a APPEND INBOX {%d+}\r\n%b\r\n" % (len(body), body))
            assert (await client.line()).startswith("a OK")
        await command(client, "SELECT INBOX")
        lines = await command(client, "SEARCH BODY word")
        await client.close()
    assert list(dict.fromkeys(line for line in lines if "INPROGRESS" in line)) == [
        f'* OK [INPROGRESS ("x" {done} 5)] Still at it' for done in (0, 2, 4)
    ]
    assert lines[-2:] == ["* SEARCH 1 2 3 4 5", "x OK SEARCH completed"]
