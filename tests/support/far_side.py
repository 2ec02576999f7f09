"""Other people's mail servers, scripted: what the sender meets in tests, over streams in memory.

    world = World()
    world["x.test"].rcpt = lambda address: b"550 5.1.1 no such user"
    ... Scheduler(store, writer, world, ...)
    world["x.test"].mails

A server takes mail for a domain; every step can be given another reply, or `HANG`, or `DROP`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import trio
from trio.testing import memory_stream_pair

from crockery.delivery.sending.exchange import StreamExchange
from crockery.delivery.sending.ways import NoWay, Obstacle, Wanted
from crockery.events.writer import Writer
from crockery.projections.queue import Place
from crockery.smtp.wire.client import ClientProtocol
from tests.support.memory_connection import MemoryConnection

HANG = b"hang"
DROP = b"drop"

ALL = frozenset(Wanted)


@dataclass
class Mail:
    """A mail as it arrived."""

    sender: str
    recipients: list[str]
    content: bytes
    parameters: str = ""
    """Those of MAIL."""
    recipient_parameters: list[str] = field(default_factory=list)
    """Those of RCPT, of each of `recipients`."""


@dataclass
class FarSide:
    """One domain's mail server."""

    nursery: trio.Nursery
    domain: str
    obstacle: Obstacle | None = None
    serves: frozenset[Wanted] = ALL
    extensions: tuple[str, ...] = ("PIPELINING", "8BITMIME", "SIZE 10000000")
    rcpt: Callable[[str], bytes] = lambda address: b"250 2.1.5 ok"
    sender: bytes = b"250 2.1.0 ok"
    data: bytes = b"354 go on"
    end: Callable[[bytes], bytes] = lambda content: b"250 2.0.0 taken"
    dial_time: float = 0.0
    """Seconds until the greeting."""
    end_time: float = 0.0
    mails: list[Mail] = field(default_factory=list)
    connections: int = 0
    open: int = 0
    most_open: int = 0
    dials: list[tuple[float, Wanted]] = field(default_factory=list)
    seen_end: Callable[[], None] = lambda: None
    """Called when a final dot has come."""

    async def connect(self, wanted: Wanted) -> StreamExchange:
        self.dials.append((trio.current_time(), wanted))
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        try:
            await trio.sleep(self.dial_time)
            if self.obstacle is not None:
                raise NoWay(self.obstacle)
        except BaseException:
            self.open -= 1
            raise
        self.connections += 1
        ours, theirs = memory_stream_pair()
        self.nursery.start_soon(self._serve, theirs)
        client = ClientProtocol("mail.example.test")
        exchange = StreamExchange(client, MemoryConnection(ours), Place(f"mx.{self.domain}", "192.0.2.1"), self.serves)
        await exchange.next_event()
        client.hello()
        await exchange.next_event()
        return exchange

    async def _serve(self, stream: trio.abc.Stream) -> None:
        try:
            await self._converse(_Lines(stream), stream)
        except (trio.BrokenResourceError, EOFError, _Dropped):
            pass
        finally:
            self.open -= 1
            await trio.aclose_forcefully(stream)

    async def _converse(self, lines: "_Lines", stream: trio.abc.Stream) -> None:
        async def say(reply: bytes) -> bytes:
            if reply == DROP:
                raise _Dropped
            if reply == HANG:
                await trio.sleep_forever()
            await stream.send_all(reply + b"\r\n")
            return reply

        await say(b"220 here")
        mail, begun = Mail("", [], b""), False
        while True:
            line = await lines.next()
            verb = line[:4].upper()
            if verb == b"EHLO":
                keywords = ["here", *self.extensions]
                await say(b"\r\n".join(b"250%c%s" % (b"- "[i == len(keywords) - 1], k.encode())
                                       for i, k in enumerate(keywords)))  # fmt: skip
            elif verb == b"MAIL":
                mail = Mail(_address(line), [], b"", _parameters(line))
                begun = (await say(self.sender))[:1] == b"2"
            elif verb == b"RCPT":
                reply = self.rcpt(_address(line)) if begun else b"503 5.5.1 say MAIL first"
                if (await say(reply))[:1] == b"2":
                    mail.recipients.append(_address(line))
                    mail.recipient_parameters.append(_parameters(line))
            elif verb == b"DATA":
                reply = self.data if mail.recipients else b"554 nobody"
                if (await say(reply))[:1] == b"3":
                    mail.content = await lines.content()
                    self.seen_end()
                    await trio.sleep(self.end_time)
                    answer = self.end(mail.content)
                    if answer[:1] == b"2" or answer.startswith(b"ate"):
                        self.mails.append(mail)
                    await say(answer.removeprefix(b"ate"))
            elif verb == b"RSET":
                begun = False
                await say(b"250 ok")
            elif verb == b"QUIT":
                await say(b"221 bye")
                return
            else:
                await say(b"250 ok")


class _Dropped(Exception):
    pass


class _Lines:
    def __init__(self, stream: trio.abc.Stream) -> None:
        self._stream = stream
        self._held = b""

    async def until(self, mark: bytes) -> bytes:
        while mark not in self._held:
            more = await self._stream.receive_some(65536)
            if not more:
                raise EOFError
            self._held += more
        found, _, self._held = self._held.partition(mark)
        return found

    async def next(self) -> bytes:
        return await self.until(b"\r\n")

    async def content(self) -> bytes:
        self._held = b"\r\n" + self._held
        return (await self.until(b"\r\n.\r\n") + b"\r\n").replace(b"\r\n..", b"\r\n.")[2:]


def _address(line: bytes) -> str:
    return line.partition(b"<")[2].partition(b">")[0].decode()


def _parameters(line: bytes) -> str:
    return line.partition(b">")[2].strip().decode()


class World:
    """All domains; a `Dialer`."""

    def __init__(self, nursery: trio.Nursery) -> None:
        self._nursery = nursery
        self._sides: dict[str, FarSide] = {}

    def __getitem__(self, domain: str) -> FarSide:
        if domain not in self._sides:
            self._sides[domain] = FarSide(self._nursery, domain)
        return self._sides[domain]

    async def dial(self, domain: str, wanted: Wanted) -> StreamExchange:
        return await self[domain].connect(wanted)


class DirectWriter(Writer):
    """Writes without a thread, so that a mock clock does not run while it does."""

    async def _try_write(self, batch: object) -> bool:
        await trio.lowlevel.checkpoint()
        return self.log.write_batch(batch)  # type: ignore[arg-type]
