"""The kinds of commands that a client awaits replies to, and how long each may take. RFC 5321 §4.5.3.2."""

import dataclasses
import enum
from typing import Final

from crockery import limits


class Kind(enum.Enum):
    """The commands whose replies are told apart."""

    GREETING = enum.auto()
    EHLO = enum.auto()
    HELO = enum.auto()
    STARTTLS = enum.auto()
    AUTH = enum.auto()
    MAIL = enum.auto()
    RCPT = enum.auto()
    DATA = enum.auto()
    CHUNK = enum.auto()  # BDAT, not the last
    END = enum.auto()  # the final dot, or BDAT LAST
    NOBODY = enum.auto()  # the final dot of a message that nobody accepted
    RSET = enum.auto()  # and whatever else does not matter
    QUIT = enum.auto()


# RFC 5321 section 4.5.3.2; what is not named there takes as long as MAIL.
TIMEOUTS: Final = {
    Kind.GREETING: limits.SMTP_GREETING_TIMEOUT,
    Kind.EHLO: limits.SMTP_HELLO_TIMEOUT,
    Kind.HELO: limits.SMTP_HELLO_TIMEOUT,
    Kind.STARTTLS: limits.SMTP_HELLO_TIMEOUT,
    Kind.AUTH: limits.SMTP_HELLO_TIMEOUT,
    Kind.RCPT: limits.SMTP_RCPT_TIMEOUT,
    Kind.DATA: limits.SMTP_DATA_START_TIMEOUT,
    Kind.CHUNK: limits.SMTP_DATA_END_TIMEOUT,
    Kind.END: limits.SMTP_DATA_END_TIMEOUT,
    Kind.NOBODY: limits.SMTP_DATA_END_TIMEOUT,
    Kind.QUIT: limits.SMTP_QUIT_TIMEOUT,
}


@dataclasses.dataclass(frozen=True, slots=True)
class Sent:
    """A command line, sent or about to be; `recipient` is the index of the one that a RCPT names."""

    kind: Kind
    line: bytes
    recipient: int = 0
