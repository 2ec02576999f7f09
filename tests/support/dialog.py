"""IMAP transcripts as tests: files of lines that clients and the server say, over several connections.

    # as: anna                   every connection logs in so; `# as:` with nothing leaves them before login, greeted
    # tls: yes                   connections go to the TLS port
    # mail: INBOX plain.eml \\Seen kw     what is there at first: file in mail/, flags; `@ 1-Feb-1994` sets the date
    C: a1 SELECT INBOX           a client's line; CRLF is added
    c: a1 NOOP\\r\\n              octets with Python's escapes, nothing added
    S: * 3 EXISTS                the server's line, exactly
    S~ \\* OK \\[UIDNEXT \\d+\\] .*  the server's line, a regular expression for all of it
    S* \\* .*                     any number of lines of that form, until the next expected one fits
    S! end                       the server ends the stream
    X: close                     the client's end: `close`, or `eof` of its half only
    C2: b1 NOOP                  another connection; so with every mark

`<<x*1000>>` stands for x a thousand times. Named groups of S~ lines are `$name` in later lines.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import trio

from crockery.actions.actor import the_server
from crockery.actions.incoming import received
from crockery.actions.mail import Delivery, deliver
from crockery.imap.wire.cursor import Cursor
from crockery.imap.wire.dates import parse_date
from crockery.imap.wire.framer import Frame
from tests.support.server import PASSWORD, RunningServer
from tests.support.waiting import PATIENCE

MARK: Final = re.compile(r"(?P<kind>[CcSX])(?P<peer>[0-9]*)(?P<mode>[:~*!])(?: (?P<text>.*))?", re.DOTALL)
REPEAT: Final = re.compile(r"<<(.+?)\*([0-9]+)>>", re.DOTALL)
SCENE: Final = re.compile(r"# (?P<name>as|tls|mail):(?P<value>.*)")


class Client:
    """One connection, read by lines."""

    def __init__(self, stream: trio.abc.HalfCloseableStream) -> None:
        self._stream = stream
        self._buffer = b""
        self._ended = False

    async def send(self, data: bytes) -> None:
        """Send octets as they are."""
        with trio.fail_after(PATIENCE):
            await self._stream.send_all(data)

    async def line(self) -> str:
        """The next line without its end; "end" when there is none any more."""
        with trio.fail_after(PATIENCE):
            while b"\n" not in self._buffer and not self._ended:
                try:
                    data = await self._stream.receive_some(65536)
                except trio.BrokenResourceError:
                    data = b""
                self._buffer += data
                self._ended = not data
        if not self._buffer:
            return "end"
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line.removesuffix(b"\r").decode("utf-8", "backslashreplace")

    async def close(self, *, half: bool = False) -> None:
        """End both ways, or ours only."""
        await (self._stream.send_eof() if half else self._stream.aclose())


async def connect(server: RunningServer, *, tls: bool = False) -> Client:
    """A connection to the IMAP port, nothing read of it."""
    stream: trio.abc.HalfCloseableStream
    if tls:
        stream = await trio.open_ssl_over_tcp_stream(  # type: ignore[assignment]
            "127.0.0.1", server.ports["imaps"], ssl_context=server.client_context
        )
    else:
        stream = await trio.open_tcp_stream("127.0.0.1", server.ports["imap"])
    return Client(stream)


async def say(client: Client, command: str) -> list[str]:
    """Say a command, with the tag x; the lines of its answer."""
    await client.send(f"x {command}\r\n".encode())
    return await hear(client, "x")


async def hear(client: Client, tag: str) -> list[str]:
    """The lines up to the tagged one, or to the end."""
    lines = [await client.line()]
    while not lines[-1].startswith((f"{tag} ", "end")):
        lines.append(await client.line())
    return lines


async def logged_in(server: RunningServer, name: str, *, tls: bool = False) -> Client:
    """A connection that has logged in."""
    client = await connect(server, tls=tls)
    assert (await client.line()).startswith("* OK ")
    await client.send(f"login LOGIN {name} {PASSWORD}\r\n".encode())
    assert (await client.line()).startswith("login OK ")
    return client


@dataclass
class Player:
    """Plays one file against a server."""

    server: RunningServer
    path: Path
    account: str = "anna"
    tls: bool = False
    clients: dict[str, Client] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)

    async def play(self) -> None:
        """Raises AssertionError that names file and line where the server says something else."""
        try:
            await self._play()
        finally:
            with trio.CancelScope(shield=True):
                for client in self.clients.values():
                    await client.close()

    async def _play(self) -> None:
        skipping = ""
        for number, line in enumerate(_lines(self.path), 1):
            if scene := SCENE.fullmatch(line):
                await self._set(scene["name"], scene["value"].strip())
                continue
            mark = MARK.fullmatch(line)
            if mark is None:
                assert not line or line.startswith("#"), (
                    f"{self.path.name}:{number}: not a line of a transcript: {line!r}"
                )
                continue
            text = self._fill(mark["text"] or "")
            client = await self._client(mark["peer"])
            if mark["kind"] != "S":
                await _say(client, mark["kind"], text)
            elif mark["mode"] == "*":
                skipping = text
            else:
                skipping = await self._hear(client, mark["mode"], text, skipping, number)

    async def _set(self, name: str, value: str) -> None:
        if name == "as":
            self.account = value
        elif name == "tls":
            self.tls = value == "yes"
        else:
            put_mail(self.server, self.account or "anna", value, self.path.parent / "mail")

    def _fill(self, text: str) -> str:
        text = REPEAT.sub(lambda found: found[1] * int(found[2]), text)
        for name, value in self.words.items():
            text = text.replace("$" + name, value)
        return text

    async def _client(self, name: str) -> Client:
        if name not in self.clients:
            if self.account:
                self.clients[name] = await logged_in(self.server, self.account, tls=self.tls)
            else:
                self.clients[name] = await connect(self.server, tls=self.tls)
                assert (await self.clients[name].line()).startswith("* OK ")
        return self.clients[name]

    async def _hear(self, client: Client, mode: str, text: str, skipping: str, number: int) -> str:
        while True:
            said = await client.line()
            expected = re.escape(text) if mode in ":!" else text
            found = re.fullmatch(expected, said)
            if found is not None:
                self.words |= {name: value for name, value in found.groupdict().items() if value is not None}
                return ""
            skipped = skipping and re.fullmatch(skipping, said)
            assert skipped, f"{self.path.name}:{number}: expected {text!r}, the server said {said[:1000]!r}"


def _lines(path: Path) -> Iterator[str]:
    yield from path.read_text("utf-8").split("\n")


async def _say(client: Client, kind: str, text: str) -> None:
    if kind == "X":
        await client.close(half=text == "eof")
    elif kind == "C":
        await client.send(text.encode("utf-8") + b"\r\n")
    else:
        await client.send(text.encode("utf-8").decode("unicode_escape").encode("latin-1"))


def put_mail(server: RunningServer, account: str, what: str, folder: Path) -> None:
    """Put a message into a mailbox, as the server itself: `MAILBOX FILE FLAG... [@ DATE]`."""
    what, _, day = what.partition("@")
    mailbox_name, file, *flags = what.split()
    data = (folder / file).read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    store = server.store
    owner = store.state.accounts.find(account)
    assert owner is not None
    mailbox = store.state.mailboxes.find(owner.id, mailbox_name)
    assert mailbox is not None
    date = None
    if day:
        moment = parse_date(Cursor(Frame(day.strip().encode(), {})))
        date = (moment.toordinal() - 719163) * 86400 + 43200
    delivery = Delivery(mailbox, b"", flags)
    deliver(store, the_server(), received(data), [delivery], via="server", date=date)
