"""One IMAP connection from greeting to goodbye (RFC 3501, RFC 9051).

`serve_imap` takes events from the framer and has them done one after the other (`running`). Octets leave when nothing
more of a pipeline is there to be read, or much is held, and what they tell of is on disk (`intake`, `output`).
"""

import logging
from functools import partial
from typing import Final

import trio

from crockery import limits
from crockery.events.errors import LogFailed
from crockery.imap.errors import SessionLost
from crockery.imap.intake import receive
from crockery.imap.output import Output
from crockery.imap.running import run_command, take_literal
from crockery.imap.selected import NO_UIDS
from crockery.imap.session import Session, Shared
from crockery.imap.telling import attend
from crockery.imap.wire.errors import BadCommand, StreamLost, UnknownCharset
from crockery.imap.wire.framer import Frame, NeedMore
from crockery.imap.wire.parser import parse_command
from crockery.imap.wire.render import render_error, render_status
from crockery.imap.wire.response_codes import render_capability
from crockery.net.connection import Connection, PeerGone
from crockery.net.services import Services

logger: Final = logging.getLogger(__name__)


async def serve_imap(connection: Connection, services: Services, *, implicit_tls: bool) -> None:
    """Talk to one client until it goes or the server stops. The caller closes the connection.

    Raises LogFailed when the log cannot be written any more: the process must stop then.
    """
    shared = services.shared(Shared, lambda: Shared(services))
    session = Session(connection, services, shared, Output(connection, services.writer))
    session.attend = partial(attend, session)
    try:
        if implicit_tls:
            await connection.start_tls()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_watch_stop, session)
            lost = await _converse(session)
            nursery.cancel_scope.cancel()
        if lost is not None:
            raise lost
    except (PeerGone, trio.TooSlowError) as error:
        logger.debug("IMAP %s: %s", connection.peer, error)
    finally:
        session.end_watch()
        session.end_uploads()


async def _watch_stop(session: Session) -> None:
    """Wake the session when the server stops, if it waits for its client then."""
    await session.services.stopping.wait()
    if session.waiting is not None:
        session.waiting.cancel()


async def _converse(session: Session) -> Exception | None:
    """The whole conversation; returns what broke it, so that the nursery around does not wrap it."""
    try:
        _greet(session)
        while not session.ending:
            await _step(session)
    except SessionLost as error:
        session.out.write(render_status(b"BYE", str(error)))
    except (PeerGone, trio.TooSlowError, LogFailed) as error:
        return error
    try:
        await session.out.flush()
    except (PeerGone, trio.TooSlowError, LogFailed) as error:
        return error
    return None


def _greet(session: Session) -> None:
    if session.services.logins.is_banned(session.connection.peer):
        raise SessionLost("Too many failed logins from your address; try again later")
    code = render_capability(session.capabilities())
    host = session.store.state.settings.hostname
    session.out.write(render_status(b"OK", f"{host} Crockery ready", code=code))


async def _step(session: Session) -> None:
    """One event of the framer."""
    try:
        event = session.framer.next_event()
        if isinstance(event, Frame):
            await run_command(session, parse_command(event, utf8=session.utf8))
            await session.out.pause()  # a pipeline is no reason for others to wait
        elif isinstance(event, NeedMore):
            await receive(session)
        else:
            await take_literal(session, event)
    except BadCommand as error:
        _refuse_bad(session, error)


def _refuse_bad(session: Session, error: BadCommand) -> None:
    if session.framer.in_literal:
        session.framer.refuse_literal()
    session.end_uploads()
    if isinstance(error, UnknownCharset) and error.saves and session.selected is not None:
        session.selected.saved = NO_UIDS  # a NO to a SEARCH that saves empties `$` (RFC 5182 §2.1)
    session.out.write(render_error(error))
    session.bad_commands += 1
    most = limits.IMAP_LOGIN_BAD_MAX if session.login is None else limits.IMAP_BAD_COMMANDS_MAX
    if isinstance(error, StreamLost):
        session.ending = True
    elif session.bad_commands >= most:
        session.services.tally.count("imap-too-many-bad-commands")
        raise SessionLost("Too many commands that are not IMAP")
