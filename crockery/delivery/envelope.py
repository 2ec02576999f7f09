"""Who hands a mail in, and for whom: the SMTP envelope and the facts of the network around it."""

from dataclasses import dataclass, field

from crockery.events.types.queue import RecipientOptions
from crockery.smtp.wire import Mailbox


@dataclass(frozen=True, slots=True)
class Client:
    """The other end of the connection."""

    address: str
    """Its IP address as text."""
    helo: str = ""
    """What it calls itself."""
    extended: bool = True
    """It said EHLO, not HELO."""
    tls: str = ""
    """Version and cipher, as "TLSv1.3 TLS_AES_256_GCM_SHA384"; "" without TLS."""
    account: int = 0
    """The id of the account that logged in; 0: a stranger."""


@dataclass(slots=True)
class Envelope:
    """One mail transaction. `reverse_path` None is `<>`; times are unix seconds, 0: none."""

    client: Client
    reverse_path: Mailbox | None
    size: int = 0
    """Octets, as the client declared them (RFC 1870); 0: it did not."""
    smtputf8: bool = False
    eight_bit: bool = False
    """BODY=8BITMIME was said."""
    ret: str = ""
    """FULL or HDRS (RFC 3461)."""
    envid: str = ""
    requiretls: bool = False
    """RFC 8689."""
    hold_until: int = 0
    """RFC 4865: nobody gets it before."""
    hold: str = ""
    """As it was asked for: "for;3600" or "until;2027-01-01T00:00:00Z"."""
    deadline: int = 0
    """RFC 2852."""
    returns: bool = False
    """After the deadline it comes back (mode R); else the sender is told, and it goes on."""
    traces: bool = False
    """The sender is told of each server that takes it."""
    recipients: list[Mailbox] = field(default_factory=list)
    options: dict[str, RecipientOptions] = field(default_factory=dict)
    """What was asked for recipients (RFC 3461), by their address."""

    @property
    def sender(self) -> str:
        """The reverse-path as text, "" for the null one."""
        return "" if self.reverse_path is None else str(self.reverse_path)
