"""Connections over real sockets, plain and TLS: the same tests for both."""

import contextlib
import socket
import ssl
import threading
from collections.abc import AsyncIterator

import pytest
import trio
import trustme
from trio.testing import wait_all_tasks_blocked

from crockery import limits
from crockery.net.connection import Connection, PeerGone
from crockery.net.tls import TLSHolder
from tests.support.smtp_session import connected_pair
from tests.support.waiting import PATIENCE

BOTH = pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def holder(ca: trustme.CA) -> TLSHolder:
    made = TLSHolder()
    issued = ca.issue_cert("mail.example.test")
    made.use(issued.private_key_and_cert_chain_pem.bytes())
    return made


@contextlib.asynccontextmanager
async def connected(holder: TLSHolder, ca: trustme.CA, tls: bool) -> AsyncIterator[tuple[Connection, trio.abc.Stream]]:
    """Our connection, and the peer's stream."""
    ours, theirs = connected_pair()
    connection = Connection(ours, holder)
    stream: trio.abc.Stream = trio.SocketStream(trio.socket.from_stdlib_socket(theirs))
    try:
        with trio.fail_after(PATIENCE):
            if tls:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
                ca.configure_trust(context)
                stream = trio.SSLStream(stream, context, server_hostname="mail.example.test", https_compatible=True)
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(connection.start_tls)
                    await stream.do_handshake()
            yield connection, stream
    finally:
        await stream.aclose()
        await connection.close()


@BOTH
async def test_octets_go_both_ways(holder: TLSHolder, ca: trustme.CA, tls: bool) -> None:
    async with connected(holder, ca, tls) as (connection, stream):
        assert connection.peer == "127.0.0.1"
        assert connection.is_loopback and connection.is_secure
        assert connection.tls.startswith("TLSv1.3 TLS_") if tls else connection.tls == ""
        await stream.send_all(b"hello")
        assert await connection.receive(5) == b"hello"
        await connection.send(b"world")
        assert await stream.receive_some() == b"world"
        async with trio.open_nursery() as nursery:
            nursery.start_soon(stream.send_all, b"later")
            assert await connection.receive(5) == b"later"


@BOTH
async def test_large_output_waits_for_the_reader(holder: TLSHolder, ca: trustme.CA, tls: bool) -> None:
    pieces = [bytes([n % 256]) * (n * 997 % 70_000) for n in range(300)]
    expected = b"".join(pieces)
    got = bytearray()
    async with connected(holder, ca, tls) as (connection, stream):
        done = trio.Event()

        async def send() -> None:
            await connection.send(pieces)
            done.set()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(send)
            await wait_all_tasks_blocked()
            assert not done.is_set(), "backpressure"
            while len(got) < len(expected):
                got += await stream.receive_some(65536)
    assert got == expected


@BOTH
async def test_end_of_stream(holder: TLSHolder, ca: trustme.CA, tls: bool) -> None:
    async with connected(holder, ca, tls) as (connection, stream):
        await stream.send_all(b"last")
        await stream.aclose()
        assert await connection.receive(5) == b"last"
        assert await connection.receive(5) == b""


@BOTH
async def test_our_end_reaches_the_peer(holder: TLSHolder, ca: trustme.CA, tls: bool) -> None:
    async with connected(holder, ca, tls) as (connection, stream):
        await stream.send_all(b"x" * 50_000)  # never read by us: it must not become a reset
        await connection.send(b"421 goodbye\r\n")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(connection.close)
            assert await stream.receive_some() == b"421 goodbye\r\n"
            assert await stream.receive_some() == b""
            await stream.aclose()


async def test_closing_waits_for_the_peers_end(
    holder: TLSHolder, ca: trustme.CA, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "CLOSE_LINGER", 10 * PATIENCE)
    async with connected(holder, ca, False) as (connection, stream):
        closed = trio.Event()

        async def close() -> None:
            await connection.close()
            closed.set()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(close)
            await wait_all_tasks_blocked()
            assert not closed.is_set(), "a reset now would take our last words along"
            await stream.send_all(b"still talking")
            await stream.aclose()
            with trio.fail_after(PATIENCE):
                await closed.wait()


@BOTH
async def test_silence_and_deafness_have_deadlines(
    holder: TLSHolder, ca: trustme.CA, tls: bool, autojump_clock: trio.testing.MockClock
) -> None:
    async with connected(holder, ca, tls) as (connection, _):
        with pytest.raises(trio.TooSlowError):
            await connection.receive(3)
        with pytest.raises(trio.TooSlowError):
            await connection.send(bytes(20_000_000), timeout=3)


async def test_the_deadline_of_one_direction_is_not_the_others(
    holder: TLSHolder, ca: trustme.CA, autojump_clock: trio.testing.MockClock
) -> None:
    async with connected(holder, ca, False) as (connection, _), trio.open_nursery() as nursery:

        async def send() -> None:
            with pytest.raises(trio.TooSlowError):
                await connection.send(bytes(20_000_000), timeout=6)
            assert 6 <= trio.current_time() <= 6 + limits.DEADLINE_STEP

        nursery.start_soon(send)
        with pytest.raises(trio.TooSlowError):
            await connection.receive(3)
        assert 3 <= trio.current_time() <= 3 + limits.DEADLINE_STEP


@BOTH
async def test_a_reset_is_peer_gone(holder: TLSHolder, ca: trustme.CA, tls: bool) -> None:
    ours, theirs = connected_pair()
    connection = Connection(ours, holder)
    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    theirs.close()
    with pytest.raises(PeerGone):
        await (connection.start_tls() if tls else connection.receive(5))
    with pytest.raises(PeerGone):
        await connection.send(b"anybody there?")
    await connection.close()
    await connection.close()


async def test_a_handshake_with_nonsense_is_peer_gone(holder: TLSHolder, ca: trustme.CA) -> None:
    ours, theirs = connected_pair()
    connection = Connection(ours, holder)
    theirs.sendall(b"EHLO injected.example\r\n")
    with pytest.raises(PeerGone, match="handshake"):
        await connection.start_tls()
    assert connection.tls == ""
    theirs.close()
    await connection.close()


async def test_a_handshake_has_a_deadline(
    holder: TLSHolder, ca: trustme.CA, autojump_clock: trio.testing.MockClock
) -> None:
    ours, theirs = connected_pair()
    connection = Connection(ours, holder)
    with pytest.raises(PeerGone, match="handshake"):
        await connection.start_tls()
    assert trio.current_time() >= limits.TLS_HANDSHAKE_TIMEOUT
    theirs.close()
    await connection.close()


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated")
async def test_tls_below_1_2_is_refused(holder: TLSHolder, ca: trustme.CA) -> None:
    ours, theirs = connected_pair()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    ca.configure_trust(context)
    context.minimum_version = ssl.TLSVersion.TLSv1_1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    failed = []

    def client() -> None:
        try:
            context.wrap_socket(theirs, server_hostname="mail.example.test").close()
        except OSError as error:
            failed.append(error)

    thread = threading.Thread(target=client)
    thread.start()
    connection = Connection(ours, holder)
    with pytest.raises(PeerGone):
        await connection.start_tls()
    await connection.close()
    await trio.to_thread.run_sync(thread.join)
    assert failed


async def test_a_busy_peer_does_not_starve_others(holder: TLSHolder) -> None:
    ours, theirs = connected_pair()
    connection = Connection(ours, holder)
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await trio.lowlevel.checkpoint()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(other)
        for _ in range(limits.FAIR_SHARE * 10):
            theirs.send(b"NOOP\r\n")
            await connection.receive(5)
            await connection.send(b"OK\r\n")
        nursery.cancel_scope.cancel()
    assert turns >= 10
    theirs.close()
    await connection.close()


@BOTH
async def test_last_words_are_heard(holder: TLSHolder, ca: trustme.CA, tls: bool) -> None:
    async with connected(holder, ca, tls) as (connection, stream):
        connection.hang_up(b"QUIT\r\n")
        connection.hang_up(b"once more")
        assert await stream.receive_some() == b"QUIT\r\n"
        with pytest.raises(PeerGone):
            await connection.send(b"anybody there?")


async def test_last_words_that_would_wait_are_not_said(holder: TLSHolder) -> None:
    ours, theirs = connected_pair()
    connection = Connection(ours, holder)
    with pytest.raises(BlockingIOError):
        while True:
            ours.send(bytes(100_000))
    connection.hang_up(b"QUIT\r\n")
    received = b"".join(iter(lambda: theirs.recv(1_000_000), b""))
    assert received.strip(b"\0") == b""
    theirs.close()
