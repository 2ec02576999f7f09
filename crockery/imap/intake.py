"""Waiting for the client: the one place where a session sleeps for input."""

import trio

from crockery import limits
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
        data = session.connection.receive_now()
        if data:
            session.unanswered += len(data)
            session.framer.receive_data(data)
            await session.out.pause()
            return
    session.unanswered = 0
    await session.out.flush()
    session.framer.receive_data(await _wait(session))


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
