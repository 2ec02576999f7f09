"""Before and at login: TLS, which passwords are taken when, SCRAM; and accounts that are closed."""

import base64
from pathlib import Path

import pytest
import scramp
import trio

from crockery import limits
from crockery.actions.accounts import add_app_password, disable_account
from crockery.actions.actor import the_server
from crockery.imap.capability import capabilities
from crockery.net.connection import Connection
from crockery.net.passwords import app_password_secret
from tests.support.dialog import connect, logged_in, say
from tests.support.server import running_server


async def test_an_account_that_is_closed_loses_its_sessions(tmp_path: Path) -> None:
    async with running_server(tmp_path) as server:
        client = await logged_in(server, "anna")
        disable_account(server.store, the_server(), "anna")
        assert await say(client, "NOOP") == ["* BYE The account was closed", "end"]
        await client.close()


async def test_too_many_failed_logins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "IMAP_LOGIN_BAD_MAX", 2)
    async with running_server(tmp_path) as server:
        client = await connect(server)
        await client.line()
        assert (await say(client, "LOGIN anna x"))[-1].startswith("x NO [AUTHENTICATIONFAILED]")
        assert await say(client, "LOGIN anna y") == ["* BYE Too many failed logins", "end"]
        await client.close()


async def test_starttls_drops_what_was_sent_in_the_clear(tmp_path: Path) -> None:
    async with running_server(tmp_path) as server:
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
    async with running_server(tmp_path) as server:
        client = await connect(server)
        assert "LOGINDISABLED" in await client.line()
        refused = "x NO [PRIVACYREQUIRED] Passwords are taken over TLS only: use STARTTLS"
        assert await say(client, "LOGIN anna secret") == [refused]
        assert await say(client, "AUTHENTICATE PLAIN") == [refused]
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
    async with running_server(tmp_path) as server:
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
    async with running_server(tmp_path) as server:
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
