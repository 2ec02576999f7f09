"""Who hands a mail in, and for whom: the SMTP envelope and the facts of the network around it."""

from dataclasses import dataclass, field

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
    """One mail transaction. `reverse_path` None is `<>`."""

    client: Client
    reverse_path: Mailbox | None
    smtputf8: bool = False
    eight_bit: bool = False
    """BODY=8BITMIME was said."""
    recipients: list[Mailbox] = field(default_factory=list)
