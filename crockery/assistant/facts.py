"""What Crockery's mails are about: values that the caller fills in from the log.

Times are Unix seconds, domains A-labels; the texts show domains as people write them.
"""

from dataclasses import dataclass
from enum import StrEnum

from crockery.message.compose import Mailbox
from crockery.smtp.wire.address import display_domain


class CertificateFault(StrEnum):
    """What is wrong with a certificate, as it is recorded."""

    OTHER_NAME = "other name"
    EXPIRED = "expired"
    NOT_YET_VALID = "not yet valid"
    SELF_SIGNED = "self-signed"
    UNKNOWN_ISSUER = "unknown issuer"
    UNUSABLE = "unusable"  # damaged, or only with methods that are not secure any more


class Policy(StrEnum):
    """How a domain tells that mail to it must come over proven connections only."""

    DANE = "DANE"  # RFC 7672
    MTA_STS = "MTA-STS"  # RFC 8461, mode enforce


class PolicyFault(StrEnum):
    """How a domain's own rule is broken."""

    CERTIFICATE = "certificate"  # another one than the rule says, or one that cannot be verified
    NO_TLS = "no TLS"
    OTHER_HOST = "other host"  # MTA-STS: a mail server that the rule does not name


@dataclass(frozen=True, slots=True)
class NoTLS:
    """The mail server offers no TLS; `trusted` tells when it was trusted by its key, which it showed over TLS."""

    trusted: int | None = None


@dataclass(frozen=True, slots=True)
class BadCertificate:
    """A certificate that cannot be verified; `names` it is made out to, `issuer` as people read it, "" if unknown.

    `valid_from` and `valid_until` are its dates; `fingerprint` is the SHA-256 of its public key, in hexadecimal.
    """

    faults: tuple[CertificateFault, ...]
    names: tuple[str, ...] = ()
    issuer: str = ""
    valid_from: int | None = None
    valid_until: int | None = None
    fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class ChangedKey:
    """A certificate that cannot be verified, at a host that was trusted by another key on `granted`."""

    certificate: BadCertificate
    granted: int
    granted_fingerprint: str


@dataclass(frozen=True, slots=True)
class BrokenPolicy:
    """The domain's own rule is not kept."""

    policy: Policy
    fault: PolicyFault


Trouble = NoTLS | BadCertificate | ChangedKey | BrokenPolicy


@dataclass(frozen=True, slots=True)
class Held:
    """The recipients of one domain that wait, the mail server that was tried, and what is wrong with it."""

    domain: str
    host: str
    recipients: tuple[str, ...]
    trouble: Trouble

    @property
    def seen_domain(self) -> str:
        """The domain as people write it."""
        return display_domain(self.domain)

    @property
    def seen_recipients(self) -> tuple[str, ...]:
        """The recipients as people write them."""
        parts = (recipient.rpartition("@") for recipient in self.recipients)
        return tuple(f"{local}@{display_domain(domain)}" for local, _, domain in parts)


@dataclass(frozen=True, slots=True)
class Original:
    """The message that it is about: ids with their brackets, `zone` in minutes east of UTC as its Date has it.

    `sent` and `message_id` may be unknown: None and "". `author` is who wrote a message that is only forwarded here; ""
    of what an account wrote itself.
    """

    subject: str
    sent: int | None
    message_id: str
    references: tuple[str, ...] = ()
    zone: int = 0
    author: str = ""


@dataclass(frozen=True, slots=True)
class Addressing:
    """Who gets a mail of Crockery's, and how an answer to it is known.

    `to` is the account, `domain` ours, `token` goes into the address for answers; "" where no answer is expected.
    `message_id` and `date` are those of the new mail.
    """

    to: Mailbox
    domain: str
    date: int
    message_id: str
    token: str = ""
