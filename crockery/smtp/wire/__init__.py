"""SMTP on the wire: octets in, commands out; replies in, octets out. No socket, no clock, no await.

The tour:

- `ServerProtocol` (server.py) is the state machine that a server drives: `receive_data`, `next_command`, `send`.
- `Offer` (extensions.py) says what this connection may use. The table of extensions there is the one place for new
  ones.
- The commands (commands.py) are frozen values: `Hello`, `StartTLS`, `Auth`, `AuthResponse`, `Mail`, `Rcpt`,
  `DataStart`, `DataChunk`, `DataEnd`, `Reset`, `Quit`, and `Answer` for all that needs no decision, errors too.
- `replies` is the table of every reply; `Reply` its type.
- `Mailbox`, `parse_mailbox`, `normalise_domain`, `display_domain` (address.py) are the addresses of the envelope.
- `received` renders Received, Return-Path and Delivered-To.
- `client` is the other side: `ClientProtocol` sends mail on; `client_commands`, `client_replies` and `capabilities` are
  what it says, what it hears, and what the remote server offers; `client_events` what comes of it, `client_kinds` the
  time limits.
- `framer` is below all that: lines, end of data, chunks, and the refusal of bare CR and LF.

A session is this loop; every command but `DataChunk` is answered exactly once, in order, and octets to write are
gathered until more must be read, which is all there is to pipelining:

    protocol, out = ServerProtocol(offer), b""
    out += protocol.send(replies.greeting(offer.hostname))
    while (command := protocol.next_command()) is not CLOSED:
        match command:
            case Pause.NEED_MORE:                       # all that came is dealt with: write, then read
                await stream.send_all(out)
                out = b""
                protocol.receive_data(await stream.receive_some())
            case Answer(reply):   out += protocol.send(reply)
            case Hello():         out += protocol.send(protocol.hello_reply(command))
            case Mail():          envelope = [command]; out += protocol.send(replies.SENDER_OK)
            case Rcpt():          envelope.append(command); out += protocol.send(replies.RECIPIENT_OK)
            case DataStart():     body = []; out += protocol.send(replies.START_INPUT)
            case DataChunk(data): body.append(data)
            case DataEnd(size, refusal):
                out += protocol.send(refusal or await deliver(envelope, body))
            case Reset():         out += protocol.send(replies.OK)
            case Quit():          out += protocol.send(replies.BYE)
            case StartTLS():
                await stream.send_all(out + protocol.send(replies.READY_FOR_TLS))
                out, stream = b"", await handshake(stream)
                protocol.start_tls(tls_offer)
            case Auth() | AuthResponse():
                out += protocol.send(next_turn(command))        # challenge(...), AUTHENTICATED or AUTH_FAILED
    await stream.send_all(out)

To refuse, send another reply of the table. Whoever closes for a reason of his own sends SHUTTING_DOWN, IDLE_TOO_LONG or
TOO_MANY_ERRORS at any time. Hello ends a transaction as Reset does; DataEnd ends one whatever the answer is.
"""

from crockery.smtp.wire import received, replies
from crockery.smtp.wire.address import (
    AddressError,
    Mailbox,
    PathTooLong,
    display_domain,
    normalise_domain,
    parse_domain,
    parse_mailbox,
    parse_path,
)
from crockery.smtp.wire.commands import (
    Answer,
    Auth,
    AuthResponse,
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
from crockery.smtp.wire.replies import CommandError, Reply
from crockery.smtp.wire.server import CLOSED, NEED_MORE, Command, Pause, ServerProtocol, State

__all__ = [
    "CLOSED",
    "NEED_MORE",
    "AddressError",
    "Answer",
    "Auth",
    "AuthResponse",
    "Command",
    "CommandError",
    "DataChunk",
    "DataEnd",
    "DataStart",
    "Hello",
    "LocalProtocolError",
    "Mail",
    "Mailbox",
    "Offer",
    "PathTooLong",
    "Pause",
    "Quit",
    "Rcpt",
    "Reply",
    "Reset",
    "ServerProtocol",
    "StartTLS",
    "State",
    "display_domain",
    "normalise_domain",
    "parse_domain",
    "parse_mailbox",
    "parse_path",
    "received",
    "replies",
]
