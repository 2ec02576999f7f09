"""Refusals: commands that were understood and are not done, with the response codes of RFC 5530 and RFC 9051 7.1.

    BadCommand (wire)   tagged BAD: the client's syntax
    Refusal             tagged NO with a code: everything here
    anything else       tagged NO [SERVERBUG] and a reference, which the log explains

`refusal_for` is the one table from errors of other rooms to a NO.
"""

from typing import Final

from crockery.actions.errors import Reason, Refused
from crockery.events.errors import BodyUnreadable, LogFull

REASON_CODES: Final = {
    Reason.NONEXISTENT: b"NONEXISTENT",
    Reason.ALREADY_EXISTS: b"ALREADYEXISTS",
    Reason.CANNOT: b"CANNOT",
    Reason.LIMIT: b"LIMIT",
    Reason.NO_PERMISSION: b"NOPERM",
    Reason.OVER_QUOTA: b"OVERQUOTA",
    Reason.HAS_CHILDREN: b"HASCHILDREN",
}


class Refusal(Exception):
    """NO. `code` stands without its brackets; str() is one sentence for a person."""

    def __init__(self, text: str, code: bytes | None = None) -> None:
        super().__init__(text)
        self.text = text
        self.code = code


class SessionLost(Exception):
    """The session cannot go on: an untagged BYE says why, and the connection is closed."""


def refusal_for(error: Exception) -> Refusal | None:
    """The NO that answers an error of the actions or the log; None for errors that are nobody's but ours."""
    match error:
        case Refusal():
            return error
        case Refused():
            return Refusal(str(error), REASON_CODES[error.reason])
        case LogFull():
            return Refusal(str(error), b"LIMIT")
        case BodyUnreadable():
            return Refusal(str(error), b"CORRUPTION")
    return None
