"""What a remote server says: octets in, `Reply` values out, for the client's side.

RFC 5321 §4.2 and §4.2.1 (replies), RFC 3463 and RFC 2034 (enhanced codes).

    Reply-line = *( Reply-code "-" [ textstring ] CRLF ) Reply-code [ SP textstring ] CRLF

Invariants: whatever comes, `next_reply` gives a reply, None, or raises `ReplyError` for good; at most
`limits.SMTP_CLIENT_MAX_REPLY` octets of one reply are held, and each octet is searched once; the text of a reply has no
control character but LF between its lines, so that it can be shown and written down as it is.

Choices, as real servers are: lines may end in a bare LF; a bare code, a tab, or no blank behind the code pass; of codes
that differ within one reply the last counts, as in Postfix; text beyond UTF-8 is replaced. Not tolerated: what does
not begin with a code of 200 to 599, and endless replies.
"""

import re
from typing import Final

from crockery import limits
from crockery.smtp.wire.replies import Reply

# Reply-code = %x32-35 %x30-35 %x30-39; a second digit above 5 is seen in the field and does no harm
_LINE: Final = re.compile(rb"([2-5][0-9]{2})(?:(-)|[ \t])?(.*)", re.DOTALL)
# status-code = class "." subject "." detail (RFC 3463 §2)
_ENHANCED: Final = re.compile(r"([245]\.[0-9]{1,3}\.[0-9]{1,3})(?:[ \t]+|$)")
_CONTROLS: Final = {**dict.fromkeys([*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029], "?"), 0x09: " "}


class ReplyError(Exception):
    """The remote server does not speak SMTP; str() says how. Nothing after it can be trusted."""


class ReplyReader:
    """Octets in by `receive`, replies out by `next_reply`."""

    def __init__(self, max_reply: int = limits.SMTP_CLIENT_MAX_REPLY) -> None:
        self._max_reply = max_reply
        self._buffer = bytearray()
        self._searched = 0  # how far the present line was searched for its LF
        self._lines: list[str] = []  # of an unfinished reply
        self._size = 0  # octets of them

    def receive(self, data: bytes) -> None:
        """Add octets as they came."""
        self._buffer += data

    @property
    def is_empty(self) -> bool:
        """Whether nothing is held: no reply, nor the beginning of one."""
        return not self._buffer and not self._lines

    def discard(self) -> int:
        """Forget all that is held and say how many octets that were."""
        held = len(self._buffer) + self._size
        self._buffer.clear()
        self._lines.clear()
        self._searched = self._size = 0
        return held

    def next_reply(self) -> Reply | None:
        """The next whole reply, or None: more octets are needed. Raises ReplyError."""
        while (line := self._next_line()) is not None:
            match = _LINE.fullmatch(line)
            if match is None:
                raise ReplyError(f"not a reply: {_text(line[:80])!r}")
            code, continues, text = match.groups()
            self._lines.append(_text(text))
            if not continues:
                lines, self._lines, self._size = self._lines, [], 0
                return _reply(int(code), lines)
        return None

    def _next_line(self) -> bytes | None:
        newline = self._buffer.find(b"\n", self._searched)
        if self._size + (newline if newline >= 0 else len(self._buffer)) >= self._max_reply:
            raise ReplyError("an endless reply")
        if newline < 0:
            self._searched = len(self._buffer)
            return None
        line = bytes(self._buffer[:newline])
        del self._buffer[: newline + 1]
        self._searched = 0
        self._size += newline + 1
        return line.removesuffix(b"\r")


def _text(octets: bytes) -> str:
    return octets.decode("utf-8", "replace").translate(_CONTROLS)


def _reply(code: int, lines: list[str]) -> Reply:
    """The reply of these lines; an enhanced code that does not fit the code's class is left in the text."""
    match = _ENHANCED.match(lines[0])
    if match is None or match[1][0] != str(code)[0]:
        return Reply(code, "", "\n".join(lines))
    enhanced = match[1]
    stripped = [_ENHANCED.sub("", line, count=1) if line.startswith(enhanced) else line for line in lines]
    return Reply(code, enhanced, "\n".join(stripped))
