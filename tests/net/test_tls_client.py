"""The client's handshake: what was shown, and how it fails."""

import contextlib
import socket
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio

from crockery import limits
from crockery.net.connection import Connection
from crockery.net.tls_client import HandshakeFailed, connect, handshake, unverified_context
from tests.support.certificates import NOW, make
from tests.support.tls_server import tls_server
from tests.support.waiting import PATIENCE

ROOT = make(ca=True, common_name="Root")
LEAF = make("mx.example.test", signer=make(ca=True, common_name="Middle", signer=ROOT))
ODD = make("other.test", end=NOW - 1)


@contextlib.asynccontextmanager
async def connected_to(port: int) -> AsyncIterator[Connection]:
    connection = await connect("127.0.0.1", port)
    try:
        yield connection
    finally:
        connection.hang_up()


@pytest.mark.parametrize("host", ["mx.example.test", "192.0.2.1", "2001:db8::1"])
async def test_the_chain_is_what_was_shown(tmp_path: Path, host: str) -> None:
    with trio.fail_after(PATIENCE):
        async with (
            tls_server(LEAF.server_context(tmp_path), [b"hello"]) as served,
            connected_to(served.port) as connection,
        ):
            shown = await handshake(connection, host, unverified_context())
            assert shown.chain == (*LEAF.chain, ROOT.der)
            assert shown.version == "TLSv1.3" and shown.cipher.startswith("TLS_")
            await connection.send(b"\r\n\r\n")
            assert await connection.receive(PATIENCE) == b"hello"


async def test_a_name_is_asked_for_and_any_certificate_is_shown(tmp_path: Path) -> None:
    asked: list[str | None] = []
    context = ODD.server_context(tmp_path)
    context.sni_callback = lambda _socket, name, _context: asked.append(name)
    with trio.fail_after(PATIENCE):
        async with tls_server(context) as served:
            for host in ("mx.example.test", "192.0.2.1"):
                async with connected_to(served.port) as connection:
                    shown = await handshake(connection, host, unverified_context())
                assert shown.chain == (ODD.der,)
    assert asked == ["mx.example.test", None]


async def test_old_tls_is_none(tmp_path: Path) -> None:
    context = LEAF.server_context(tmp_path)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning):
        context.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    with trio.fail_after(PATIENCE):
        async with tls_server(context) as served, connected_to(served.port) as connection:
            with pytest.raises(HandshakeFailed):
                await handshake(connection, "mx.example.test", unverified_context())


async def test_what_is_no_tls() -> None:
    with trio.fail_after(PATIENCE):
        async with (
            tls_server(None, [b"220 what?\r\n"]) as served,
            connected_to(served.port) as connection,
        ):
            await connection.send(b"\r\n\r\n")
            with pytest.raises(HandshakeFailed):
                await handshake(connection, "mx.example.test", unverified_context())


@pytest.mark.parametrize("host", ["", ".test", "x" * 64 + ".test", "a\0b"])
async def test_a_name_that_cannot_be_asked_for(host: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        async with connected_to(listener.getsockname()[1]) as connection:
            with pytest.raises(HandshakeFailed):
                await handshake(connection, host, unverified_context())


async def test_a_server_that_says_nothing(autojump_clock: trio.testing.MockClock) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        async with connected_to(listener.getsockname()[1]) as connection:
            begun = trio.current_time()
            with pytest.raises(HandshakeFailed, match="in time"):
                await handshake(connection, "mx.example.test", unverified_context(), timeout=7)
            assert 7 <= trio.current_time() - begun <= 7 + limits.DEADLINE_STEP


async def test_a_server_that_hangs_up() -> None:
    with trio.fail_after(PATIENCE), socket.create_server(("127.0.0.1", 0)) as listener:
        async with connected_to(listener.getsockname()[1]) as connection:
            listener.accept()[0].close()
            with pytest.raises(HandshakeFailed):
                await handshake(connection, "mx.example.test", unverified_context())


async def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(OSError):
        await connect("127.0.0.1", port)
