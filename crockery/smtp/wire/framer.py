"""From a stream of octets to command lines and message content, with no thought of their meaning.

RFC 5321 §2.3.8 (lines end in CRLF and in nothing else), §4.5.2 (dot transparency), §4.5.3.1 (lengths), RFC 3030 (BDAT).

Invariants:

- Whatever is wrong, the framer stays in step: a bad line ends at its CRLF, a bad message at its real end. What is
  wrong is told at once for a line (so that a person typing with bare LF gets an answer) and at the end for a message
  (so that nothing inside a refused message is ever read as a command: that is SMTP smuggling).
- Each octet is searched once, by C code over large blocks, and copied a fixed number of times; nothing is kept but one
  unfinished line or the four octets that may begin the end of data.
"""

import enum
import re
from typing import Final

from crockery import limits

_CRLF: Final = b"\r\n"
_END_OF_DATA: Final = b"\r\n.\r\n"
_NULS: Final = re.compile(rb"\0+")
_HIDDEN: Final = re.compile(rb"^(?:\0\.\0?|\.\0)\r\n", re.MULTILINE)
_HIDDEN_LONGEST: Final = 4  # octets of the longest such line but its LF
_OF_A_DOT: Final = b"\0.\r"
_OTHER: Final = b"x"


class LineFault(enum.Enum):
    """Why a command line was refused."""

    TOO_LONG = enum.auto()
    BARE_NEWLINE = enum.auto()


class ContentFault(enum.Enum):
    """Why a message was refused, gravest first; known for certain only at its end."""

    BARE_NEWLINE = enum.auto()
    NUL = enum.auto()
    TOO_BIG = enum.auto()
    LINE_TOO_LONG = enum.auto()


class Content:
    """What is known of one message's octets so far; DATA and BDAT pass everything through here.

    NUL is accepted unless `refuse_nul`, as RFC 5321 §4.1.1.4 (any of the 128 codes) and Postfix have it: what is stored
    is what was sent. Not so on a line of a dot and NULs alone: where it is sent on, a server that drops NULs would take
    it for the end of the message, and what follows for commands (SMTP smuggling).
    Lines may pass the 998 octets of §4.5.3.1.6, which asks receivers to impose no limit where they can: real
    newsletters have HTML lines of 100 KB. They may not pass `limits.SMTP_MAX_TEXT_LINE`.
    """

    __slots__ = ("_line", "_max_line", "_max_size", "_pending_cr", "_refuse_nul", "_run", "fault", "size")

    def __init__(self, max_size: int, max_line: int = limits.SMTP_MAX_TEXT_LINE, *, refuse_nul: bool = False) -> None:
        self.size = 0
        self.fault: ContentFault | None = None
        self._max_size = max_size
        self._max_line = max_line
        self._refuse_nul = refuse_nul
        self._line = b""  # the unfinished line, NULs in a row as one, if it may become a hidden dot; else _OTHER
        self._run = 0  # octets since the last LF
        self._pending_cr = False  # the last octet was CR: an LF must follow

    def admit(self, block: bytes, stuffed: int = 0) -> bool:
        """Look at the next `block`, of which `stuffed` octets are not content; False once the message is lost.

        The gravest fault wins, in the order of `ContentFault`, so that the verdict does not depend on how octets were
        cut.
        """
        self.size += len(block) - stuffed
        if self._has_bare(block):
            self.fault = ContentFault.BARE_NEWLINE
        elif self._has_bad_nul(block) and self.fault is not ContentFault.BARE_NEWLINE:
            self.fault = ContentFault.NUL
        elif self.fault in (None, ContentFault.LINE_TOO_LONG) and self.size > self._max_size:
            self.fault = ContentFault.TOO_BIG
        elif self.fault is None and self._has_long_line(block):
            self.fault = ContentFault.LINE_TOO_LONG
        return self.fault is None

    def finish(self) -> ContentFault | None:
        """The verdict at the end of the message."""
        if self._pending_cr:
            self.fault = ContentFault.BARE_NEWLINE
        return self.fault

    def _has_bare(self, block: bytes) -> bool:
        """Whether a CR or an LF stands alone: three counts at memory speed, against one slow regular expression."""
        if not block:
            return False
        pairs = block.count(_CRLF)
        joined = self._pending_cr and block[0] == 0x0A
        broken = self._pending_cr and not joined
        self._pending_cr = block[-1] == 0x0D
        return broken or block.count(b"\n") != pairs + joined or block.count(b"\r") != pairs + self._pending_cr

    def _has_bad_nul(self, block: bytes) -> bool:
        """Whether there is a NUL where none may be."""
        begun, has_nul = self._line, b"\0" in block
        if self._refuse_nul:
            return has_nul
        if not block:
            return False
        if not has_nul and begun in (b"", _OTHER) and block[-1] not in _OF_A_DOT:
            self._line = b"" if block[-1] == 0x0A else _OTHER  # nearly always
            return False
        text = _NULS.sub(b"\0", begun + block)
        line = text[text.rfind(b"\n") + 1 :]
        self._line = line if len(line) <= _HIDDEN_LONGEST and not line.strip(_OF_A_DOT) else _OTHER
        return _HIDDEN.search(text) is not None

    def _has_long_line(self, block: bytes) -> bool:
        """Jump from one LF to the last one within reach, so that ordinary text costs one step per `max_line` octets."""
        start, reach = -self._run, self._max_line
        while len(block) - start > reach:
            newline = block.rfind(b"\n", max(start, 0), start + reach)
            if newline < 0:
                return True
            start = newline + 1
        newline = block.rfind(b"\n", max(start, 0))
        self._run = len(block) - (newline + 1 if newline >= 0 else start)
        return False


class Framer:
    """Bytes in; lines, DATA content or BDAT chunks out. Its user says which of them comes next.

    `receive` adds octets. Then `next_line`, or after `begin_data` `next_data`, or after `begin_chunk` `next_chunk`.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._searched = 0  # how far the present line was searched for its LF
        self._skipping = False  # a line was refused; its rest up to CRLF is thrown away
        self._at_start = False  # DATA: the CRLF that precedes the first line is still in the buffer
        self._chunk_left = 0
        self._discard = False
        self._content = Content(0)

    def receive(self, data: bytes) -> None:
        """Add octets as they came from the peer."""
        self._buffer += data

    def peek(self, count: int) -> bytes:
        """The next `count` unread octets, or fewer."""
        return bytes(self._buffer[:count])

    def discard_buffer(self) -> None:
        """Forget all octets not yet read: what came in the clear behind STARTTLS (RFC 3207 §6) is no command."""
        self._buffer.clear()
        self._searched = 0

    def next_line(self, max_length: int) -> bytes | LineFault | None:
        """The next line without its CRLF; what is wrong with it; or None: more octets are needed.

        `max_length` counts the CRLF, as RFC 5321 §4.5.3.1.4 does.
        """
        if self._skipping and not self._skip_line():
            return None
        buffer = self._buffer
        newline = buffer.find(b"\n", self._searched, max_length)
        if newline < 0:
            if len(buffer) < max_length:
                self._searched = len(buffer)
                return None
            return self._refuse_line(LineFault.TOO_LONG)
        if newline == 0 or buffer[newline - 1] != 0x0D:
            return self._refuse_line(LineFault.BARE_NEWLINE)
        line = bytes(buffer[: newline - 1])
        del buffer[: newline + 1]
        self._searched = 0
        return LineFault.BARE_NEWLINE if b"\r" in line else line

    def _refuse_line(self, fault: LineFault) -> LineFault:
        self._skipping, self._searched = True, 0
        self._skip_line()
        return fault

    def _skip_line(self) -> bool:
        """Throw away octets up to and with the next CRLF; True if that was found."""
        end = self._buffer.find(_CRLF)
        if end >= 0:
            del self._buffer[: end + 2]
            self._skipping = False
            return True
        del self._buffer[: len(self._buffer) - self._buffer.endswith(b"\r")]
        return False

    def begin_data(self, content: Content) -> None:
        """What follows is a message up to CRLF "." CRLF."""
        self._content = content
        self._buffer[:0] = _CRLF  # of the DATA line: the first line of the message may be the dot
        self._at_start = True

    def next_data(self) -> tuple[bytes, bool]:
        """Content with its dot transparency undone, and whether the message ended; none if refused or not there yet.

        Only CRLF "." CRLF ends a message, never a bare LF or CR beside the dot (RFC 5321 §4.1.1.4).
        """
        buffer = self._buffer
        dot = buffer.find(b"\r\n.")
        end = buffer.find(_END_OF_DATA, dot) if dot >= 0 else -1
        take = end + 2 if end >= 0 else len(buffer) - _held_back(buffer)
        block = bytes(memoryview(buffer)[:take])
        del buffer[: end + 5 if end >= 0 else take]
        plain = block.replace(b"\r\n.", _CRLF) if 0 <= dot < take - 2 else block
        if block and self._at_start:
            self._at_start = False
            block, plain = block[2:], plain[2:]
        if not self._content.admit(block, len(block) - len(plain)):
            plain = b""
        if end >= 0:
            self._content.finish()
        return plain, end >= 0

    def begin_chunk(self, size: int, content: Content | None) -> None:
        """What follows are `size` octets of a BDAT chunk; without `content` they are read and thrown away."""
        self._chunk_left = size
        self._discard = content is None
        self._content = content or self._content

    def next_chunk(self) -> tuple[bytes, bool]:
        """Content of the chunk, and whether the chunk ended; empty when it is refused or more is needed."""
        take = min(self._chunk_left, len(self._buffer))
        block = bytes(memoryview(self._buffer)[:take])
        del self._buffer[:take]
        self._chunk_left -= take
        if self._discard or not self._content.admit(block):
            block = b""
        return block, self._chunk_left == 0


def _held_back(buffer: bytearray) -> int:
    """How many octets at the end of the buffer may be the beginning of the end of data."""
    for length in range(len(_END_OF_DATA) - 1, 0, -1):
        if buffer.endswith(_END_OF_DATA[:length]):
            return length
    return 0
