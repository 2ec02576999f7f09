"""The client's handshake: what was shown, and how it fails."""

import ssl
from pathlib import Path

import pytest
import trio

from crockery.net.tls_client import HandshakeFailed, handshake, unverified_context
from tests.support.certificates import NOW, make
from tests.support.tls_server import tls_server
from tests.support.waiting import PATIENCE

ROOT = make(ca=True, common_name="Root")
LEAF = make("mx.example.test", signer=make(ca=True, common_name="Middle", signer=ROOT))
ODD = make("other.test", end=NOW - 1)


@pytest.mark.parametrize("host", ["mx.example.test", "192.0.2.1", "2001:db8::1"])
async def test_the_chain_is_what_was_shown(tmp_path: Path, host: str) -> None:
    with trio.fail_after(PATIENCE):
        async with tls_server(LEAF.server_context(tmp_path), [b"hello"]) as served:
            stream = await trio.open_tcp_stream("127.0.0.1", served.port)
            tls, shown = await handshake(stream, host, unverified_context())
            async with tls:
                assert shown.chain == (*LEAF.chain, ROOT.der)
                assert shown.version == "TLSv1.3" and shown.cipher.startswith("TLS_")
                await tls.send_all(b"\r\n\r\n")
                assert await tls.receive_some() == b"hello"


async def test_a_name_is_asked_for_and_any_certificate_is_shown(tmp_path: Path) -> None:
    asked: list[str | None] = []
    context = ODD.server_context(tmp_path)
    context.sni_callback = lambda _socket, name, _context: asked.append(name)
    with trio.fail_after(PATIENCE):
        async with tls_server(context) as served:
            for host in ("mx.example.test", "192.0.2.1"):
                stream = await trio.open_tcp_stream("127.0.0.1", served.port)
                _tls, shown = await handshake(stream, host, unverified_context())
                assert shown.chain == (ODD.der,)
                await trio.aclose_forcefully(stream)
    assert asked == ["mx.example.test", None]


async def test_old_tls_is_none(tmp_path: Path) -> None:
    context = LEAF.server_context(tmp_path)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning):
        context.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    with trio.fail_after(PATIENCE):
        async with tls_server(context) as served, await trio.open_tcp_stream("127.0.0.1", served.port) as stream:
            with pytest.raises(HandshakeFailed):
                await handshake(stream, "mx.example.test", unverified_context())


async def test_what_is_no_tls() -> None:
    with trio.fail_after(PATIENCE):
        async with tls_server(None, [b"220 what?\r\n"]) as served:
            stream = await trio.open_tcp_stream("127.0.0.1", served.port)
            await stream.send_all(b"\r\n\r\n")
            async with stream:
                with pytest.raises(HandshakeFailed):
                    await handshake(stream, "mx.example.test", unverified_context())


@pytest.mark.parametrize("host", ["", ".test", "x" * 64 + ".test", "a\0b"])
async def test_a_name_that_cannot_be_asked_for(host: str) -> None:
    ours, _theirs = trio.testing.memory_stream_pair()
    with pytest.raises(HandshakeFailed):
        await handshake(ours, host, unverified_context(), timeout=0.01)


async def test_a_server_that_says_nothing() -> None:
    ours, theirs = trio.testing.memory_stream_pair()
    with pytest.raises(HandshakeFailed, match="in time"):
        await handshake(ours, "mx.example.test", unverified_context(), timeout=0.01)
    await theirs.aclose()
    ours, theirs = trio.testing.memory_stream_pair()
    await theirs.aclose()
    with pytest.raises(HandshakeFailed):
        await handshake(ours, "mx.example.test", unverified_context())
