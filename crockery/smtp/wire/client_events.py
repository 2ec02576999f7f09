"""What happens to a client's connection, as values: the events of `ClientProtocol`."""

import dataclasses

from crockery.smtp.wire.capabilities import Capabilities
from crockery.smtp.wire.replies import Reply


@dataclasses.dataclass(frozen=True, slots=True)
class Greeted:
    """The server's first words; if they are negative only `quit` is left (RFC 5321 §3.1)."""

    reply: Reply


@dataclasses.dataclass(frozen=True, slots=True)
class HelloAnswered:
    """The answer to EHLO, or to HELO where the server does not know EHLO."""

    reply: Reply
    capabilities: Capabilities


@dataclasses.dataclass(frozen=True, slots=True)
class TLSAnswered:
    """If positive, do the handshake, then call `tls_started`. `dropped` octets came in the clear behind the answer."""

    reply: Reply
    dropped: int


@dataclasses.dataclass(frozen=True, slots=True)
class AuthAnswered:
    """The end of an AUTH exchange."""

    reply: Reply


@dataclasses.dataclass(frozen=True, slots=True)
class EnvelopeAnswered:
    """`replies` has one for each recipient of the transaction, `accepted` the indexes of those still to be served.

    A refused MAIL, DATA or connection is the reply of all recipients that it stands for. If none is accepted the
    transaction is over.
    """

    replies: tuple[Reply, ...]
    accepted: tuple[int, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class MessageAnswered:
    """The answer to the content, for all accepted recipients.

    `is_uncertain`: the connection ended after the end of the content was sent and before it was answered.
    """

    reply: Reply
    is_uncertain: bool


@dataclasses.dataclass(frozen=True, slots=True)
class Closed:
    """The last event: 221, 421, or words of our own for what ended the connection."""

    reply: Reply


Event = Greeted | HelloAnswered | TLSAnswered | AuthAnswered | EnvelopeAnswered | MessageAnswered | Closed
