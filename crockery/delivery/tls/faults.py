"""What can be wrong with the security of a connection, once, for questions to people and for reports to domains."""

import enum
from typing import Final


class Fault(enum.Enum):
    """What is wrong. The values are written to the log."""

    NO_TLS = "no-tls"  # not offered, or the handshake failed
    UNREADABLE = "unreadable"  # the certificate is no certificate
    SELF_SIGNED = "self-signed"
    WRONG_NAME = "wrong-name"
    EXPIRED = "expired"  # or not valid yet
    UNTRUSTED = "untrusted"  # signed by nobody who is known
    DANE_MISMATCH = "dane-mismatch"  # none of the certificates that the domain's TLSA records name
    MX_NOT_NAMED = "mx-not-named"  # none of the servers that the domain's MTA-STS policy names

    @property
    def words(self) -> str:
        """Of a certificate: a clause about the server that shows it."""
        return _WORDS.get(self, "its certificate proves nothing")

    @property
    def result_type(self) -> str:
        """The result type of TLS-RPT (RFC 8460 section 4.3), but for what `tallying` knows better."""
        return _RESULT_TYPES.get(self, "validation-failure")


_WORDS: Final = {
    Fault.UNREADABLE: "its certificate cannot be read",
    Fault.SELF_SIGNED: "its certificate is vouched for by nobody but itself",
    Fault.WRONG_NAME: "its certificate is for another name",
    Fault.EXPIRED: "its certificate has run out, or is not valid yet",
    Fault.UNTRUSTED: "its certificate comes from nobody who is known",
}
_RESULT_TYPES: Final = {
    Fault.NO_TLS: "starttls-not-supported",
    Fault.SELF_SIGNED: "certificate-not-trusted",
    Fault.WRONG_NAME: "certificate-host-mismatch",
    Fault.DANE_MISMATCH: "certificate-host-mismatch",  # also "did not adhere to the constraints of the DANE policy"
    Fault.EXPIRED: "certificate-expired",
    Fault.UNTRUSTED: "certificate-not-trusted",
}
