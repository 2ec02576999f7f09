"""One SMTP connection: receive octets, have commands answered, gather replies, and send them when they may be told.

Every wait on the peer has a deadline. Replies wait for the log before they leave (`_flush` is the one place). When the
server stops, a session that waits for a command says 421; one that is receiving a message finishes it first.
"""

from typing import Final

import trio

from crockery import limits
from crockery.events.errors import LogFailed
from crockery.net.connection import Connection, PeerGone
from crockery.net.services import Services
from crockery.net.turns import turn
from crockery.smtp.errors import logger, reply_to
from crockery.smtp.session import Question, Role, Session
from crockery.smtp.wire import CLOSED, NEED_MORE, DataChunk, DataEnd, DataStart, Reply, StartTLS, State, replies

__all__ = ["Role", "serve_smtp"]

_CONTENT: Final = (State.DATA, State.CHUNK, State.BDAT)


async def serve_smtp(connection: Connection, services: Services, *, role: Role, implicit_tls: bool = False) -> None:
    """Serve one connection until it ends; whoever made it closes it. Raises only what is a defect of ours."""
    try:
        if implicit_tls:
            await connection.start_tls()
    except PeerGone:
        return
    dialog = _Dialog(connection, services, role)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(dialog.interrupt_when_stopping)
        await dialog.run()
        nursery.cancel_scope.cancel()


class _Dialog:
    """A connection and its session."""

    def __init__(self, connection: Connection, services: Services, role: Role) -> None:
        self._connection = connection
        self._services = services
        self._session = Session(connection, services, role)
        self._protocol = self._session.protocol
        self._out: list[bytes] = []
        self._held = 0
        self._errors = 0
        self._deadline = 0.0
        self._scope = trio.CancelScope()
        self._is_idle = False  # waiting for a command, not within a message

    async def interrupt_when_stopping(self) -> None:
        """End a wait for the next command when the server stops."""
        await self._services.stopping.wait()
        if self._is_idle:
            self._scope.cancel()

    async def run(self) -> None:
        """From the greeting to the end."""
        try:
            with self._scope:
                await self._run()
            if self._scope.cancelled_caught and self._protocol.state not in (State.CLOSED, State.HANDSHAKE):
                self._say(replies.SHUTTING_DOWN)
                await self._flush()
        except (PeerGone, trio.TooSlowError):
            pass  # gone, or it does not read what we say
        except LogFailed as error:
            logger.error("SMTP: a connection ends without an answer: %s", error)
        finally:
            self._session.close()

    async def _run(self) -> None:
        session, protocol = self._session, self._protocol
        if session.role is Role.SUBMISSION and self._services.logins.is_banned(self._connection.peer):
            self._say(replies.TOO_MANY_FAILED_LOGINS)
        else:
            self._say(replies.greeting(protocol.offer.hostname))
        while (command := protocol.next_command()) is not CLOSED:
            if command is NEED_MORE:
                await self._flush()
                await self._receive()
            elif isinstance(command, DataChunk):
                await session.take(command)
            else:
                await self._answer(command)
        await self._flush()

    async def _answer(self, command: Question) -> None:
        if isinstance(command, DataEnd):
            await turn()
        try:
            reply = await self._session.answer(command)
        except (PeerGone, LogFailed):
            raise
        except Exception as error:
            reply = reply_to(error)
        self._say(reply)
        if self._protocol.state not in _CONTENT or isinstance(command, DataStart):
            self._deadline = 0.0
        if isinstance(command, StartTLS) and reply.is_positive:
            await self._start_tls()
        elif not reply.closes:
            self._check_limits(reply)
        if self._held > limits.SMTP_OUTPUT_HELD:
            await self._flush()
            await trio.lowlevel.checkpoint()

    def _check_limits(self, reply: Reply) -> None:
        """Who only errs, only guesses or only talks is shown the door."""
        self._errors += reply.code >= 500
        if self._session.authenticator.failures >= limits.SMTP_MAX_AUTH_FAILURES:
            self._close(replies.TOO_MANY_FAILED_LOGINS, "smtp-too-many-failed-logins")
        elif self._errors >= limits.SMTP_MAX_ERRORS:
            self._close(replies.TOO_MANY_ERRORS, "smtp-too-many-errors")
        elif self._session.idle_commands >= limits.SMTP_MAX_IDLE_COMMANDS:
            self._close(replies.TOO_MANY_COMMANDS, "smtp-too-many-commands")

    async def _start_tls(self) -> None:
        await self._flush()
        await self._connection.start_tls()
        self._protocol.start_tls(self._session.offer())

    # --- octets ---

    def _say(self, reply: Reply) -> None:
        octets = self._protocol.send(reply)
        self._out.append(octets)
        self._held += len(octets)

    def _close(self, reply: Reply, kind: str) -> None:
        self._services.tally.count(kind)
        self._say(reply)

    async def _flush(self) -> None:
        """Send what is gathered, once all that it rests on is on disk."""
        if self._out:
            await self._services.writer.wait_durable(self._session.position)
            out, self._out, self._held = b"".join(self._out), [], 0
            await self._connection.send(out)

    async def _receive(self) -> None:
        """Octets for the protocol; or a word of goodbye, if none come in time or the server stops."""
        is_content = self._protocol.state in _CONTENT
        if self._services.stopping.is_set() and not is_content:
            self._say(replies.SHUTTING_DOWN)
            return
        self._is_idle = not is_content
        try:
            self._protocol.receive_data(await self._connection.receive(self._timeout(is_content)))
        except trio.TooSlowError:
            self._close(replies.IDLE_TOO_LONG, "smtp-too-slow")
        self._is_idle = False

    def _timeout(self, is_content: bool) -> float:
        """Seconds to wait for octets: a whole command or message has a time, and within a message each silence."""
        now = trio.current_time()
        if not self._deadline:
            self._deadline = now + (limits.SMTP_MESSAGE_TIMEOUT if is_content else self._command_timeout())
        left = max(self._deadline - now, 0.0)
        return min(left, limits.SMTP_DATA_TIMEOUT) if is_content else left

    def _command_timeout(self) -> float:
        waits_for_login = self._protocol.offer.is_submission and not self._protocol.authenticated
        return limits.SMTP_LOGIN_TIMEOUT if waits_for_login else limits.SMTP_COMMAND_TIMEOUT
