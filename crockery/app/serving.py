"""A server's lifetime: services, listeners, connections, and the stop in order.

Three nurseries within one another: the writer outlives what runs in the background (eraser, tally, followers ...),
which outlives the connections. An exception of one connection is logged and ends there; a log that cannot be written
ends everything, and `run` raises LogFailed.

The stop: no new connections; those that wait for their peer say goodbye, the others have STOP_GRACE to finish; then
the background ends, ServerStopped is written and synced, and a snapshot is made.
"""

import contextlib
import gc
import logging
import os
import resource
import signal
import socket
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Final, NamedTuple

import trio

from crockery import limits
from crockery.actions.server import stop as note_stop
from crockery.actions.store import Store
from crockery.app.certificate import CertificateKeeper
from crockery.app.eraser import Eraser
from crockery.app.opening import StartFailed, note_start, open_followers, open_restored
from crockery.app.options import Options
from crockery.app.outgoing import OutgoingMail
from crockery.app.quota import QuotaWatch
from crockery.assistant.conversation import Answering
from crockery.assistant.forward_letter import ForwardLetters
from crockery.delivery.accept import Assistance
from crockery.events.errors import LogError, LogFailed, LogFull
from crockery.events.writer import Writer
from crockery.imap.server import serve_imap
from crockery.net.budget import Budget
from crockery.net.changes import Changes
from crockery.net.clock import ClockWatch
from crockery.net.connection import Connection, PeerGone
from crockery.net.listeners import ListenFailed, accept_forever, open_listeners
from crockery.net.login import Logins
from crockery.net.peers import ConnectionLimits
from crockery.net.services import Services
from crockery.net.tally import Tally
from crockery.net.tls import TLSHolder
from crockery.projections.restore import Restored
from crockery.smtp.server import Role, serve_smtp
from crockery.web.control.request import Context
from crockery.web.control.server import ControlServer

logger: Final = logging.getLogger(__name__)

StartError: Final = (LogError, ListenFailed, StartFailed)
"""What `run` raises when it cannot start or go on: str() is one sentence for a person."""

Serve = Callable[[Connection, Services], Awaitable[None]]


class Port(NamedTuple):
    """What is served where."""

    name: str
    number: int
    is_tls: bool
    """TLS from the first octet (RFC 8314)."""
    serve: Serve
    refusal: bytes
    """What a connection too many is told."""


_BUSY_SMTP: Final = b"421 4.7.0 too many connections; try again later\r\n"
_BUSY_IMAP: Final = b"* BYE too many connections; try again later\r\n"

PORTS: Final = (
    Port("smtp", 25, False, partial(serve_smtp, role=Role.MX), _BUSY_SMTP),
    Port("submissions", 465, True, partial(serve_smtp, role=Role.SUBMISSION, implicit_tls=True), _BUSY_SMTP),
    Port("submission", 587, False, partial(serve_smtp, role=Role.SUBMISSION), _BUSY_SMTP),
    Port("imap", 143, False, partial(serve_imap, implicit_tls=False), _BUSY_IMAP),
    Port("imaps", 993, True, partial(serve_imap, implicit_tls=True), _BUSY_IMAP),
)


@dataclass(slots=True)
class Server:
    """A running server."""

    options: Options
    services: Services
    ports: dict[str, int]
    """Name (smtp, submissions, submission, imap, imaps) to the port number that it really has."""
    connections: ConnectionLimits
    _stop: trio.Event = field(default_factory=trio.Event)

    def stop(self) -> None:
        """Begin an orderly stop; `run` returns when it is done."""
        self._stop.set()

    async def wait_stop(self) -> None:
        """Return when a stop has begun."""
        await self._stop.wait()


async def run(
    options: Options,
    *,
    on_started: Callable[[Server], None] = lambda server: None,
    task_status: trio.TaskStatus[Server] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve until `Server.stop` was called and all is written. Cancelling is as good as a crash: nothing is lost.

    Raises one of StartError when it cannot start, LogFailed (one of them too) when it cannot go on.
    """
    _raise_file_limit()
    restored = open_restored(options)
    log = restored.opened.log
    try:
        with _listening(options) as listeners:
            store = Store(log, restored.state, options.clock)
            last_record = log.last_time
            note_start(store, restored, options)
            lifetime = _Lifetime(options, store, restored, last_record)

            def started(server: Server) -> None:
                on_started(server)
                task_status.started(server)

            await lifetime.run(listeners, started)
    except BaseExceptionGroup as group:
        if log.failed is None:
            raise
        raise LogFailed(log.failed) from group
    finally:
        log.close()


async def run_until_signal(options: Options, on_started: Callable[[Server], None] = lambda server: None) -> None:
    """As `run`, for a process of its own; SIGTERM and SIGINT stop it in order, a second one at once."""
    sys.setswitchinterval(limits.SWITCH_INTERVAL)
    server: Server | None = None

    def started(running_server: Server) -> None:
        nonlocal server
        server = running_server
        gc.collect()
        gc.freeze()  # 70,000 objects that stay: looking through them for garbage held everybody up for 40 ms
        on_started(running_server)

    async def watch(scope: trio.CancelScope) -> None:
        with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
            async for _ in signals:
                if server is None or server.services.stopping.is_set():
                    scope.cancel()
                else:
                    logger.info("stopping")
                    server.stop()

    failure: Exception | None = None
    async with trio.open_nursery() as nursery:
        nursery.start_soon(watch, nursery.cancel_scope)
        try:
            await run(options, on_started=started)
        except StartError as error:
            failure = error
        nursery.cancel_scope.cancel()
    if failure is not None:
        raise failure


@contextlib.asynccontextmanager
async def running(options: Options) -> AsyncIterator[Server]:
    """A server in this process, for tests and programs around it: stopped in order at the end of the block."""
    try:
        async with trio.open_nursery() as nursery:
            server = await nursery.start(run, options)
            yield server
            server.stop()
    except BaseExceptionGroup as group:
        if (only := _only(group)) is None:
            raise
        raise only from None


def _only(group: BaseExceptionGroup[BaseException]) -> BaseException | None:
    """The one exception in a group, if there is but one: a nursery of ours is nobody else's business."""
    found: BaseException = group
    while isinstance(found, BaseExceptionGroup):
        if len(found.exceptions) > 1:
            return None
        found = found.exceptions[0]
    return found


class _Lifetime:
    """One run of a server."""

    def __init__(self, options: Options, store: Store, restored: Restored, last_record: int) -> None:
        self._options = options
        self._store = store
        self._writer = Writer(store.log)
        self._followers = open_followers(options.log, restored, self._writer)
        tally = Tally(store)
        tls = TLSHolder()
        self._keeper = CertificateKeeper(store, tls)
        self._clock = ClockWatch(options.clock, last_record)
        self._eraser = Eraser(store, self._writer, self._clock)
        self._writer.listeners += (self._keeper.on_durable, self._eraser.on_durable)
        self._quotas = QuotaWatch(store, self._writer)
        self._limits = ConnectionLimits()
        self.services = Services(
            store=store,
            writer=self._writer,
            logins=Logins(store, tally, options.hasher),
            changes=Changes(store.state, self._writer),
            budget=Budget(),
            tally=tally,
            structures=self._followers.structures,
            texts=self._followers.texts,
            tls=tls,
            stopping=trio.Event(),
        )
        self.services.shared(Assistance, lambda: Assistance(Answering(store), ForwardLetters(store)))

    async def run(self, listeners: "Listeners", started: Callable[[Server], None]) -> None:
        """From the first sync to the last."""
        self._keeper.start()
        server = Server(self._options, self.services, listeners.numbers(), self._limits)
        async with trio.open_nursery() as outer:
            await outer.start(self._writer.run)
            await self._writer.wait_durable(self._store.log.head)  # of this start nothing is told before it is kept
            async with trio.open_nursery() as background:
                await background.start(self._control(server).run)
                tasks = (self._eraser, self._keeper, self._clock, self._followers, self._quotas, self.services.tally)
                for task in tasks:
                    background.start_soon(task.run)
                await self._serve(listeners, server, started)
                background.cancel_scope.cancel()
            await self._finish()
            outer.cancel_scope.cancel()

    def _control(self, server: Server) -> ControlServer:
        context = Context(self._store, self._options.log, lambda: status(server), self._rebuild)
        return ControlServer(context, self._writer, self._options.hasher)

    async def _rebuild(self) -> AsyncGenerator[dict[str, int], None]:
        async with contextlib.aclosing(self._followers.rebuild()) as steps:
            async for step in steps:
                yield step._asdict()

    async def _serve(self, listeners: "Listeners", server: Server, started: Callable[[Server], None]) -> None:
        """Accept until the stop begins; return when the last connection has ended."""
        async with trio.open_nursery() as connections:
            if self._options.world is not None:
                services = self.services
                sending = OutgoingMail(self._store, self._writer, self._clock, self._options.world, services.stopping)
                connections.start_soon(sending.run)
            async with trio.open_nursery() as accepting:
                for port, sock in listeners.sockets:
                    accepting.start_soon(accept_forever, sock, partial(self._accepted, connections, port))
                started(server)
                await server.wait_stop()
                accepting.cancel_scope.cancel()
            listeners.close()
            self.services.stopping.set()
            connections.cancel_scope.deadline = trio.current_time() + limits.STOP_GRACE

    async def _finish(self) -> None:
        try:
            note_stop(self._store)
        except LogFull as error:
            logger.error("the stop is not noted: %s", error)
        with trio.move_on_after(limits.STOP_SYNC):
            await self._writer.wait_durable(self._store.log.head)
        await self._followers.finish(with_snapshot=self._options.snapshot)

    def _accepted(self, connections: trio.Nursery, port: Port, sock: socket.socket) -> None:
        try:
            connection = Connection(sock, self.services.tls)
        except OSError:  # it went as soon as it had come
            sock.close()
            return
        refused = self._limits.admit(connection.peer)
        if refused:
            self.services.tally.count(refused)
            connection.hang_up(b"" if port.is_tls else port.refusal)
            return
        connections.start_soon(self._converse, connection, port)

    async def _converse(self, connection: Connection, port: Port) -> None:
        """One connection from beginning to end; nothing that goes wrong in it reaches another."""
        try:
            if port.is_tls:
                await connection.start_tls()
            await port.serve(connection, self.services)
        except (PeerGone, trio.TooSlowError):
            self.services.tally.count(f"{port.name}-connection-lost")
        except LogFailed:
            raise
        except Exception:
            logger.exception(
                "%s: a connection from %s failed; this is a defect of Crockery", port.name, connection.peer
            )
        finally:
            await connection.close()
            self._limits.release(connection.peer)


class Listeners:
    """Listening sockets with the port they serve."""

    def __init__(self) -> None:
        self.sockets: list[tuple[Port, socket.socket]] = []

    def numbers(self) -> dict[str, int]:
        """Port numbers by name."""
        return {port.name: sock.getsockname()[1] for port, sock in self.sockets}

    def close(self) -> None:
        """Close them; harmless when repeated."""
        for _, sock in self.sockets:
            sock.close()


@contextlib.contextmanager
def _listening(options: Options) -> Iterator[Listeners]:
    """Listen on all ports. Raises ListenFailed."""
    listeners = Listeners()
    try:
        for port in PORTS:
            number = 0 if options.any_port else port.number + options.port_offset
            listeners.sockets += ((port, sock) for sock in open_listeners(options.bind, number))
        yield listeners
    finally:
        listeners.close()


def _raise_file_limit() -> None:
    """Each connection is a file: take as many as the system lets us have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = limits.MAX_CONNECTIONS + 1000
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def status(server: Server) -> dict[str, object]:
    """What there is to tell of a running server."""
    return {"pid": os.getpid(), "ports": dict(server.ports), "connections": server.connections.count}
