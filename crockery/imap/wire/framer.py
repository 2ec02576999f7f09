"""Bytes from a client in, whole commands out: lines, literals and their continuation requests (RFC 9051 section 4.3).

A command is one line, or several joined by literals: `tag LOGIN {4}` CRLF `anna {6}` CRLF `secret` CRLF. The framer
finds its end, keeps every limit, and stays in step after an error: a refused synchronising literal never arrives, a
refused non-synchronising one (RFC 7888) is skipped with the rest of its command, and only then is the error raised.

Invariants: each byte is looked at once; at most `FramerLimits.command` octets of one command are held, beside what
one `receive_data` brought; large literals of APPEND are handed out in pieces and never held.

A line ends with CRLF or, as Dovecot has it, with a bare LF.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from crockery import limits
from crockery.imap.wire.errors import BadCommand, StreamLost, TooBig

CONTINUE: Final = b"+ OK\r\n"

ANNOUNCEMENT = re.compile(rb"(~?)\{([0-9]{1,20})(\+?)\}\r?\n\Z")
ANNOUNCEMENT_MAX: Final = 32  # octets; the longest text the pattern above can match is 26
TAG = re.compile(rb"[^\x00-\x20\x7f-\xff(){%*\"\\+]+(?= )")
STREAMING_COMMAND = re.compile(rb"\S+ +(?:UID +REPLACE|REPLACE|APPEND) ", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class FramerLimits:
    """Sizes in octets: all lines of one command, one held literal, all that is held of one command, one message."""

    text: int = limits.IMAP_COMMAND_TEXT_MAX
    literal: int = limits.IMAP_LITERAL_MAX
    command: int = limits.IMAP_COMMAND_HELD_MAX
    literals: int = limits.IMAP_LITERALS_MAX
    message: int = limits.IMAP_MESSAGE_MAX
    drain: int = limits.IMAP_DRAIN_MAX


BEFORE_LOGIN: Final = FramerLimits(
    text=limits.IMAP_LOGIN_TEXT_MAX,
    literal=limits.IMAP_LOGIN_LITERAL_MAX,
    command=limits.IMAP_LOGIN_TEXT_MAX * 2,
    literals=4,
    message=limits.IMAP_LOGIN_LITERAL_MAX,
    drain=limits.IMAP_LOGIN_DRAIN_MAX,
)


@dataclass(frozen=True, slots=True)
class Literal:
    """The `index`-th literal of its command. `data` is None for one that was streamed to the caller."""

    index: int
    size: int
    binary: bool
    data: bytes | None


@dataclass(frozen=True, slots=True)
class Frame:
    """A whole command: its lines joined, without the last line end; each literal hangs on the offset it stands at.

    In `text` every announcement is kept as sent with its line end made a single LF, the only LF there can be.
    `partial` marks the head of a command whose streamed literal is still to come.
    """

    text: bytes
    literals: Mapping[int, Literal]
    partial: bool = False


class NeedMore(Enum):
    """The type of NEED_MORE."""

    NEED_MORE = auto()


NEED_MORE: Final = NeedMore.NEED_MORE


@dataclass(frozen=True, slots=True)
class Continuation:
    """The client waits before it sends a literal: send `reply`."""

    reply: bytes = CONTINUE


@dataclass(frozen=True, slots=True)
class LiteralStart:
    """A large literal of APPEND begins. Send `reply` (may be empty) and go on, or call `refuse_literal()`.

    `head` is the command as if it ended with this literal: `parse_command(head)` tells the mailbox before the
    message is received.
    """

    head: Frame
    literal: Literal
    reply: bytes


@dataclass(frozen=True, slots=True)
class LiteralData:
    """The next octets of the literal begun."""

    data: bytes


@dataclass(frozen=True, slots=True)
class LiteralEnd:
    """The literal begun is complete."""

    literal: Literal


@dataclass(frozen=True, slots=True)
class RawLine:
    """The line asked for with `expect_line()`, without its line end."""

    data: bytes


Event = Frame | Continuation | LiteralStart | LiteralData | LiteralEnd | RawLine | NeedMore


class _Mode(Enum):
    LINE = auto()
    HELD_LITERAL = auto()
    STREAMED_LITERAL = auto()
    SKIPPED_LITERAL = auto()
    RAW_LINE = auto()


class Framer:
    """One connection's input. Feed it with `receive_data`, then call `next_event` until it says NEED_MORE."""

    def __init__(self, limits: FramerLimits | None = None) -> None:
        self.limits = limits or FramerLimits()  # may be replaced between commands, as after login
        self._buffer = bytearray()
        self._start_command()

    def _start_command(self) -> None:
        self._mode = _Mode.LINE
        self._scanned = 0  # octets of the buffer known to hold no LF
        self._text = bytearray()
        self._literals: dict[int, Literal] = {}
        self._held = 0  # octets of buffered literals
        self._left = 0  # octets of the present literal not yet seen
        self._literal: Literal | None = None
        self._offered = False  # a LiteralStart is out and its continuation not yet sent
        self._skipping = False  # the rest of this command is of no interest
        self._skipped = 0
        self._error: BadCommand | None = None  # raised when the skipping is done

    def receive_data(self, data: bytes) -> None:
        """Take what the connection brought."""
        self._buffer += data

    def next_event(self) -> Event:
        """The next event. Raises BadCommand (once per unreadable command), StreamLost when there is no going on."""
        while True:
            match self._mode:
                case _Mode.LINE:
                    event = self._read_line()
                case _Mode.HELD_LITERAL:
                    event = self._read_held()
                case _Mode.STREAMED_LITERAL:
                    event = self._read_streamed()
                case _Mode.SKIPPED_LITERAL:
                    event = self._skip_literal()
                case _Mode.RAW_LINE:
                    event = self._read_raw_line()
            if event is not None:
                return event

    def expect_line(self) -> None:
        """The next event is one raw line (AUTHENTICATE responses, the DONE of IDLE), not a command."""
        self._mode = _Mode.RAW_LINE

    @property
    def in_literal(self) -> bool:
        """True from a LiteralStart to its LiteralEnd: `refuse_literal()` may be called."""
        return self._mode is _Mode.STREAMED_LITERAL

    def refuse_literal(self) -> None:
        """Drop the command whose literal has begun: at its LiteralStart, or later. The caller answers it himself."""
        if not self.in_literal:
            raise RuntimeError("no streamed literal has begun")
        if self._offered:
            self._start_command()  # it waits for a continuation that it will not get
        else:
            self._skip(None)

    def take_buffer(self) -> bytes:
        """Remove and return what was received after the last command (it is compressed data after COMPRESS)."""
        data = bytes(self._buffer)
        self._buffer.clear()
        self._start_command()
        return data

    def discard_buffer(self) -> bool:
        """Drop what was sent in plain text after STARTTLS; true if there was anything, which is an attack or a bug."""
        return bool(self.take_buffer())

    def _read_line(self) -> Event | None:
        end = self._buffer.find(b"\n", self._scanned)
        size = len(self._buffer) if end < 0 else end + 1
        if len(self._text) + size > self.limits.text and not self._skipping:
            self._text += self._buffer[:ANNOUNCEMENT_MAX]  # where the tag is, if this is the first line
            self._skip(BadCommand("Command line too long", self._tag()))
        if end < 0:
            if self._skipping:
                del self._buffer[:-ANNOUNCEMENT_MAX]
            self._scanned = len(self._buffer)
            return NEED_MORE
        line = bytes(self._buffer[:size])
        del self._buffer[:size]
        self._scanned = 0
        announced = ANNOUNCEMENT.search(line, max(0, size - ANNOUNCEMENT_MAX)) if line[-3:-1].find(b"}") >= 0 else None
        if announced is not None:
            return self._announce(line, announced)
        if self._skipping:
            self._end_skipping()
            return None
        frame = Frame(bytes(self._text) + line.rstrip(b"\n").removesuffix(b"\r"), self._literals)
        self._start_command()
        return frame

    def _announce(self, line: bytes, announced: re.Match[bytes]) -> Event | None:
        size, waits = int(announced[2]), not announced[3]
        if not self._skipping:
            self._text += line.rstrip(b"\r\n") + b"\n"
            streaming = STREAMING_COMMAND.match(self._text) is not None
            error = self._refusal(size, streaming)
            if error is None:
                literal = Literal(len(self._literals), size, bool(announced[1]), None)
                return self._begin_literal(literal, streaming, waits)
            self._skip(error)
        if waits:
            self._end_skipping()
            return None
        self._skipped += size
        if self._skipped > self.limits.drain:
            self._buffer.clear()
            raise StreamLost("Literal too long", self._tag())
        self._left = size
        self._mode = _Mode.SKIPPED_LITERAL
        return None

    def _refusal(self, size: int, streaming: bool) -> BadCommand | None:
        if len(self._literals) >= self.limits.literals:
            return BadCommand("Too many literals", self._tag())
        if streaming:
            return TooBig("Message too large", self._tag()) if size > self.limits.message else None
        if size > self.limits.literal or self._held + size > self.limits.command:
            return BadCommand("Literal too long", self._tag())
        return None

    def _begin_literal(self, literal: Literal, streaming: bool, waits: bool) -> Event | None:
        self._literal = literal
        self._left = literal.size
        reply = CONTINUE if waits else b""
        if streaming and (literal.size > self.limits.literal or self._held + literal.size > self.limits.command):
            self._literals[len(self._text)] = literal
            self._mode = _Mode.STREAMED_LITERAL
            self._offered = waits
            return LiteralStart(Frame(bytes(self._text), dict(self._literals), partial=True), literal, reply)
        self._mode = _Mode.HELD_LITERAL
        return Continuation() if waits else None

    def _read_held(self) -> Event | None:
        assert self._literal is not None
        if len(self._buffer) < self._left:
            return NEED_MORE
        data = self._take(self._left)
        literal = self._literal
        self._literals[len(self._text)] = Literal(literal.index, literal.size, literal.binary, data)
        self._held += literal.size
        self._mode = _Mode.LINE
        return None

    def _read_streamed(self) -> Event | None:
        assert self._literal is not None
        self._offered = False
        if self._left == 0:
            self._mode = _Mode.LINE
            return LiteralEnd(self._literal)
        if not self._buffer:
            return NEED_MORE
        data = self._take(min(self._left, len(self._buffer)))
        self._left -= len(data)
        return LiteralData(data)

    def _skip_literal(self) -> Event | None:
        size = min(self._left, len(self._buffer))
        del self._buffer[:size]
        self._left -= size
        if self._left:
            return NEED_MORE
        self._mode = _Mode.LINE
        return None

    def _read_raw_line(self) -> Event | None:
        end = self._buffer.find(b"\n", self._scanned)
        if (len(self._buffer) if end < 0 else end) > limits.IMAP_RAW_LINE_MAX:
            self._skipping = True
        if end < 0:
            if self._skipping:
                self._buffer.clear()
            self._scanned = len(self._buffer)
            return NEED_MORE
        line = self._take(end + 1)
        too_long = self._skipping
        self._start_command()
        if too_long:
            raise BadCommand("Line too long")
        return RawLine(line.rstrip(b"\n").removesuffix(b"\r"))

    def _skip(self, error: BadCommand | None) -> None:
        """Lose interest in this command: what remains of it is skipped, then the error is raised."""
        self._skipping = True
        self._error = error
        if self._mode is _Mode.STREAMED_LITERAL:
            self._mode = _Mode.SKIPPED_LITERAL

    def _end_skipping(self) -> None:
        error = self._error
        self._start_command()
        if error is not None:
            raise error

    def _take(self, size: int) -> bytes:
        data = bytes(self._buffer[:size])
        del self._buffer[:size]
        return data

    def _tag(self) -> bytes | None:
        found = TAG.match(self._text)
        return found[0] if found else None
