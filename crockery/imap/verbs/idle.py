"""IDLE (RFC 2177, RFC 9051 §6.3.13): changes are told when they happen."""

import trio

from crockery import limits
from crockery.imap.contexts import tell_changes
from crockery.imap.errors import SessionLost
from crockery.imap.intake import read_line
from crockery.imap.session import Completed, Session
from crockery.imap.watching import Watch
from crockery.imap.wire.access import NoArguments
from crockery.imap.wire.errors import BadCommand
from crockery.imap.wire.parser import Command
from crockery.imap.wire.render import render_continuation
from crockery.net.connection import PeerGone

ENDS = (SessionLost, PeerGone, trio.TooSlowError, BadCommand)
"""What ends an IDLE early, on either side."""


async def handle_idle(session: Session, command: Command, arguments: NoArguments) -> Completed:
    """Tell changes until the client says DONE."""
    session.out.write(render_continuation("idling"))
    if session.watch is not None:
        return await _watch(session, session.watch, command)
    await tell_changes(session, expunge=True)
    await session.out.flush()
    idle = _Idle(session)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(idle.tell, nursery.cancel_scope)
        await idle.listen(nursery.cancel_scope)
    if idle.failure is not None:
        raise idle.failure
    if idle.line.upper() != b"DONE":
        raise BadCommand("DONE expected", command.tag)
    return Completed("IDLE ended")


async def _watch(session: Session, watch: Watch, command: Command) -> Completed:
    """IDLE of a session that watches more: it is told whenever it waits (RFC 5465 §4)."""
    watch.idling = True
    watch.news.set()
    try:
        line = await read_line(session)
    finally:
        watch.idling = False
    if line.upper() != b"DONE":
        raise BadCommand("DONE expected", command.tag)
    return Completed("IDLE ended")


class _Idle:
    """Two tasks: one listens for DONE, one tells. Whichever ends first ends the other."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.line = b""
        self.failure: Exception | None = None

    async def listen(self, scope: trio.CancelScope) -> None:
        try:
            self.line = await read_line(self._session)
        except ENDS as error:
            self.failure = error
        scope.cancel()

    async def tell(self, scope: trio.CancelScope) -> None:
        try:
            while True:
                await self._tell_once()
        except ENDS as error:
            self.failure = error
            scope.cancel()

    async def _tell_once(self) -> None:
        session = self._session
        with trio.move_on_after(limits.IMAP_KEEPALIVE) as quiet:
            if session.selected is None:
                await trio.sleep_forever()
            else:
                await session.services.changes.wait_mailbox(session.selected.mailbox.id, session.selected.told)
        session.check_alive()
        if quiet.cancelled_caught:
            session.out.write(b"* OK Still here\r\n")
        with trio.CancelScope(shield=True):  # half a response must not be left behind when DONE comes
            await tell_changes(session, expunge=True)
            await session.out.flush()
