"""A scripted server on `ServerProtocol`, so that tests speak in octets and look at what was decided."""

import dataclasses
from collections.abc import Iterable

from crockery.smtp.wire import (
    CLOSED,
    NEED_MORE,
    Answer,
    Auth,
    AuthResponse,
    Command,
    DataChunk,
    DataEnd,
    DataStart,
    Hello,
    Mail,
    Offer,
    Quit,
    Rcpt,
    Reply,
    Reset,
    ServerProtocol,
    StartTLS,
    replies,
)

MX = Offer(hostname="mx.example.test")
LETTER_OPENING = b"EHLO c.test\r\nMAIL FROM:<a@c.test>\r\nRCPT TO:<b@example.test>\r\n"


@dataclasses.dataclass
class Session:
    """All that came of one connection: commands seen (content joined into `messages`), codes and octets sent."""

    protocol: ServerProtocol
    commands: list[Command] = dataclasses.field(default_factory=list)
    messages: list[bytes | None] = dataclasses.field(default_factory=list)  # None: refused
    sent: bytes = b""
    last: Command = NEED_MORE
    chunks: list[bytes] = dataclasses.field(default_factory=list)
    choices: dict[type, Reply] = dataclasses.field(default_factory=dict)

    @property
    def codes(self) -> list[int]:
        """The reply codes sent, one for each reply."""
        return [int(line[:3]) for line in self.sent.split(b"\r\n") if line[3:4] == b" "]

    def feed(self, data: bytes) -> "Session":
        """Give `data` and deal with all commands that come of it."""
        self.protocol.receive_data(data)
        while (command := self.protocol.next_command()) is not NEED_MORE and command is not CLOSED:
            if isinstance(command, DataChunk):
                assert command.data
                self.chunks.append(command.data)
                continue
            self.commands.append(command)
            self.sent += self.protocol.send(self.answer(command))
            if isinstance(command, DataEnd):
                self.messages.append(None if command.refusal else b"".join(self.chunks))
                assert command.refusal or command.size == len(self.messages[-1] or b"")
            if isinstance(command, DataEnd | Reset | Hello):
                self.chunks = []
            if isinstance(command, StartTLS):
                break
        self.last = command
        return self

    def answer(self, command: Command) -> Reply:
        """What a server that says yes to everything would say, but for `choices`."""
        if type(command) in self.choices:
            return self.choices[type(command)]
        match command:
            case Answer(reply):
                return reply
            case Hello():
                return self.protocol.hello_reply(command)
            case Mail():
                return replies.SENDER_OK
            case Rcpt():
                return replies.RECIPIENT_OK
            case DataStart():
                return replies.START_INPUT
            case DataEnd(refusal=refusal):
                return refusal or replies.ACCEPTED
            case Auth():
                return replies.challenge(b"")
            case AuthResponse():
                return replies.AUTHENTICATED
            case StartTLS():
                return replies.READY_FOR_TLS
            case Quit():
                return replies.BYE
            case _:
                return replies.OK


def converse(pieces: Iterable[bytes], offer: Offer = MX, choices: dict[type, Reply] | None = None) -> Session:
    """A connection on which the pieces come one after another."""
    session = Session(ServerProtocol(offer), choices=choices or {})
    for piece in pieces:
        if session.last is not CLOSED:
            session.feed(piece)
    return session


def cuttings(data: bytes) -> Iterable[list[bytes]]:
    """`data` whole, byte by byte, and cut in two at every place (at some hundred places if it is long)."""
    yield [data]
    yield [data[at : at + 1] for at in range(len(data))]
    step = max(1, len(data) // 200)
    for at in range(1, len(data), step):
        yield [data[:at], data[at:]]
