"""An SMTP server without ports: the real session over a socket pair, on a real log in a temporary folder."""

import base64
import contextlib
import dataclasses
import socket
import ssl
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import trio
import trustme

from crockery.actions.actor import the_server
from crockery.actions.mailboxes import FIRST_MAILBOXES
from crockery.actions.store import Store
from crockery.events.opening import create_log, open_log
from crockery.events.types import Event, EventType
from crockery.events.types.accounts import ACCOUNT_ADDED, ALIAS_ADDED, WILDCARD_SET
from crockery.events.types.mail import MAILBOX_CREATED
from crockery.events.types.server import SETTING_CHANGED
from crockery.events.writer import Writer
from crockery.net.budget import Budget
from crockery.net.changes import Changes
from crockery.net.connection import Connection
from crockery.net.login import Login, Logins
from crockery.net.services import Services
from crockery.net.tally import Tally
from crockery.net.tls import TLSHolder
from crockery.projections.state import State
from crockery.sasl import ScramSecret, scram_verifier
from crockery.smtp.server import Role, serve_smtp
from tests.support.waiting import PATIENCE

DOMAIN = "example.test"


class FakeLogins(Logins):
    """Everybody's password is "secret"; anna/phone is an app password "apppass"."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._phone = scram_verifier("apppass", b"0123456789abcdef")
        self.bad: list[str] = []
        self.banned = False

    def offers_scram(self, peer: str) -> bool:
        return True

    @property
    def scram_server_secret(self) -> bytes:
        return bytes(16)

    async def check(self, name: str, password: str, peer: str) -> Login | None:
        account = self._store.state.accounts.find(name.partition("@")[0])
        if account is None or account.disabled or password != "secret":
            self.bad.append(name)
            return None
        return Login(account.id, account.name, 0)

    def scram_secret(self, name: str) -> ScramSecret | None:
        return self._phone if name == "anna/phone" else None

    def scram_done(self, name: str, peer: str, ok: bool) -> Login | None:
        account = self._store.state.accounts.find(name.partition("/")[0])
        if not ok or account is None:
            self.bad.append(name)
            return None
        return Login(account.id, account.name, 77)

    def is_banned(self, peer: str) -> bool:
        return self.banned


def make_store(path: Path, accounts: Sequence[str] = ("postmaster", "anna", "ben")) -> Store:
    """A log with accounts that have their first mailboxes; the first account is the postmaster's."""
    create_log(path, clock)
    state = State()
    store = Store(open_log(path, state.apply, clock).log, state, clock)
    change(store, SETTING_CHANGED, name="domain", value=DOMAIN, old=None)
    change(store, SETTING_CHANGED, name="hostname", value=f"mx.{DOMAIN}", old=None)
    for name in accounts:
        add_account(store, name)
    return store


def clock() -> int:
    return time.time_ns() // 1000


def change(store: Store, kind: EventType, **facts: object) -> int:
    """Append one event as the server."""
    return store.log.append([Event(kind, {"by": 0, **facts})])


def add_account(store: Store, name: str) -> int:
    account = change(store, ACCOUNT_ADDED, name=name, postmaster=not store.state.accounts.by_id)
    for mailbox, use in FIRST_MAILBOXES:
        facts = {"special_use": use} if use else {}
        change(store, MAILBOX_CREATED, account=account, name=mailbox, uidvalidity=account, subscribed=True, **facts)
    return account


def add_alias(store: Store, alias: str, *targets: str) -> None:
    change(store, ALIAS_ADDED, alias=alias, targets=list(targets), old=[])


def set_wildcard(store: Store, name: str) -> None:
    account = store.state.accounts.find(name)
    assert account is not None
    change(store, WILDCARD_SET, account=account.id, old=None)


def connected_pair() -> tuple[socket.socket, socket.socket]:
    """Both ends of a TCP connection on loopback: the server's, the client's."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        theirs = socket.create_connection(listener.getsockname())
        return listener.accept()[0], theirs


class Peer:
    """The client's end."""

    def __init__(self, sock: socket.socket) -> None:
        self.stream: trio.abc.Stream = trio.SocketStream(trio.socket.from_stdlib_socket(sock))
        self._received = b""

    async def send(self, data: bytes) -> None:
        await self.stream.send_all(data)

    async def reply(self) -> bytes:
        """The next whole reply, b"" at the end of the stream."""
        while not (end := self._end_of_reply()):
            more = await self.stream.receive_some(65536)
            if not more:
                return b""
            self._received += more
        reply, self._received = self._received[:end], self._received[end:]
        return reply

    def _end_of_reply(self) -> int:
        start = 0
        while (end := self._received.find(b"\r\n", start)) >= 0:
            if self._received[start + 3 : start + 4] == b" ":
                return end + 2
            start = end + 2
        return 0

    async def ask(self, *lines: str | bytes) -> list[str]:
        """Send lines, all at once; returns the last lines of their replies, without CRLF."""
        octets = [line.encode() if isinstance(line, str) else line for line in lines]
        await self.send(b"".join(line + b"\r\n" for line in octets))
        return [await self.last_line() for _ in lines]

    async def last_line(self) -> str:
        return (await self.reply()).decode().rstrip("\r\n").rpartition("\r\n")[2]

    async def codes(self, *lines: str | bytes) -> list[int]:
        """As `ask`, but only the codes; 0 for the end of the stream."""
        return [int(line[:3] or 0) for line in await self.ask(*lines)]

    async def mail(self, message: bytes, *recipients: str, sender: str = "c@client.test") -> str:
        """One whole transaction; returns the reply to the message, or the first refusal before."""
        for line in (f"MAIL FROM:<{sender}>", *(f"RCPT TO:<{recipient}>" for recipient in recipients), "DATA"):
            (reply,) = await self.ask(line)
            if reply[0] not in "23":
                return reply
        await self.send(message.replace(b"\r\n.", b"\r\n..") + b".\r\n")
        return await self.last_line()

    async def at_end(self) -> bool:
        return await self.reply() == b""

    async def start_tls(self, authority: trustme.CA) -> None:
        context = ssl.create_default_context()
        authority.configure_trust(context)
        assert isinstance(self.stream, trio.SocketStream)
        stream = trio.SSLStream(self.stream, context, server_hostname=f"mx.{DOMAIN}")
        await stream.do_handshake()
        self.stream = stream


@dataclasses.dataclass
class Served:
    """The server's side of a test."""

    store: Store
    services: Services
    logins: FakeLogins
    authority: trustme.CA
    nursery: trio.Nursery
    peers: list[Peer] = dataclasses.field(default_factory=list)

    async def connect(self, role: Role = Role.MX, *, loopback: bool = True, login: str = "", tls: bool = False) -> Peer:
        """A connection that was greeted; with `login`, EHLO was said and that account logged in."""
        ours, theirs = connected_pair()
        connection = Connection(ours, self.services.tls)
        connection.is_loopback = loopback
        self.nursery.start_soon(self._serve, connection, role, tls)
        peer = Peer(theirs)
        self.peers.append(peer)
        if tls:
            await peer.start_tls(self.authority)
        await peer.reply()
        if login:
            assert await peer.codes("EHLO client.test") == [250]
            assert await peer.codes(b"AUTH PLAIN " + plain(login)) == [235]
        return peer

    async def _serve(self, connection: Connection, role: Role, implicit_tls: bool) -> None:
        try:
            await serve_smtp(connection, self.services, role=role, implicit_tls=implicit_tls)
        finally:
            await connection.close()


def plain(name: str, password: str = "secret") -> bytes:
    """The initial response of PLAIN."""
    return base64.b64encode(f"\0{name}\0{password}".encode())


@contextlib.asynccontextmanager
async def smtp_server(path: Path, *, store: Store | None = None, budget: Budget | None = None) -> AsyncIterator[Served]:
    """A server on a new log at `path`; everything ends with the block."""
    store = store or make_store(path)
    authority = trustme.CA()
    holder = TLSHolder()
    certificate = authority.issue_cert(f"mx.{DOMAIN}")
    holder.use(certificate.private_key_and_cert_chain_pem.bytes())
    writer = Writer(store.log)
    logins = FakeLogins(store)
    services = Services(
        store=store,
        writer=writer,
        logins=logins,
        changes=Changes(store.state, writer),
        budget=budget or Budget(),
        tally=Tally(store),
        structures=None,  # type: ignore[arg-type]
        texts=None,  # type: ignore[arg-type]
        tls=holder,
        stopping=trio.Event(),
    )
    try:
        with trio.fail_after(PATIENCE):
            async with trio.open_nursery() as nursery:
                await nursery.start(writer.run)
                served = Served(store, services, logins, authority, nursery)
                try:
                    yield served
                finally:
                    for peer in served.peers:
                        await trio.aclose_forcefully(peer.stream)
                nursery.cancel_scope.cancel()
    finally:
        store.log.file.close()


__all__ = [
    "FakeLogins", "Peer", "Role", "Served", "add_account", "add_alias", "change", "make_store",
    "plain", "set_wildcard", "smtp_server", "the_server",
]  # fmt: skip
