"""Mail servers that misbehave in ways that Postfix cannot be brought to, over real sockets."""

import contextlib
import itertools
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
import trio

from crockery.actions.queue import Terms
from crockery.app.outgoing import World
from crockery.delivery.tls.certificates import Roots
from tests.e2e.test_far_postfix import tried
from tests.support.dns_server import scripted_dns
from tests.support.queue import enqueue
from tests.support.server import RunningServer, running_server
from tests.support.waiting import PATIENCE

GOOD = {
    b"": b"220 here\r\n", b"EHLO": b"250 here\r\n", b"HELO": b"250 here\r\n", b"MAIL": b"250 ok\r\n",
    b"RCPT": b"250 ok\r\n", b"DATA": b"354 go on\r\n", b".\r\n": b"250 taken\r\n", b"QUIT": b"221 bye\r\n",
}  # fmt: skip
FLOOD = b"flood"
GONE = b""


@contextlib.asynccontextmanager
async def ours(folder: Path, script: Mapping[bytes, bytes]) -> AsyncIterator[tuple[RunningServer, list[bytes]]]:
    """Our server, and what the server of x.test heard; `script` has its replies by the beginning of a line."""
    heard: list[bytes] = []
    replies = {**GOOD, **script}

    async def say(stream: trio.SocketStream, start: bytes) -> None:
        if replies[start] == GONE:
            raise trio.BrokenResourceError
        for _ in itertools.count() if replies[start] == FLOOD else range(1):
            await stream.send_all(b"250-and on\r\n" * 100 if replies[start] == FLOOD else replies[start])

    async def serve(stream: trio.SocketStream) -> None:
        with contextlib.suppress(trio.BrokenResourceError):
            await say(stream, b"")
            held = b""
            async for piece in stream:
                if piece.startswith(b"\x16"):  # a TLS handshake
                    break
                held += piece
                *lines, held = held.splitlines(keepends=True) if held.endswith(b"\n") else [held]
                for line in [*lines, held]:
                    heard.append(line)
                    start = next((start for start in replies if start and line.startswith(start)), None)
                    if start is not None:
                        await say(stream, start)
                held = b""
        await trio.aclose_forcefully(stream)

    records = {("x.test", "MX"): ["10 mx.x.test."], ("mx.x.test", "A"): ["127.0.0.1"]}
    with trio.fail_after(PATIENCE):
        async with trio.open_nursery() as nursery, scripted_dns(records) as dns:
            (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
            nursery.start_soon(trio.serve_listeners, serve, [listener])
            port = listener.socket.getsockname()[1]
            world = World(f"127.0.0.1:{dns.server.port}", port, Roots.of([]), validate=False)
            async with running_server(folder, world=world) as here:
                yield here, heard
            nursery.cancel_scope.cancel()


@pytest.mark.parametrize(
    ("script", "result", "why", "words"),
    [
        ({}, "relayed", "", ""),
        ({b"": FLOOD}, "deferred", "unreachable", "an endless reply"),
        ({b"": GONE}, "deferred", "unreachable", "closed the connection without a word"),
        ({b"": b"SSH-2.0-OpenSSH\r\n"}, "deferred", "unreachable", "not a reply"),
        ({b"": b"220 here\r\n250 ok\r\n250 ok\r\n"}, "deferred", "unreachable", "broke the protocol"),
        ({b"": b"421 4.3.2 too many\r\n"}, "deferred", "unreachable", "too many"),
        ({b"EHLO": b"502 what?\r\n"}, "relayed", "", ""),
        ({b"EHLO": GONE}, "deferred", "unreachable", "without a word"),
        ({b"EHLO": b"250 here\r\n250 ok\r\n"}, "deferred", "", "a reply before it was due"),
        ({b"EHLO": FLOOD}, "deferred", "unreachable", "an endless reply"),
        ({b"EHLO": b"502 what?\r\n", b"HELO": b"550 go away\r\n"}, "deferred", "unreachable", "go away"),
        ({b"MAIL": b"421 4.3.2 closing\r\n"}, "deferred", "", "closing"),
        ({b"MAIL": GONE}, "deferred", "", "without a word"),
        ({b"RCPT": b"250 ok\r\n250 ok\r\n"}, "deferred", "", "broke the protocol"),
        ({b"RCPT": GONE}, "deferred", "", "without a word"),
        ({b"DATA": b"250 ok\r\n"}, "deferred", "", "broke the protocol"),
        ({b"DATA": GONE}, "deferred", "", "without a word"),
        ({b".\r\n": b"421 4.3.2 closing\r\n"}, "deferred", "", "closing"),
        ({b".\r\n": GONE}, "deferred", "uncertain", "without a word"),
        ({b".\r\n": b"250 taken\r\n250 taken\r\n"}, "relayed", "", ""),
        ({b"EHLO": b"250-here\r\n250 PIPELINING\r\n", b"RCPT": GONE}, "deferred", "", "without a word"),
    ],
)
async def test_odd(tmp_path: Path, script: dict[bytes, bytes], result: str, why: str, words: str) -> None:
    async with ours(tmp_path, script) as (here, _):
        number = enqueue(here.store, "ben@x.test", terms=Terms(tls_optional=True))
        attempt = (await tried(here, number)).story[0]
        assert (attempt.result, attempt.why) == (result, why)
        assert words in attempt.text


@pytest.mark.parametrize(
    "answer",
    [b"454 4.7.0 not now\r\n", b"502 what?\r\n", b"220 go on\r\n250 injected\r\n250 injected\r\n", b"220 go on\r\n"],
    ids=["454", "502", "injected", "no TLS behind it"],
)
async def test_without_tls_not_an_octet_of_the_mail_leaves(tmp_path: Path, answer: bytes) -> None:
    script = {b"EHLO": b"250-here\r\n250 STARTTLS\r\n", b"STARTTLS": answer}
    async with ours(tmp_path, script) as (here, heard):
        recipient = await tried(here, enqueue(here.store, "ben@x.test"))
        assert recipient.state.name == "HELD_INSECURE"
        assert recipient.problem is not None and recipient.problem["kind"] == "no-tls"
        assert not any(line.startswith((b"MAIL", b"RCPT", b"DATA")) for line in heard)
