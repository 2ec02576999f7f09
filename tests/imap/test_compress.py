"""COMPRESS=DEFLATE (RFC 4978) against a whole server: in step with pipelines, large answers, bombs, its end."""

import zlib
from pathlib import Path

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from crockery import limits
from crockery.imap.wire.compress import Deflater, Inflater
from crockery.imap.wire.errors import StreamLost
from tests.support.dialog import Client, connect, put_mail
from tests.support.server import RunningServer
from tests.support.waiting import PATIENCE

MAIL = Path(__file__).parent.parent / "dialogs" / "imap" / "mail"


def deflated(data: bytes, *, flush: int = zlib.Z_SYNC_FLUSH) -> bytes:
    stream = zlib.compressobj(9, zlib.DEFLATED, -15)
    return stream.compress(data) + stream.flush(flush)


def inflate_all(inflater: Inflater) -> bytes:
    pieces = []
    while piece := inflater.next_data():
        assert len(piece) <= limits.IMAP_INFLATE_STEP
        pieces.append(piece)
    return b"".join(pieces)


class Deflated(trio.abc.HalfCloseableStream):
    """A stream under compression, as a client has it."""

    def __init__(self, below: trio.abc.HalfCloseableStream) -> None:
        self.below = below
        self.out = zlib.compressobj(6, zlib.DEFLATED, -15)
        self.coming = zlib.decompressobj(-15)

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        await self.below.send_all(self.out.compress(data) + self.out.flush(zlib.Z_SYNC_FLUSH))

    async def wait_send_all_might_not_block(self) -> None:
        await self.below.wait_send_all_might_not_block()

    async def send_eof(self) -> None:
        await self.below.send_eof()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        while data := await self.below.receive_some(max_bytes):
            plain = self.coming.decompress(data)
            if plain:
                return plain
        return b""

    async def aclose(self) -> None:
        await self.below.aclose()


async def compressed(server: RunningServer, *, tls: bool = False) -> Client:
    """A client that is logged in and has compression on."""
    client = await connect(server, tls=tls)
    await client.line()
    assert "COMPRESS=DEFLATE" in await say(client, "LOGIN anna secret")
    assert await say(client, "COMPRESS DEFLATE") == "x OK DEFLATE active"
    client._stream = Deflated(client._stream)
    return client


async def say(client: Client, command: str) -> str:
    """Say a command; the tagged answer."""
    await client.send(f"x {command}\r\n".encode())
    while not (line := await client.line()).startswith(("x ", "end", "* BYE")):
        pass
    return line


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
async def test_a_session_under_compression(server: RunningServer, tls: bool) -> None:
    put_mail(server, "anna", "INBOX plain.eml", MAIL)
    client = await compressed(server, tls=tls)
    assert (await say(client, "SELECT INBOX")).startswith("x OK")
    assert await say(client, "COMPRESS DEFLATE") == "x BAD DEFLATE is active already"
    assert await say(client, "FETCH 1 BODY.PEEK[]") == "x OK FETCH completed"
    await client.send(b"".join(b"t%d NOOP\r\n" % number for number in range(500)))
    for number in range(500):
        assert await client.line() == f"t{number} OK NOOP completed"
    await client.send(b"i IDLE\r\n")
    assert await client.line() == "+ idling"
    put_mail(server, "anna", "INBOX plain.eml", MAIL)
    assert await client.line() == "* 2 EXISTS"
    await client.send(b"DONE\r\n")
    assert (await client.line(), await client.line()) == ("* 2 RECENT", "i OK IDLE ended")
    await client.close()


async def test_literals_that_wait_and_a_large_message(server: RunningServer) -> None:
    client = await compressed(server)
    body = b"Subject: large\r\n\r\n" + bytes(range(33, 127)) * 8_000 + b"\r\n"
    await client.send(b"x APPEND INBOX {%d}\r\n" % len(body))
    assert (await client.line()).startswith("+ ")
    await client.send(body)
    await client.send(b"\r\n")
    assert (await client.line()).startswith("x OK [APPENDUID")
    await say(client, "SELECT INBOX")
    await client.send(b"x FETCH 1 BODY.PEEK[]\r\n")
    assert (await client.line()) == f"* 1 FETCH (BODY[] {{{len(body)}}}"
    assert await client.line() == "Subject: large"
    await client.close()


async def test_nothing_but_deflate_exists_and_nobody_compresses_before_login(server: RunningServer) -> None:
    client = await connect(server)
    await client.line()
    assert (await say(client, "COMPRESS DEFLATE")).startswith("x BAD")
    await say(client, "LOGIN anna secret")
    assert (await say(client, "COMPRESS LZ4")) == "x BAD Unknown compression algorithm LZ4"
    assert (await say(client, "COMPRESS")).startswith("x BAD")
    assert (await say(client, "NOOP")) == "x OK NOOP completed"
    await client.close()


async def test_octets_right_behind_the_command_are_compressed(server: RunningServer) -> None:
    client = await connect(server)
    await client.line()
    await say(client, "LOGIN anna secret")
    await client.send(b"x COMPRESS DEFLATE\r\n" + deflated(b"y NOOP\r\n"))
    assert await client.line() == "x OK DEFLATE active"
    client._stream = Deflated(client._stream)
    client._buffer = client._stream.coming.decompress(client._buffer)
    assert await client.line() == "y OK NOOP completed"
    await client.close()


@pytest.mark.parametrize(
    "garbage",
    [b"y NOOP\r\n", b"\xff" * 100, deflated(b"", flush=zlib.Z_FINISH) + b"y"],
    ids=["plain", "ones", "after the end"],
)
async def test_what_is_no_deflate_ends_the_session(server: RunningServer, garbage: bytes) -> None:
    client = await compressed(server)
    assert isinstance(client._stream, Deflated)
    await client._stream.below.send_all(garbage)
    assert (await client.line()).startswith("* BYE [CLIENTBUG] The compressed stream ")
    assert await client.line() == "end"
    await client.close()


async def test_a_bomb_is_taken_in_small_steps(server: RunningServer) -> None:
    client = await compressed(server)
    bomb = deflated(b"x" * 40_000_000)
    assert len(bomb) < 50_000
    assert isinstance(client._stream, Deflated)
    with trio.fail_after(PATIENCE):
        await client._stream.below.send_all(bomb + deflated(b"\r\nz NOOP\r\n"))
        other = await connect(server)
        await other.line()
        assert (await say(other, "NOOP")) == "x OK NOOP completed"
        assert (await client.line()).startswith("* BAD")
    await client.close()
    await other.close()


async def test_unauthenticate_ends_compression_both_ways(server: RunningServer) -> None:
    client = await compressed(server)
    stream = client._stream
    assert isinstance(stream, Deflated)
    plain = b"y AUTHENTICATE PLAIN AGJlbgBzZWNyZXQ=\r\nz NOOP\r\n"
    last = stream.out.compress(b"x UNAUTHENTICATE\r\n") + stream.out.flush(zlib.Z_SYNC_FLUSH)
    await stream.below.send_all(last + plain)
    assert await client.line() == "x OK Nobody is logged in now"
    client._stream = stream.below
    assert client._buffer == b""
    assert (await client.line()).startswith("y OK")
    assert await client.line() == "z OK NOOP completed"
    await client.close()


def test_inflater_gives_small_pieces_and_keeps_what_is_behind_a_marker() -> None:
    inflater = Inflater()
    data = b"".join(b"%d NOOP\r\n" % number for number in range(100_000))
    inflater.receive_data(deflated(data))
    assert inflate_all(inflater) == data
    inflater = Inflater()
    for octet in deflated(data[:5000]) + b"plain":
        inflater.receive_data(bytes((octet,)))
    assert inflater.next_data()
    inflater = Inflater()
    inflater.receive_data(deflated(b"x UNAUTHENTICATE\r\n") + b"y LOGIN")
    assert inflater.next_data() == b"x UNAUTHENTICATE\r\n"
    assert inflater.take_rest() == b"y LOGIN"
    inflater = Inflater()
    inflater.receive_data(deflated(b"x UNAUTHENTICATE\r\n", flush=zlib.Z_FINISH) + b"y LOGIN")
    assert inflater.next_data() == b"x UNAUTHENTICATE\r\n"
    with pytest.raises(StreamLost):
        inflater.next_data()
    assert inflater.take_rest() == b"y LOGIN"


@given(st.lists(st.binary(max_size=200) | st.just(deflated(b"a NOOP\r\n")), max_size=6), st.integers(0, 40))
def test_any_octets_are_text_or_damage_and_the_rest_is_kept(pieces: list[bytes], cut: int) -> None:
    inflater = Inflater()
    data = b"".join(pieces)
    try:
        for piece in (data[:cut], data[cut:]):
            inflater.receive_data(piece)
            inflate_all(inflater)
    except StreamLost:
        pass
    assert inflater.take_rest() in data


def test_deflater_and_inflater_are_inverse() -> None:
    deflater, inflater = Deflater(), Inflater()
    for size in (0, 1, 70_000, 300_000):
        data = bytes(number * number >> 3 & 255 for number in range(size))
        inflater.receive_data(b"".join(deflater.deflate([data[: size // 2], data[size // 2 :]])))
        assert inflate_all(inflater) == data
