"""What a client can get wrong on the wire; each error knows the reply that answers it.

    BadCommand            tagged BAD: the syntax is wrong (RFC 3501 section 7.1.3)
    ├── TooBig            tagged NO [TOOBIG]: a message literal over the limit (RFC 4469, RFC 7889)
    ├── UnknownCharset    tagged NO [BADCHARSET (...)]: a SEARCH charset that is not ours (RFC 9051 section 7.1)
    ├── BadMailboxName    tagged NO [CANNOT]: a name no mailbox can have (RFC 5530 section 3)
    ├── UidRequired           tagged BAD [UIDREQUIRED]: a sequence number after ENABLE UIDONLY (RFC 9586 section 3)
    └── StreamLost        untagged BYE: the connection cannot be kept in step, close it

Framer and parser raise nothing else, whatever the bytes. After any of them but `StreamLost` the framer stands at the
start of the next command.
"""

from typing import ClassVar


class BadCommand(Exception):
    """A command that cannot be read. `tag` is None where none was found: the reply is then untagged (`* BAD`)."""

    status: ClassVar[bytes] = b"BAD"
    code: ClassVar[bytes | None] = None

    def __init__(self, text: str, tag: bytes | None = None) -> None:
        super().__init__(text)
        self.text = text
        self.tag = tag


class TooBig(BadCommand):
    """A message literal larger than the server takes."""

    status = b"NO"
    code = b"TOOBIG"


class UnknownCharset(BadCommand):
    """A SEARCH in a charset other than US-ASCII and UTF-8."""

    status = b"NO"
    code = b"BADCHARSET (US-ASCII UTF-8)"
    saves = False
    """The search had the return option SAVE, so that `$` is empty now (RFC 5182 §2.1)."""


class BadMailboxName(BadCommand):
    """A mailbox name that is not valid modified UTF-7 or UTF-8, or holds control characters."""

    status = b"NO"
    code = b"CANNOT"


class UidRequired(BadCommand):
    """A sequence number, of a client that switched them off (RFC 9586)."""

    code = b"UIDREQUIRED"


class StreamLost(BadCommand):
    """A non-synchronising literal too long even to skip: say BYE and close."""

    status = b"BYE"
    code = b"TOOBIG"
