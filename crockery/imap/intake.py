"""Waiting for the client: the one place where a session sleeps for input."""

from collections.abc import Awaitable, Callable

import trio

from crockery import limits
from crockery.events.errors import LogFailed
from crockery.imap.errors import SessionLost
from crockery.imap.session import Session
from crockery.imap.wire.framer import RawLine
from crockery.net.connection import PeerGone


class ClientEnded(PeerGone):
    """The client closed its side; what it sent before has been answered."""


async def receive(session: Session) -> None:
    """Feed the framer with what the client sends; replies leave first, but for those of a pipeline not yet read.

    Raises SessionLost when the client is silent for too long or the server stops, ClientEnded, PeerGone.
    """
    if session.unanswered < limits.IMAP_INPUT_BATCH and session.out.size < limits.IMAP_OUTPUT_HELD:
        data = _inflated(session) or _take(session, session.connection.receive_now())
        if data:
            session.unanswered += len(data)
            session.framer.receive_data(data)
            await session.out.pause()
            return
    session.unanswered = 0
    await session.out.flush()
    data = _inflated(session)
    while not data:
        data = _take(session, await (_wait(session) if session.attend is None else _attend(session)))
    session.framer.receive_data(data)


def _inflated(session: Session) -> bytes:
    """More of what a compressed stream brought before."""
    return b"" if session.inflater is None else session.inflater.next_data()


def _take(session: Session, data: bytes | None) -> bytes:
    """Octets of the connection as the client meant them; of a compressed stream they may make none yet."""
    if session.inflater is None or not data:
        return data or b""
    session.inflater.receive_data(data)
    return session.inflater.next_data()


async def _attend(session: Session) -> bytes:
    """As `_wait`, and meanwhile the client is told what it watches."""
    watch, attend = session.watch, session.attend
    if watch is None or attend is None or not watch.attends:
        return await _wait(session)
    attending = _Attending(session, attend)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(attending.tell, nursery.cancel_scope)
        await attending.listen(nursery.cancel_scope)
    if attending.failure is not None:
        raise attending.failure
    return attending.data


class _Attending:
    """Two tasks: one waits for the client, one tells. Whichever ends first ends the other."""

    def __init__(self, session: Session, attend: Callable[[], Awaitable[None]]) -> None:
        self._session = session
        self._attend = attend
        self.data = b""
        self.failure: Exception | None = None

    async def listen(self, scope: trio.CancelScope) -> None:
        try:
            self.data = await _wait(self._session)
        except (SessionLost, PeerGone, trio.TooSlowError) as error:
            self.failure = self.failure or error
        scope.cancel()

    async def tell(self, scope: trio.CancelScope) -> None:
        try:
            await self._attend()
        except (SessionLost, PeerGone, trio.TooSlowError, LogFailed) as error:
            self.failure = error
            scope.cancel()


async def _wait(session: Session) -> bytes:
    if session.services.stopping.is_set():
        raise SessionLost("The server is stopping")
    with trio.CancelScope() as scope:
        session.waiting = scope
        try:
            data = await session.connection.receive(session.silence)
        except trio.TooSlowError:
            raise SessionLost("Nothing was said for too long") from None
        finally:
            session.waiting = None
        if not data:
            raise ClientEnded("end of stream")
        return data
    raise SessionLost("The server is stopping")


async def read_line(session: Session) -> bytes:
    """The next line as it stands: an answer in AUTHENTICATE, the DONE of IDLE. Raises BadCommand if it is too long."""
    session.framer.expect_line()
    while True:
        event = session.framer.next_event()
        if isinstance(event, RawLine):
            return event.data
        await receive(session)
