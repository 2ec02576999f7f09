"""The client's side of a TLS handshake, and what the server showed in it.

TLS 1.2 and above (RFC 8997). Nothing is verified here: whether the certificate will do is decided afterwards, by DANE,
MTA-STS, the system's CAs or a granted pin (delivery/tls), for which the chain is needed as it was shown, good or bad.
Who uses the stream before that decision speaks to anybody.
"""

import _ssl
import ipaddress
import ssl
from typing import Any, NamedTuple

import trio

from crockery import limits


class HandshakeFailed(ConnectionError):
    """There is no TLS to be had; str() says how it ended. The stream is of no use any more."""


class TLSPeer(NamedTuple):
    """What the server showed: its chain in DER, leaf first, and "TLSv1.3", "TLS_AES_256_GCM_SHA384"."""

    chain: tuple[bytes, ...]
    version: str
    cipher: str


def unverified_context() -> ssl.SSLContext:
    """A context for `handshake`. One serves all connections; making it takes milliseconds."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    return context


async def handshake(
    stream: trio.abc.HalfCloseableStream,
    host: str,
    context: ssl.SSLContext,
    timeout: float = limits.TLS_CLIENT_TIMEOUT,
) -> tuple[trio.SSLStream[trio.abc.HalfCloseableStream], TLSPeer]:
    """Begin TLS on `stream` with `host`, a domain in A-labels or an address, as the name asked for (SNI).

    Octets read beyond what came before must have been dropped by the caller. On failure and cancellation the caller
    closes `stream`. Raises HandshakeFailed.
    """
    name = None if _is_address(host) else host
    try:
        tls = trio.SSLStream(stream, context, server_hostname=name, https_compatible=True)
        with trio.fail_after(timeout):
            await tls.do_handshake()
    except trio.TooSlowError as error:
        raise HandshakeFailed("the TLS handshake was not finished in time") from error
    except (trio.BrokenResourceError, trio.ClosedResourceError, OSError, ValueError, TypeError) as error:
        cause = error.__cause__ or error
        raise HandshakeFailed(f"the TLS handshake failed: {getattr(cause, 'reason', None) or cause}") from error
    inner = tls._ssl_object
    cipher = inner.cipher()
    return tls, TLSPeer(_chain(inner), inner.version() or "", cipher[0] if cipher else "")


def _chain(inner: Any) -> tuple[bytes, ...]:
    """The chain as sent. Python has a public way to it from 3.13 on."""
    if hasattr(inner, "get_unverified_chain"):
        return tuple(inner.get_unverified_chain() or ())[: limits.MAX_CHAIN]
    certificates = inner._sslobj.get_unverified_chain() or ()
    return tuple(certificate.public_bytes(_ssl.ENCODING_DER) for certificate in certificates)[: limits.MAX_CHAIN]


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
