"""What a SASL mechanism is to a server: responses in, steps out (RFC 4422 §3).

Invariant: `step` returns a step for any octets and raises nothing; after an outcome it is not called again.
"""

import base64
import dataclasses
import enum
from typing import Protocol

from crockery import limits


@dataclasses.dataclass(frozen=True, slots=True)
class Challenge:
    """The server's turn; the client answers it."""

    data: bytes

    @property
    def encoded(self) -> bytes:
        """The challenge as both protocols send it: base64, nothing for the empty one."""
        return base64.b64encode(self.data)


@dataclasses.dataclass(frozen=True, slots=True)
class Credentials:
    """A name and a password, to be checked by the caller. `authzid` is "" or equal to `authcid`."""

    authzid: str
    authcid: str
    password: str = dataclasses.field(repr=False)


@dataclasses.dataclass(frozen=True, slots=True)
class Verified:
    """The client proved to be `user`."""

    user: str


class FailureKind(enum.Enum):
    """At whose door the failure lies, which decides the reply."""

    MALFORMED = enum.auto()  # not what the mechanism's grammar says
    CANCELLED = enum.auto()  # the client said so
    REJECTED = enum.auto()  # wrong proof, or not allowed


@dataclasses.dataclass(frozen=True, slots=True)
class Failure:
    """No. `reason` is for the log; the client learns the kind alone. `user` is the name claimed, if one was."""

    kind: FailureKind
    reason: str
    user: str = ""


Outcome = Credentials | Verified | Failure
Step = Challenge | Outcome


class Mechanism(Protocol):
    """One exchange of one mechanism."""

    def step(self, response: bytes | None) -> Step:
        """The next step after the client's `response`; None, only at first, where it sent no initial response."""


def malformed(reason: str) -> Failure:
    """The client does not follow the mechanism."""
    return Failure(FailureKind.MALFORMED, reason)


def decode_text(octets: bytes) -> str | None:
    """UTF-8 text without NUL (RFC 4616 §2), or None if it is not that, empty or unreasonably long."""
    if not 0 < len(octets) <= limits.SASL_MAX_TEXT:
        return None
    try:
        text = octets.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text
