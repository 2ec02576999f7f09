"""The client's half of an SMTP connection as a state machine without I/O, in the manner of h11.

RFC 5321 §3.1 to §3.3 and §4.1.4 (order of commands), §4.2 (replies), §4.5.3.2 (timeouts), RFC 2920 (pipelining),
RFC 3030 (BDAT), RFC 3207 (STARTTLS), RFC 4954 (AUTH).

Theory of operation: a method says what is to happen next and queues command lines; `data_to_send` gives the octets for
the server; replies go in by `receive_data`; `next_event` says what has happened, or None: send, then read on. Each
method is answered by one event: `Greeted` comes unasked, `hello` brings `HelloAnswered`, `start_tls` `TLSAnswered`,
`authenticate` `AuthAnswered`; `mail` brings `EnvelopeAnswered`, and if that has accepted recipients, `body` and `end`
bring `MessageAnswered`; `quit` brings `Closed`. The loop of a caller:

    async def next_event():
        while (event := client.next_event()) is None:
            await stream.send(client.data_to_send())
            client.receive_data(await stream.receive(client.timeout))      # or client.abandon(...) when that fails
        return event

Invariants: replies belong to commands one to one and in order. Every end, be it 421, the end of the stream, a server
that does not speak SMTP, or `abandon` after a timeout, first settles what is open (each recipient gets its reply) and
then gives `Closed`; remote octets raise nothing. A reply that comes before its command is not believed. Bare CR or LF
never leaves. `MessageAnswered.is_uncertain` is the one case in which nobody knows whether the mail arrived.
"""

import base64
import collections
import enum
import sys
from typing import Final

from crockery import limits
from crockery.smtp.wire import client_commands
from crockery.smtp.wire.capabilities import Capabilities, parse_capabilities
from crockery.smtp.wire.client_commands import Transaction, command_line
from crockery.smtp.wire.client_events import (
    AuthAnswered,
    Closed,
    EnvelopeAnswered,
    Event,
    Greeted,
    HelloAnswered,
    MessageAnswered,
    TLSAnswered,
)
from crockery.smtp.wire.client_kinds import TIMEOUTS, Kind, Sent
from crockery.smtp.wire.client_replies import ReplyError, ReplyReader
from crockery.smtp.wire.errors import LocalProtocolError
from crockery.smtp.wire.framer import Content, ContentFault
from crockery.smtp.wire.replies import Reply

LOST: Final = Reply(421, "4.4.2", "The receiving server closed the connection without a word")
TIMED_OUT: Final = Reply(421, "4.4.2", "The receiving server did not answer in time")
NO_MECHANISM: Final = Reply(504, "5.5.4", "The server offers neither PLAIN nor LOGIN")


class Stage(enum.Enum):
    """Where the connection stands."""

    CONNECTED = enum.auto()  # the greeting is awaited
    GREETED = enum.auto()  # `hello` comes next
    READY = enum.auto()  # `start_tls`, `authenticate`, `mail` or `quit` may be called
    ASKING = enum.auto()  # the answer to hello, start_tls or authenticate is awaited
    HANDSHAKE = enum.auto()  # `tls_started` comes next
    ENVELOPE = enum.auto()  # the answers to MAIL, RCPT and DATA are awaited
    CONTENT = enum.auto()  # `body` and `end` may be called
    ENDING = enum.auto()  # the answer to the message is awaited
    CLOSED = enum.auto()


class ClientProtocol:
    """One connection, from the greeting on.

    Attributes: `stage`; `capabilities` of the last hello; `tls` whether `tls_started` was called; `authenticated`;
    `transactions` how many messages were answered; `replies` how many replies were taken.
    """

    def __init__(
        self, hostname: str, *, window: int = limits.SMTP_CLIENT_WINDOW, max_reply: int = limits.SMTP_CLIENT_MAX_REPLY
    ) -> None:
        """`hostname` is what we say in EHLO: a domain or an address literal."""
        self.stage = Stage.CONNECTED
        self.capabilities = Capabilities()
        self.tls = False
        self.authenticated = False
        self.transactions = 0
        self.replies = 0
        self._hostname = hostname
        self._window = window
        self._reader = ReplyReader(max_reply)
        self._events: collections.deque[Event] = collections.deque()
        self._out: list[bytes] = []
        self._queue: collections.deque[Sent] = collections.deque()  # not sent yet
        self._awaiting = collections.deque([Sent(Kind.GREETING, b"")])  # sent, not answered
        self._spoke_unasked = False
        self._secrets: list[bytes] = []  # what AUTH still has to say
        self._needs_reset = False  # the server still has a transaction open
        self._replies: list[Reply | None] = []  # of the transaction's recipients
        self._mail_refusal: Reply | None = None
        self._content = Content(0)
        self._tail = b""  # the last two octets of content
        self._chunking = False

    # --- what the caller's loop needs ---

    def data_to_send(self) -> bytes:
        """The octets to write now; b"" if there are none. They count as sent."""
        out, self._out = b"".join(self._out), []
        return out

    def receive_data(self, data: bytes) -> None:
        """Add octets as they came; b"" says that the server closed its side."""
        if data:
            self._reader.receive(data)
        elif self.stage is not Stage.CLOSED:
            self._drain()
            self.abandon(LOST)

    def next_event(self) -> Event | None:
        """What has happened, or None: write `data_to_send`, then read. After `Closed` there is nothing any more."""
        self._drain()
        return self._events.popleft() if self._events else None

    @property
    def timeout(self) -> float:
        """Seconds that the server may take for its next reply, or for the next block of content."""
        if self.stage is Stage.CONTENT:
            return limits.SMTP_DATA_BLOCK_TIMEOUT
        return TIMEOUTS.get(self._awaiting[0].kind, limits.SMTP_MAIL_TIMEOUT) if self._awaiting else 0.0

    @property
    def may_send_more(self) -> bool:
        """Whether another `mail` is welcome: the stage is READY, and MAILMAX (RFC 9422) is not reached."""
        maximum = self.capabilities.limit("MAILMAX")
        return self.stage is Stage.READY and (maximum is None or self.transactions < maximum)

    def abandon(self, reply: Reply) -> None:
        """The connection is over, `reply` says why: settle what is open. Nothing if it is over already."""
        self._close(reply, is_uncertain=self.stage is Stage.ENDING)

    def _close(self, reply: Reply, *, is_uncertain: bool = False) -> None:
        stage, self.stage = self.stage, Stage.CLOSED
        if stage is Stage.CLOSED:
            return
        if stage is Stage.ENVELOPE:
            self._settle_envelope(reply)
        elif stage in (Stage.CONTENT, Stage.ENDING):
            self._events.append(MessageAnswered(reply, is_uncertain))
        self._events.append(Closed(reply))
        self._reader.discard()
        self._awaiting.clear()
        self._queue.clear()
        self._out.clear()

    def _break(self, what: str) -> None:
        """The server broke the protocol: nothing it says from here on can be believed."""
        self.abandon(Reply(421, "4.5.0", f"The receiving server broke the protocol: {what}"))

    # --- what may be said ---

    def hello(self) -> None:
        """Say EHLO, and HELO if the server does not know that (RFC 5321 section 3.2)."""
        self._expect(Stage.GREETED, Stage.READY)
        self._ask(Kind.EHLO, command_line(f"EHLO {self._hostname}"))

    def start_tls(self) -> None:
        """Say STARTTLS; only if the capabilities have it."""
        self._expect(Stage.READY)
        self._ask(Kind.STARTTLS, b"STARTTLS\r\n")

    def tls_started(self) -> None:
        """The handshake is done: begin anew with `hello`, knowing nothing said in the clear (RFC 3207 section 4.2).

        For TLS from the first octet, call it before anything was received.
        """
        self._expect(Stage.HANDSHAKE, Stage.CONNECTED)
        self._reader.discard()
        self.capabilities, self.tls = Capabilities(), True
        if self.stage is Stage.HANDSHAKE:
            self.stage = Stage.GREETED

    def authenticate(self, name: str, password: str) -> None:
        """Log in with PLAIN (RFC 4616), else LOGIN. Whether the connection is safe enough is the caller's to know."""
        self._expect(Stage.READY)
        mechanisms = self.capabilities.auth_mechs
        user, secret = name.encode(), password.encode()
        if "PLAIN" in mechanisms:
            initial = base64.b64encode(b"\0" + user + b"\0" + secret)
            self._secrets = [initial, b"*"]  # for servers that ask for it once more; then cancel
            self._ask(Kind.AUTH, b"AUTH PLAIN " + initial + b"\r\n")
        elif "LOGIN" in mechanisms:
            self._secrets = [base64.b64encode(user), base64.b64encode(secret), b"*"]
            self._ask(Kind.AUTH, b"AUTH LOGIN\r\n")
        else:
            self._events.append(AuthAnswered(NO_MECHANISM))

    def mail(self, transaction: Transaction) -> None:
        """Begin a transaction; `client_commands.obstacle` says beforehand whether the server can take it."""
        self._expect(Stage.READY)
        offered = self.capabilities
        refusal = client_commands.obstacle(transaction, offered)
        if refusal is not None or not transaction.recipients:
            raise LocalProtocolError(refusal.text if refusal else "a transaction without recipients")
        lines = [Sent(Kind.MAIL, client_commands.mail_line(transaction, offered))]
        for index, recipient in enumerate(transaction.recipients):
            lines.append(Sent(Kind.RCPT, client_commands.rcpt_line(recipient, transaction, offered), index))
        self._chunking = "CHUNKING" in offered and "PIPELINING" in offered
        if not self._chunking:
            lines.append(Sent(Kind.DATA, b"DATA\r\n"))
        if self._needs_reset:
            lines.insert(0, Sent(Kind.RSET, b"RSET\r\n"))
        self._replies = [None] * len(transaction.recipients)
        self._mail_refusal = None
        self._needs_reset = False
        self._say(Stage.ENVELOPE, lines)

    def body(self, data: bytes) -> None:
        """The next piece of content, as it is stored: CRLF lines, without dot transparency.

        Raises LocalProtocolError for what others could read as the end of the content; then only `abandon` is left.
        """
        self._expect(Stage.CONTENT)
        if not data:
            return
        self._content.admit(data)
        self._refuse_false_ends()
        if self._chunking:
            self._out += [b"BDAT %d\r\n" % len(data), data]
            self._awaiting.append(Sent(Kind.CHUNK, b""))
        else:
            self._out.append((self._tail + data).replace(b"\r\n.", b"\r\n..")[2:])
        self._tail = (self._tail + data[-2:])[-2:]

    def end(self) -> None:
        """The content is whole: a CRLF is added if it lacks one, and the end is told."""
        self._expect(Stage.CONTENT)
        self._content.finish()
        self._refuse_false_ends()
        missing = b"" if self._tail == b"\r\n" else b"\r\n"
        if self._chunking:
            self._out.append(b"BDAT %d LAST\r\n" % len(missing) + missing)
        else:
            self._out.append(missing + b".\r\n")
        self.stage = Stage.ENDING
        self._awaiting.append(Sent(Kind.END, b""))

    def quit(self) -> None:
        """Say goodbye; nobody need wait for `Closed`."""
        self._expect(Stage.GREETED, Stage.READY)
        self._ask(Kind.QUIT, b"QUIT\r\n")

    def _refuse_false_ends(self) -> None:
        if self._content.fault in (ContentFault.BARE_NEWLINE, ContentFault.NUL):
            raise LocalProtocolError("a bare CR or LF, or a dot behind NULs, in outgoing content")

    def _expect(self, *stages: Stage) -> None:
        if self.stage not in stages:
            raise LocalProtocolError(f"not legal in stage {self.stage.name}")

    def _ask(self, kind: Kind, line: bytes) -> None:
        """A command that stands alone."""
        self._say(Stage.ASKING, [Sent(kind, line)])

    def _say(self, stage: Stage, commands: list[Sent]) -> None:
        """Go to `stage` and send, unless the server has spoken unasked: its words would be taken for the answer."""
        self.stage = stage
        self._drain()
        if self._spoke_unasked or (not self._awaiting and not self._reader.is_empty):
            self._break("a reply before it was due")
        if self.stage is stage:
            self._queue.extend(commands)
            self._pump()

    def _pump(self) -> None:
        """Send what may be sent now: one command at a time, or a window of them (RFC 2920)."""
        window = self._window if "PIPELINING" in self.capabilities else 1
        while self._queue and len(self._awaiting) < window:
            command = self._queue.popleft()
            if command.kind is Kind.DATA and not self._awaiting and not self._accepted():
                self._queue.clear()
                break
            self._out.append(command.line)
            self._awaiting.append(command)

    def _accepted(self) -> tuple[int, ...]:
        return tuple(index for index, reply in enumerate(self._replies) if reply is not None and reply.is_positive)

    # --- replies ---

    def _drain(self) -> None:
        """Take all replies that are there."""
        while self.stage is not Stage.CLOSED:
            try:
                reply = self._reader.next_reply()
            except ReplyError as error:
                self._break(str(error))
                return
            if reply is None:
                return
            self._take(reply)

    def _take(self, reply: Reply) -> None:
        self.replies += 1
        if reply.code == 421:
            self._close(reply)
        elif self._awaiting:
            self._take_answer(self._awaiting.popleft(), reply)
        elif self.stage is Stage.CONTENT and not reply.is_positive:
            self._close(reply)  # refused in the middle: what follows would be read as commands
        elif self.stage in (Stage.GREETED, Stage.READY):
            self._spoke_unasked = True  # told when something is asked: whoever asks gets an answer
        else:
            self._break(f"{reply.code} though nothing was asked")

    def _take_answer(self, command: Sent, reply: Reply) -> None:
        kind = command.kind
        if 300 <= reply.code < 400 and not (kind is Kind.DATA or (kind is Kind.AUTH and reply.code == 334)):
            self._break(f"{reply.code} to {kind.name}")
            return
        match kind:
            case Kind.GREETING:
                self.stage = Stage.GREETED
                self._events.append(Greeted(reply))
            case Kind.EHLO | Kind.HELO:
                self._take_hello(kind, reply)
            case Kind.STARTTLS:
                self.stage = Stage.HANDSHAKE if reply.is_positive else Stage.READY
                self._events.append(TLSAnswered(reply, self._reader.discard() if reply.is_positive else 0))
            case Kind.AUTH:
                self._take_auth(reply)
            case Kind.MAIL if not reply.is_positive:
                self._mail_refusal = reply
                self._queue.clear()
            case Kind.RCPT:
                self._replies[command.recipient] = reply
            case Kind.DATA:
                self._take_data(reply)
            case Kind.CHUNK | Kind.END:
                self._take_content(kind, reply)
            case Kind.QUIT:
                self._close(reply)
        self._pump()
        if self.stage is Stage.ENVELOPE and not self._awaiting:
            self._end_envelope()

    def _take_hello(self, kind: Kind, reply: Reply) -> None:
        if kind is Kind.EHLO and reply.code >= 500:
            self._queue.append(Sent(Kind.HELO, command_line(f"HELO {self._hostname}")))
            return
        self.stage = Stage.READY if reply.is_positive else Stage.GREETED
        extended = kind is Kind.EHLO and reply.is_positive
        self.capabilities = parse_capabilities(reply) if extended else Capabilities()
        self._needs_reset = False
        self._events.append(HelloAnswered(reply, self.capabilities))

    def _take_auth(self, reply: Reply) -> None:
        if reply.code == 334:
            if self._secrets:
                self._queue.append(Sent(Kind.AUTH, self._secrets.pop(0) + b"\r\n"))
            else:
                self._break("334 without end")
            return
        self.stage = Stage.READY
        self.authenticated = reply.is_positive
        self._events.append(AuthAnswered(reply))

    def _take_data(self, reply: Reply) -> None:
        accepted = () if self._mail_refusal else self._accepted()
        if reply.code != 354:
            if reply.is_positive:
                self._break(f"{reply.code} to DATA")
            for index in accepted:
                self._replies[index] = reply
        elif accepted:
            self._begin_content(accepted)
        else:  # RFC 2920 section 3.1: an empty message ends it
            self._out.append(b".\r\n")
            self._awaiting.append(Sent(Kind.NOBODY, b""))

    def _end_envelope(self) -> None:
        """All is answered, and DATA did not lead to content: go on with BDAT, or it is over."""
        accepted = self._accepted()
        if self._chunking and accepted and not self._mail_refusal:
            self._begin_content(accepted)
            return
        self.stage = Stage.READY
        self._needs_reset = not self._mail_refusal
        self._settle_envelope(None)

    def _settle_envelope(self, reply: Reply | None) -> None:
        """Nobody is accepted: each recipient has MAIL's refusal, else its own, else `reply`."""
        settled = []
        for known in self._replies:
            own = known if known is not None and (reply is None or not known.is_positive) else reply
            settled.append(self._mail_refusal or own or LOST)
        self._events.append(EnvelopeAnswered(tuple(settled), ()))

    def _begin_content(self, accepted: tuple[int, ...]) -> None:
        self.stage = Stage.CONTENT
        self._content = Content(sys.maxsize, sys.maxsize)
        self._tail = b"\r\n"
        self._events.append(EnvelopeAnswered(tuple(reply or LOST for reply in self._replies), accepted))

    def _take_content(self, kind: Kind, reply: Reply) -> None:
        if kind is Kind.CHUNK and reply.is_positive:
            return
        if kind is Kind.CHUNK:  # the chunks sent after this one are answered too, and it does not matter how
            self._awaiting = collections.deque(Sent(Kind.RSET, b"") for _ in self._awaiting)
            self._needs_reset = True
        self.stage = Stage.READY
        self.transactions += 1
        self._events.append(MessageAnswered(reply, False))
