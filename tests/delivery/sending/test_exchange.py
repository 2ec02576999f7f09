"""The deadlines of a connection, and what is heard of a server that hangs up."""

import ssl
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
import trio
from trio.testing import MockClock, memory_stream_pair

from crockery import limits
from crockery.delivery.sending.exchange import StreamExchange
from crockery.net.tls_client import connect, handshake, unverified_context
from crockery.projections.queue import NOWHERE
from crockery.smtp.wire.client import ClientProtocol, Stage
from crockery.smtp.wire.client_commands import Recipient, Transaction
from crockery.smtp.wire.client_events import Closed, EnvelopeAnswered, Greeted, HelloAnswered, MessageAnswered
from tests.support.certificates import make
from tests.support.memory_connection import MemoryConnection

MAIL = Transaction(reverse_path="a@x.test", recipients=(Recipient("b@y.test"), Recipient("c@y.test")))
PIECES = [
    b"220 here\r\n",
    b"250-y\r\n250 PIPELINING\r\n",
    b"250 ok\r\n250 ok\r\n250 ok\r\n",
    b"354 go on\r\n",
    b"250 ok\r\n",
]


def pair(nursery: trio.Nursery) -> tuple[StreamExchange, trio.testing.MemoryReceiveStream, Any]:
    ours, theirs = memory_stream_pair()
    return (
        StreamExchange(ClientProtocol("us.test"), MemoryConnection(ours), NOWHERE),
        theirs.receive_stream,
        theirs.send_stream,
    )


async def converse(exchange: StreamExchange) -> list[object]:
    """One mail; the events."""
    events: list[object] = [await exchange.next_event()]
    for step in (exchange.client.hello, lambda: exchange.client.mail(MAIL), lambda: send(exchange)):
        if exchange.client.stage is Stage.CLOSED:
            break
        step()
        events.append(await exchange.next_event())
    return events


def send(exchange: StreamExchange) -> None:
    exchange.client.body(b"Hello\r\n")
    exchange.client.end()


async def test_a_reply_may_take_its_time(autojump_clock: MockClock, nursery: trio.Nursery) -> None:
    """Each is told just before it is too late (RFC 5321 §4.5.3.2), one octet after another."""
    exchange, _, mouth = pair(nursery)
    times = [300, 300, 300, 300, 300, 120, 600]
    replies = b"".join(PIECES).replace(b"250-y\r\n250 PIPELINING", b"250 y").splitlines(keepends=True)

    async def drip() -> None:
        for reply, seconds in zip(replies, times, strict=True):
            for octet in range(len(reply)):
                await trio.sleep((seconds - 1) / len(reply))
                await mouth.send_all(reply[octet : octet + 1])

    nursery.start_soon(drip)
    events = await converse(exchange)
    assert [type(event) for event in events] == [Greeted, HelloAnswered, EnvelopeAnswered, MessageAnswered]
    assert isinstance(events[-1], MessageAnswered) and events[-1].reply.code == 250


@pytest.mark.parametrize(
    ("heard", "seconds"),
    [(0, 300), (1, 300), (2, 300), (3, 120), (4, 600)],
    ids=["greeting", "EHLO", "MAIL and RCPT", "DATA", "final dot"],
)
async def test_a_reply_that_drips_without_end_is_given_up(
    autojump_clock: MockClock, nursery: trio.Nursery, heard: int, seconds: int
) -> None:
    exchange, _, mouth = pair(nursery)

    async def drip() -> None:
        for piece in PIECES[:heard]:
            await mouth.send_all(piece)
            await trio.sleep(0.1)
        await mouth.send_all(b"250-")
        while True:
            await trio.sleep(10)
            await mouth.send_all(b"x")

    nursery.start_soon(drip)
    events = await converse(exchange)
    assert seconds <= trio.current_time() < seconds + 2
    last = events[-1]
    assert isinstance(last, Closed | EnvelopeAnswered | MessageAnswered)
    assert exchange.client.stage is Stage.CLOSED
    nursery.cancel_scope.cancel()


async def refuse_in_the_midst(stream: trio.abc.Stream) -> None:
    """Take the beginning of a message, say no and hang up, as servers do with what is too large for them."""
    await stream.send_all(b"220 here\r\n")
    for reply in (PIECES[1], PIECES[2] + PIECES[3]):
        await stream.receive_some(1000)
        await stream.send_all(reply)
    await stream.receive_some(65536)
    await stream.send_all(b"552 5.3.4 too much for us\r\n")


async def serve(
    server: Callable[[trio.abc.Stream], Coroutine[Any, Any, None]],
    context: ssl.SSLContext | None,
    nursery: trio.Nursery,
) -> int:
    async def one(stream: trio.SocketStream) -> None:
        wrapped: trio.abc.Stream = stream
        if context is not None:
            wrapped = trio.SSLStream(stream, context, server_side=True)
        await server(wrapped)
        await trio.aclose_forcefully(wrapped)

    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    nursery.start_soon(trio.serve_listeners, one, [listener])
    port: int = listener.socket.getsockname()[1]
    return port


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "TLS"])
async def test_what_a_server_says_before_it_hangs_up_is_heard(nursery: trio.Nursery, tmp_path: Path, tls: bool) -> None:
    with trio.fail_after(60):
        context = make("y.test").server_context(tmp_path) if tls else None
        port = await serve(refuse_in_the_midst, context, nursery)
        connection = await connect("127.0.0.1", port)
        if tls:
            await handshake(connection, "y.test", unverified_context())
        exchange = StreamExchange(ClientProtocol("us.test"), connection, NOWHERE)
        client = exchange.client
        await exchange.next_event()
        client.hello()
        await exchange.next_event()
        client.mail(MAIL)
        assert isinstance(await exchange.next_event(), EnvelopeAnswered)
        for _ in range(100):
            if client.stage is not Stage.CONTENT:
                break
            client.body(b"0123456789abcd\r\n" * (limits.SEND_CHUNK // 8))
            await exchange.send()
        answered = await exchange.next_event()
        assert isinstance(answered, MessageAnswered)
        assert (answered.reply.code, answered.reply.text) == (552, "too much for us")
        exchange.close()
        nursery.cancel_scope.cancel()
