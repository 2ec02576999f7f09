"""Running one command: is it legal now, what does its handler say, and which reply answers an error.

The one boundary where errors become a NO (`errors` has the table); BAD is answered by the loop in `server`. After each
command the changes of the selected mailbox are told, with EXPUNGE only where sequence numbers may move, then the tagged
reply (RFC 9051 §5.2, §7.5.1).
"""

import logging
import secrets
from typing import Final

import trio

from crockery.actions.errors import Refused
from crockery.events.errors import LogFailed
from crockery.imap.errors import SessionLost, refusal_for
from crockery.imap.session import Completed, Session
from crockery.imap.telling import tell_after_command
from crockery.imap.verbs import HANDLERS
from crockery.imap.verbs.append import begin_upload
from crockery.imap.wire.append import Append, Replace
from crockery.imap.wire.errors import BadCommand, UidRequired
from crockery.imap.wire.framer import Continuation, Event, LiteralData, LiteralStart
from crockery.imap.wire.parser import Command, parse_command
from crockery.imap.wire.render import render_status
from crockery.imap.wire.search import InSet, Search, iterate_keys
from crockery.imap.wire.sort import Sort, Thread
from crockery.imap.wire.verbs import Trait
from crockery.net.connection import PeerGone

logger: Final = logging.getLogger(__name__)

PASSING: Final = (BadCommand, SessionLost, PeerGone, trio.TooSlowError, LogFailed)
"""Errors that are not answered with a NO."""


EXPUNGING: Final = frozenset(("EXPUNGE", "UID EXPUNGE", "MOVE", "UID MOVE", "REPLACE", "UID REPLACE"))
"""Verbs whose answer is EXPUNGE: told whatever NOTIFY says."""


async def run_command(session: Session, command: Command) -> None:
    """Run a command and answer it. Raises BadCommand, SessionLost, PeerGone, trio.TooSlowError, LogFailed."""
    if session.selected is not None:
        session.selected.missed = False
    try:
        _require_legal(session, command)
        completed = await HANDLERS[command.verb](session, command, command.arguments)
    except PASSING as error:
        if isinstance(error, BadCommand) and error.tag is None:
            error.tag = command.tag
        raise
    except Exception as error:
        await _tell_changes(session, command)
        _refuse(session, command, error)
    else:
        if completed is not None:
            if completed.tells:
                await _tell_changes(session, command)
            _complete(session, command, completed)
    finally:
        session.end_uploads()


async def take_literal(session: Session, event: Event) -> None:
    """A literal that is asked for, begins, or goes on. Raises as `run_command`."""
    try:
        match event:
            case Continuation(reply):
                session.out.write(reply)
            case LiteralStart(head, literal, reply):
                command = parse_command(head, utf8=session.utf8)
                session.uploading = command
                _require_legal(session, command)
                assert isinstance(command.arguments, Append | Replace)
                await begin_upload(session, command, command.arguments, literal)
                session.out.write(reply)
            case LiteralData(data):
                await session.uploads[-1].write(data)
    except PASSING:
        raise
    except Exception as error:
        session.framer.refuse_literal()
        session.end_uploads()
        assert session.uploading is not None
        _refuse(session, session.uploading, error)


def _require_legal(session: Session, command: Command) -> None:
    if session.state not in command.states:
        raise BadCommand(f"{command.verb} is not legal in this state", command.tag)
    if session.features.uid_only and command.speaks_of_numbers:
        raise UidRequired(f"{command.verb} needs its UID form", command.tag)
    session.check_alive()


async def _tell_changes(session: Session, command: Command) -> None:
    expunge = Trait.HOLDS_EXPUNGE not in command.traits and not _searches_numbers(command)
    await tell_after_command(session, expunge=expunge, uid=command.uid, own=command.verb in EXPUNGING)


def _searches_numbers(command: Command) -> bool:
    """Whether it is a UID SEARCH, SORT or THREAD that names sequence numbers all the same (RFC 7162 §3.2.10.2)."""
    search = command.arguments.search if isinstance(command.arguments, Sort | Thread) else command.arguments
    return isinstance(search, Search) and any(
        isinstance(key, InSet) and not key.uid for key in iterate_keys(search.key)
    )


def _complete(session: Session, command: Command, completed: Completed) -> None:
    code = completed.code
    if code is None and not command.uid and session.selected is not None and session.selected.missed:
        code = b"EXPUNGEISSUED"
    text = completed.text or f"{command.verb} completed"
    session.out.write(render_status(b"OK", text, tag=command.tag, code=code))


def _refuse(session: Session, command: Command, error: Exception) -> None:
    refusal = refusal_for(error)
    if refusal is not None:
        if isinstance(error, Refused):
            session.out.note(session.list_position)  # it may be why: "there is one already"
        session.out.write(render_status(b"NO", refusal.text, tag=command.tag, code=refusal.code))
        return
    reference = secrets.token_hex(4)
    logger.error("IMAP %s failed, reference %s", command.verb, reference, exc_info=error)
    text = f"An error of the server, reference {reference}"
    session.out.write(render_status(b"NO", text, tag=command.tag, code=b"SERVERBUG"))
