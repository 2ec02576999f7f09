"""The server's half of an SMTP connection as a state machine without I/O, in the manner of h11.

RFC 5321 §4.1.4 (order of commands), RFC 2920 (pipelining), RFC 3030 §2 (chunks), RFC 3207 §4 (TLS), RFC 4954 §4 (AUTH).

Theory of operation: octets go in by `receive_data`; `next_command` gives one value at a time; each value but
`DataChunk` is answered by one `send`, which gives the octets for the peer and moves the state by whether the reply was
positive. What may be said in which state is `_GRID` and nothing else. All that the protocol can decide alone comes as
an `Answer` with its reply, so that the server has one place that sends, counts and logs.

Invariants: commands and replies are one to one and in order. A refused message or chunk is read to its end before its
reply is given. Nothing but `CommandError`'s reply comes of bad input; `LocalProtocolError` means that our own server
is wrong.
"""

import enum
from typing import Final, Literal

from crockery import limits
from crockery.smtp.wire import commands, extensions, replies
from crockery.smtp.wire.commands import (
    Answer,
    Auth,
    AuthResponse,
    Bdat,
    DataChunk,
    DataEnd,
    DataStart,
    Hello,
    Mail,
    Quit,
    Rcpt,
    Reset,
    StartTLS,
)
from crockery.smtp.wire.errors import LocalProtocolError
from crockery.smtp.wire.extensions import Offer
from crockery.smtp.wire.framer import Content, ContentFault, Framer, LineFault
from crockery.smtp.wire.replies import CommandError, Reply


class State(enum.Enum):
    """Where the session stands. The first five await a command, the others what their comment says."""

    FRESH = enum.auto()  # no EHLO yet
    READY = enum.auto()  # greeted, no transaction
    MAIL = enum.auto()  # a transaction without recipient
    RCPT = enum.auto()  # ... with a recipient at least
    BDAT = enum.auto()  # ... with chunks of its message, not the last
    AUTH = enum.auto()  # the client's turn in a SASL exchange
    DATA = enum.auto()  # content up to the end of data
    CHUNK = enum.auto()  # content up to the end of the chunk
    HANDSHAKE = enum.auto()  # TLS is being negotiated; `start_tls` comes next
    CLOSED = enum.auto()  # nothing


class Pause(enum.Enum):
    """Why there is no command."""

    NEED_MORE = enum.auto()
    CLOSED = enum.auto()


NEED_MORE: Final = Pause.NEED_MORE
CLOSED: Final = Pause.CLOSED

# Commands of a client, each to be answered; then what else `next_command` returns.
Pending = Hello | StartTLS | Auth | AuthResponse | Mail | Rcpt | DataStart | DataEnd | Reset | Quit | Answer
Command = Pending | DataChunk | Literal[Pause.NEED_MORE, Pause.CLOSED]

_OK: Final = None
_HELLO: Final = replies.HELLO_FIRST
_MAIL: Final = replies.MAIL_FIRST
_BUSY: Final = replies.IN_TRANSACTION
_RCPT: Final = replies.NO_RECIPIENTS
_BDAT: Final = replies.BDAT_BEGUN

# Which verb is legal where, and the reply where it is not (RFC 5321 §4.1.4).
_COLUMNS: Final = (State.FRESH, State.READY, State.MAIL, State.RCPT, State.BDAT)
_GRID: Final[dict[str, tuple[Reply | None, ...]]] = {
    "EHLO": (_OK, _OK, _OK, _OK, _OK),
    "HELO": (_OK, _OK, _OK, _OK, _OK),
    "STARTTLS": (_HELLO, _OK, _BUSY, _BUSY, _BUSY),
    "AUTH": (_HELLO, _OK, _BUSY, _BUSY, _BUSY),
    "MAIL": (_HELLO, _OK, _BUSY, _BUSY, _BUSY),
    "RCPT": (_HELLO, _MAIL, _OK, _OK, _BDAT),
    "DATA": (_HELLO, _MAIL, _RCPT, _OK, _BDAT),
    "BDAT": (_HELLO, _MAIL, _RCPT, _OK, _OK),
    "RSET": (_OK, _OK, _OK, _OK, _OK),
    "NOOP": (_OK, _OK, _OK, _OK, _OK),
    "HELP": (_OK, _OK, _OK, _OK, _OK),
    "VRFY": (_OK, _OK, _OK, _OK, _OK),
    "EXPN": (_OK, _OK, _OK, _OK, _OK),
    "QUIT": (_OK, _OK, _OK, _OK, _OK),
}

_LINE_REPLIES: Final = {
    LineFault.TOO_LONG: replies.LINE_TOO_LONG,
    LineFault.BARE_NEWLINE: replies.BARE_NEWLINE_IN_COMMAND,
}
_CONTENT_REPLIES: Final = {
    ContentFault.BARE_NEWLINE: replies.BARE_NEWLINE,
    ContentFault.NUL: replies.NUL,
    ContentFault.TOO_BIG: replies.TOO_BIG,
    ContentFault.LINE_TOO_LONG: replies.TEXT_LINE_TOO_LONG,
}


class ServerProtocol:
    """One connection, from the greeting on.

    Attributes: `offer` is what is offered now; `hello` and `mail` what the client said last, if it was accepted;
    `authenticated` whether a 235 was sent; `error_count` how many negative replies were sent (the server decides how
    many are too many); `state` where the session stands.
    """

    def __init__(self, offer: Offer) -> None:
        self._offer(offer)
        self.state = State.FRESH
        self.hello: Hello | None = None
        self.mail: Mail | None = None
        self.authenticated = False
        self.error_count = 0
        self._framer = Framer()
        self._eof = False
        self._pending: Pending | None = None
        self._transactions = 0
        self._recipients = 0
        self._domains: set[str] = set()
        self._content = Content(0)
        self._content_ended = False
        self._chunk = Bdat(0, False)
        self._chunk_refusal: Reply | None = None  # the chunk is thrown away; this reply follows it
        self._chunk_return = State.READY  # and then this state

    def _offer(self, offer: Offer) -> None:
        self.offer = offer
        self._mail_parameters = extensions.mail_parameters(offer)
        self._rcpt_parameters = extensions.rcpt_parameters(offer)

    # --- octets in, commands out ---

    def receive_data(self, data: bytes) -> None:
        """Add octets as they came; b"" says that the peer closed its side."""
        if data:
            self._framer.receive(data)
        else:
            self._eof = True

    def next_command(self) -> Command:
        """The next command or piece of content; NEED_MORE: call `receive_data`; CLOSED: close the connection.

        Raises LocalProtocolError if the last command is not answered yet, or if TLS is not settled.
        """
        if self._pending is not None:
            raise LocalProtocolError(f"{self._pending!r} is not answered")
        if self.state is State.HANDSHAKE:
            raise LocalProtocolError("start_tls comes next")
        if self.state is State.CLOSED:
            return CLOSED
        command = self._read()
        if command is NEED_MORE:
            return CLOSED if self._eof else NEED_MORE
        if not isinstance(command, DataChunk | Pause):
            self._pending = command
        return command

    def _read(self) -> Command:
        match self.state:
            case State.DATA:
                return self._read_data()
            case State.CHUNK:
                return self._read_chunk()
            case State.AUTH:
                return self._read_response()
            case _:
                return self._read_command()

    def _read_response(self) -> Command:
        line = self._framer.next_line(limits.SMTP_MAX_AUTH_LINE)
        if line is None:
            return NEED_MORE
        if isinstance(line, LineFault):
            self.state = State.READY
            return Answer(replies.AUTH_TOO_LONG if line is LineFault.TOO_LONG else _LINE_REPLIES[line])
        return AuthResponse(line)

    def _read_command(self) -> Command:
        framer = self._framer
        if self.state is State.FRESH and framer.peek(2) == b"\x16\x03":  # a TLS ClientHello
            return Answer(replies.TLS_NOT_HERE)
        is_auth = framer.peek(5).upper() == b"AUTH "
        line = framer.next_line(limits.SMTP_MAX_AUTH_LINE if is_auth else limits.SMTP_MAX_COMMAND_LINE)
        if line is None:
            return NEED_MORE
        if isinstance(line, LineFault):
            return Answer(_LINE_REPLIES[line])
        try:
            verb, argument = commands.split_line(line)
            return self._command(verb, argument)
        except CommandError as error:
            return Answer(error.reply)

    def _command(self, verb: str, argument: bytes) -> Command:
        """One command line: is it legal here, is it well formed, is it allowed."""
        row = _GRID.get(verb)
        if row is None:
            raise CommandError(replies.NOT_SMTP if verb in commands.HTTP_VERBS else replies.UNKNOWN_COMMAND)
        refusal = row[_COLUMNS.index(self.state)]
        if verb == "BDAT":
            return self._begin_chunk(commands.parse_bdat(argument), refusal)
        if refusal is not None:
            raise CommandError(refusal)
        match verb:
            case "EHLO" | "HELO":
                return commands.parse_hello(argument, extended=verb == "EHLO")
            case "MAIL":
                return self._check_mail(argument)
            case "RCPT":
                return self._check_rcpt(argument)
            case "AUTH":
                return self._check_auth(argument)
            case "NOOP":
                return Answer(replies.OK)
            case "HELP":
                return Answer(replies.HELP)
            case "VRFY" | "EXPN":
                commands.needs_argument(argument)
                return Answer(replies.CANNOT_VERIFY if verb == "VRFY" else replies.NOT_IMPLEMENTED)
        commands.no_argument(argument)
        match verb:
            case "STARTTLS":
                if not self.offer.can_start_tls:
                    raise CommandError(replies.NO_STARTTLS)
                return StartTLS()
            case "DATA":
                return DataStart()
            case "RSET":
                return Reset()
            case _:
                return Quit()

    # --- what is allowed ---

    def _check_mail(self, argument: bytes) -> Mail:
        if self.offer.is_submission and not self.authenticated:
            raise CommandError(replies.AUTH_REQUIRED if self.offer.auth_mechs else replies.TLS_REQUIRED)
        mail = commands.parse_mail(argument, self._mail_parameters if self._is_extended else {})
        if self.offer.max_transactions is not None and self._transactions >= self.offer.max_transactions:
            raise CommandError(replies.TOO_MANY_TRANSACTIONS)
        if mail.size is not None and mail.size > self.offer.max_size:
            raise CommandError(replies.TOO_BIG)
        return mail

    def _check_rcpt(self, argument: bytes) -> Rcpt:
        known = self._rcpt_parameters if self._is_extended else {}
        rcpt = commands.parse_rcpt(argument, known, smtputf8=self.mail is not None and self.mail.smtputf8)
        if self._recipients >= self.offer.max_recipients:
            raise CommandError(replies.TOO_MANY_RECIPIENTS)
        max_domains = self.offer.max_rcpt_domains
        if max_domains is not None and len(self._domains | {rcpt.forward_path.domain}) > max_domains:
            raise CommandError(replies.TOO_MANY_DOMAINS)
        return rcpt

    def _check_auth(self, argument: bytes) -> Auth:
        if not self.offer.auth_mechs:
            raise CommandError(replies.TLS_REQUIRED if self.offer.is_submission else replies.NO_AUTH)
        if self.authenticated:
            raise CommandError(replies.ALREADY_AUTHENTICATED)
        auth = commands.parse_auth(argument)
        if auth.mechanism not in self.offer.auth_mechs:
            raise CommandError(replies.UNKNOWN_MECHANISM)
        return auth

    @property
    def _is_extended(self) -> bool:
        return self.hello is not None and self.hello.extended

    # --- content ---

    def _read_data(self) -> Command:
        if not self._content_ended:
            data, self._content_ended = self._framer.next_data()
            if data:
                return DataChunk(data)
        return self._end_of_content() if self._content_ended else NEED_MORE

    def _begin_chunk(self, chunk: Bdat, refusal: Reply | None) -> Command:
        """BDAT: its octets follow whether it is legal or not, so the reply of an illegal one waits for them."""
        self._chunk = chunk
        self._chunk_return = self.state
        if refusal is None and self.state is State.RCPT:
            return DataStart(chunking=True)
        self._chunk_refusal = refusal
        self._framer.begin_chunk(chunk.size, self._content if refusal is None else None)
        self.state = State.CHUNK
        return self._read_chunk()

    def _read_chunk(self) -> Command:
        data, ended = self._framer.next_chunk()
        if data:
            return DataChunk(data)
        if not ended:
            return NEED_MORE
        if self._chunk_refusal is not None:
            self.state = self._chunk_return
            return Answer(self._chunk_refusal)
        if self._chunk.last or self._content.fault is not None:
            return self._end_of_content()
        self.state = State.BDAT
        return Answer(replies.chunk_received(self._chunk.size))

    def _end_of_content(self) -> DataEnd:
        fault = self._content.finish()
        return DataEnd(self._content.size, _CONTENT_REPLIES[fault] if fault is not None else None)

    # --- replies out ---

    def send(self, reply: Reply) -> bytes:
        """Answer the last command; the octets to write, which may be gathered until NEED_MORE (RFC 2920).

        Unasked, only the greeting and replies that close may be sent. To a BDAT the octets may be none: its chunk
        comes first. Raises LocalProtocolError for any other reply out of turn.
        """
        pending, self._pending = self._pending, None
        if pending is None and not (reply.closes or (self.state is State.FRESH and reply.code in (220, 554))):
            raise LocalProtocolError(f"nobody asked for {reply!r}")
        if self.state is State.CLOSED:
            raise LocalProtocolError("the connection is closed")
        self.error_count += not reply.is_positive
        if reply.closes:
            self.state = State.CLOSED
            return reply.render()
        silent = isinstance(pending, DataStart) and pending.chunking
        if pending is not None:
            self._settle(pending, reply)
        return b"" if silent else reply.render()

    def _settle(self, pending: Pending, reply: Reply) -> None:
        """The state after `pending` was answered by `reply`."""
        match pending:
            case Hello() if reply.is_positive:
                self.hello = pending
                self._end_transaction()
            case Mail() if reply.is_positive:
                self.mail, self.state = pending, State.MAIL
                self._transactions += 1
            case Rcpt() if reply.is_positive:
                self._recipients += 1
                self._domains.add(pending.forward_path.domain)
                self.state = State.RCPT
            case DataStart():
                self._start_content(pending, reply)
            case DataEnd() | Reset():
                if isinstance(pending, DataEnd) and pending.refusal is not None and reply.is_positive:
                    raise LocalProtocolError("a refused message was accepted")
                self._end_transaction()
            case Auth() | AuthResponse():
                self.state = State.AUTH if reply.code == 334 else State.READY
                self.authenticated = reply.code == 235
            case StartTLS() if reply.is_positive:
                self.state = State.HANDSHAKE

    def _start_content(self, start: DataStart, reply: Reply) -> None:
        if reply.is_positive and reply.code != 354:
            raise LocalProtocolError("the answer to DataStart is START_INPUT or a refusal")
        self._content = Content(self.offer.max_size, refuse_nul=self.offer.is_submission)
        self._content_ended = False
        if not reply.is_positive:
            self._end_transaction()
        if start.chunking:
            self._chunk_refusal = None if reply.is_positive else reply
            self._chunk_return = State.READY
            self._framer.begin_chunk(self._chunk.size, self._content if reply.is_positive else None)
            self.state = State.CHUNK
        elif reply.is_positive:
            self._framer.begin_data(self._content)
            self.state = State.DATA

    def _end_transaction(self) -> None:
        self.mail = None
        self._recipients = 0
        self._domains.clear()
        self.state = State.READY if self.hello is not None else State.FRESH

    def hello_reply(self, hello: Hello) -> Reply:
        """The reply that accepts `hello`: to EHLO with all that is offered."""
        keywords = extensions.render_keywords(self.offer) if hello.extended else ()
        return replies.hello(self.offer.hostname, keywords)

    def start_tls(self, offer: Offer) -> None:
        """TLS is established: begin anew under `offer`, knowing nothing that was said in the clear (RFC 3207 §4.2).

        Octets that came in the clear behind STARTTLS are dropped unread.
        """
        if self.state is not State.HANDSHAKE:
            raise LocalProtocolError("there was no STARTTLS")
        self._offer(offer)
        self.hello, self.authenticated = None, False
        self._framer.discard_buffer()
        self._end_transaction()
