"""The certificate in use: one SSL context, replaced as a whole while the server runs.

TLS 1.2 and above, no renegotiation, no compression (RFC 8314, RFC 9325). A new certificate is a new context: handshakes
from then on use it, connections that stand keep theirs. What does not load changes nothing.
"""

import os
import ssl


class CertificateUnusable(Exception):
    """Key and chain do not load or do not fit each other; str() is one sentence."""


class TLSHolder:
    """The context in use. Make it with a certificate before anyone connects."""

    def __init__(self) -> None:
        self._context: ssl.SSLContext | None = None

    @property
    def context(self) -> ssl.SSLContext:
        """The server's context; raises ValueError while there is no certificate."""
        if self._context is None:
            raise ValueError("there is no certificate")
        return self._context

    def use(self, pem: bytes) -> None:
        """Use this private key and certificate chain (PEM, in one text) from now on. Raises CertificateUnusable."""
        self._context = make_context(pem)


def make_context(pem: bytes) -> ssl.SSLContext:
    """A server's context with this key and chain; raises CertificateUnusable."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION | ssl.OP_CIPHER_SERVER_PREFERENCE
    # OpenSSL loads from paths alone; the key came from the log and must not touch the disk again.
    fd = os.memfd_create("certificate", os.MFD_CLOEXEC)
    try:
        os.write(fd, pem)
        context.load_cert_chain(f"/proc/self/fd/{fd}", password=_no_password)
    except (OSError, ValueError) as error:
        raise CertificateUnusable(f"the certificate and key cannot be used: {_reason(error)}") from error
    finally:
        os.close(fd)
    return context


def _no_password() -> str:
    raise ValueError("the private key is encrypted with a password")


def _reason(error: Exception) -> str:
    reason = getattr(error, "reason", None)
    return str(reason).lower().replace("_", " ") if reason else str(error)
