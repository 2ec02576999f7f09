"""The server as a peer meets it: mail, logins, TLS, pipelines."""

import base64
import re
from pathlib import Path

import pytest
import scramp
import trio

from crockery.events.types.accounts import ACCOUNT_DISABLED
from crockery.smtp.server import Role
from tests.support.smtp_session import change, plain, smtp_server
from tests.support.store import inbox, messages

LETTER = b"Subject: hi\r\n\r\nHello\r\n"
ENVELOPE = b"MAIL FROM:<c@client.test>\r\nRCPT TO:<anna@example.test>\r\n"


async def test_mail_is_kept_below_its_trace_fields(tmp_path: Path) -> None:
    message = b"Subject: \xe4\r\nX: a\0b\r\n\r\n.\r\n..\r\n.x\r\n" + bytes(range(14, 256)) + b"\r\n"
    async with smtp_server(tmp_path / "x.crk") as served:
        peer = await served.connect()
        await peer.codes("EHLO client.test")
        reply = await peer.mail(message, "anna@example.test")
        (stored,) = messages(served.store, "anna")
        number = inbox(served.store, "anna").columns.number[0]
        assert reply == f"250 2.6.0 Message accepted as {number}"
        assert stored.endswith(b"\r\n" + message)
        assert f"id {number}".encode() in stored


@pytest.mark.parametrize("size", [1, 65_536, 65_537, 300_000, 3_000_000])
async def test_mail_of_any_size(tmp_path: Path, size: int) -> None:
    message = b"Subject: x\r\n\r\n" + b"0123456789.abcdef\r\n" * (size // 19) + b"x" * (size % 19) + b"\r\n"
    async with smtp_server(tmp_path / "x.crk") as served:
        peer = await served.connect()
        await peer.codes("EHLO client.test")
        async with trio.open_nursery() as nursery:  # the server may wait for us to read
            nursery.start_soon(peer.mail, message, "anna@example.test", "ben@example.test")
        assert messages(served.store, "anna")[0].endswith(b"\r\n" + message)
        assert messages(served.store, "ben")[0].endswith(b"\r\n" + message)
        assert inbox(served.store, "anna").columns.size[0] == len(messages(served.store, "anna")[0])
        assert served.services.budget.used == 0


async def test_a_whole_session_in_one_packet(tmp_path: Path) -> None:
    async with smtp_server(tmp_path / "x.crk") as served:
        peer = await served.connect()
        chunk = b"BDAT %d LAST\r\n%s" % (len(LETTER), LETTER)
        await peer.send(b"EHLO c\r\n" + (ENVELOPE + chunk) * 3 + ENVELOPE + b"DATA\r\n" + LETTER + b".\r\nQUIT\r\n")
        codes = [int((await peer.reply())[:3]) for _ in range(15)]
        assert codes == [250, *[250, 250, 250] * 3, 250, 250, 354, 250, 221]
        assert await peer.at_end()
        assert len(messages(served.store, "anna")) == 4


async def test_octet_by_octet(tmp_path: Path) -> None:
    async with smtp_server(tmp_path / "x.crk") as served:
        peer = await served.connect()
        for octet in b"EHLO c\r\n" + ENVELOPE + b"DATA\r\n" + LETTER + b".\r\nQUIT\r\n":
            await peer.send(bytes((octet,)))
        assert [int((await peer.reply())[:3]) for _ in range(6)] == [250, 250, 250, 354, 250, 221]
        assert messages(served.store, "anna")[0].endswith(b"\r\n" + LETTER)


async def test_a_half_closed_peer_is_answered(tmp_path: Path) -> None:
    async with smtp_server(tmp_path / "x.crk") as served:
        peer = await served.connect()
        await peer.send(b"EHLO c\r\n" + ENVELOPE + b"DATA\r\n" + LETTER + b".\r\n")
        await peer.stream.send_eof()  # type: ignore[attr-defined]
        assert [int((await peer.reply())[:3]) for _ in range(5)] == [250, 250, 250, 354, 250]
        assert await peer.at_end()


@pytest.mark.parametrize("rest", [b"", b"Subject: x\r\n", b"Subject: x\r\n\r\n" + b"x" * 200_000])
async def test_half_a_message_is_none(tmp_path: Path, rest: bytes) -> None:
    async with smtp_server(tmp_path / "x.crk") as served:
        peer = await served.connect()
        await peer.send(b"EHLO c\r\n" + ENVELOPE + b"DATA\r\n" + rest)
        await peer.stream.send_eof()  # type: ignore[attr-defined]
        assert [int((await peer.reply())[:3]) for _ in range(4)] == [250, 250, 250, 354]
        assert await peer.at_end()
        assert messages(served.store, "anna") == []
        assert served.services.budget.used == 0


async def test_submission_stores_and_queues(tmp_path: Path) -> None:
    message = b"From: Anna <anna@example.test>\r\nBcc: x@y.test\r\n\r\nHi\r\n"
    async with smtp_server(tmp_path / "x.crk") as served:
        peer = await served.connect(Role.SUBMISSION, login="anna")
        reply = await peer.mail(message, "ben@example.test", "x@other.test", sender="anna@example.test")
        assert reply.startswith("250 ")
        (stored,) = messages(served.store, "ben")
        assert b"with ESMTPA id" in stored and b"Bcc" not in stored
        (queued,) = served.store.state.queue.by_id.values()
        assert [recipient.address for recipient in queued.recipients] == ["x@other.test"]
        (session,) = served.store.state.sessions.by_id.values()
        assert (session["protocol"], session["peer"], session["client"]) == ("submission", "127.0.0.1", "client.test")
        reply = await peer.mail(message, "ben@example.test", sender="anna@example.test")
        assert len(served.store.state.sessions.by_id) == 1


async def test_an_account_disabled_meanwhile_sends_no_more(tmp_path: Path) -> None:
    async with smtp_server(tmp_path / "x.crk") as served:
        peer = await served.connect(Role.SUBMISSION, login="anna")
        anna = served.store.state.accounts.by_name["anna"]
        change(served.store, ACCOUNT_DISABLED, account=anna.id, disabled=True)
        assert await peer.ask("MAIL FROM:<anna@example.test>") == ["525 5.7.13 This account is disabled"]
        mx = await served.connect()
        await mx.codes("EHLO c")
        assert (await mx.mail(LETTER, "anna@example.test")).startswith("250 ")


async def test_scram(tmp_path: Path) -> None:
    async with smtp_server(tmp_path / "x.crk") as served:
        peer = await served.connect(Role.SUBMISSION)
        await peer.codes("EHLO pc")
        client = scramp.ScramClient(["SCRAM-SHA-256"], "anna/phone", "apppass")
        (line,) = await peer.ask(b"AUTH SCRAM-SHA-256 " + base64.b64encode(client.get_client_first().encode()))
        client.set_server_first(base64.b64decode(line[4:]).decode())
        (line,) = await peer.ask(base64.b64encode(client.get_client_final().encode()))
        client.set_server_final(base64.b64decode(line[4:]).decode())
        assert await peer.codes("", "MAIL FROM:<anna@example.test>") == [235, 250]
        bad = scramp.ScramClient(["SCRAM-SHA-256"], "anna/phone", "other")
        peer = await served.connect(Role.SUBMISSION)
        await peer.codes("EHLO pc")
        (line,) = await peer.ask(b"AUTH SCRAM-SHA-256 " + base64.b64encode(bad.get_client_first().encode()))
        bad.set_server_first(base64.b64decode(line[4:]).decode())
        assert await peer.codes(base64.b64encode(bad.get_client_final().encode())) == [535]
        assert served.logins.bad == ["anna/phone"]


async def test_starttls(tmp_path: Path) -> None:
    async with smtp_server(tmp_path / "x.crk") as served:
        peer = await served.connect(Role.SUBMISSION, loopback=False)
        assert await peer.codes("EHLO pc", b"AUTH PLAIN " + plain("anna"), "STARTTLS") == [250, 530, 220]
        await peer.start_tls(served.authority)
        assert await peer.codes(b"AUTH PLAIN " + plain("anna")) == [503]
        await peer.send(b"EHLO pc\r\n")
        hello = await peer.reply()
        assert b"AUTH " in hello and b"STARTTLS" not in hello
        assert await peer.codes(b"AUTH PLAIN " + plain("anna"), "STARTTLS") == [235, 502]
        message = b"From: anna@example.test\r\n\r\nHi\r\n"
        assert (await peer.mail(message, "ben@example.test", sender="anna@example.test")).startswith("250 ")
        (stored,) = messages(served.store, "ben")
        assert re.search(rb"with ESMTPSA\s+\(TLSv1\.3 \w+ \d+ bits\)", stored)


async def test_what_was_said_in_the_clear_behind_starttls_is_dropped(tmp_path: Path) -> None:
    async with smtp_server(tmp_path / "x.crk") as served:
        peer = await served.connect()
        await peer.codes("EHLO c")
        await peer.send(b"STARTTLS\r\n" + b"EHLO evil\r\n" + ENVELOPE)
        assert (await peer.reply()).startswith(b"220 ")
        await peer.start_tls(served.authority)
        assert await peer.codes("MAIL FROM:<c@client.test>", "EHLO c", "DATA") == [503, 250, 503]


async def test_what_comes_in_the_clear_after_220_ends_the_connection(tmp_path: Path) -> None:
    async with smtp_server(tmp_path / "x.crk") as served:
        peer = await served.connect()
        assert await peer.codes("EHLO c", "STARTTLS") == [250, 220]
        await peer.send(b"EHLO evil\r\n" + ENVELOPE)
        with pytest.raises(AssertionError):  # a TLS alert at most, and no reply
            assert not re.search(rb"(?m)^\d{3} ", b"".join([chunk async for chunk in peer.stream]))
            raise AssertionError("no reply")
        (other,) = [await served.connect()]
        assert await other.codes("NOOP") == [250]


async def test_implicit_tls(tmp_path: Path) -> None:
    async with smtp_server(tmp_path / "x.crk") as served:
        peer = await served.connect(Role.SUBMISSION, loopback=False, tls=True, login="anna")
        assert await peer.codes("MAIL FROM:<anna@example.test>") == [250]


async def test_a_banned_peer_does_not_log_in(tmp_path: Path) -> None:
    async with smtp_server(tmp_path / "x.crk") as served:
        peer = await served.connect(Role.SUBMISSION)
        await peer.codes("EHLO pc")
        served.logins.banned = True
        assert await peer.codes(b"AUTH PLAIN " + plain("anna")) == [421]
        mx = await served.connect()
        assert await mx.codes("EHLO c") == [250]
