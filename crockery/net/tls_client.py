"""The client's side: a connection, its TLS handshake, and what the server showed in it.

TLS 1.2 and above (RFC 8997). Nothing is verified here: whether the certificate will do is decided afterwards, by DANE,
MTA-STS, the system's CAs or a granted pin (delivery/tls), for which the chain is needed as it was shown, good or bad.
Who uses the connection before that decision speaks to anybody.
"""

import _ssl
import ipaddress
import socket
import ssl
from typing import Any, NamedTuple

import trio

from crockery import limits
from crockery.net.connection import Connection


class HandshakeFailed(ConnectionError):
    """There is no TLS to be had; str() says how it ended. The connection is of no use any more."""


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


async def connect(address: str, port: int, timeout: float = limits.SMTP_CONNECT_TIMEOUT) -> Connection:
    """A connection to an IP address. Raises OSError, trio.TooSlowError."""
    with trio.fail_after(timeout):
        stream = await trio.open_tcp_stream(address, port)
    sock = socket.socket(fileno=stream.socket.detach())
    try:
        return Connection(sock)
    except OSError:
        sock.close()
        raise


async def handshake(
    connection: Connection, host: str, context: ssl.SSLContext, timeout: float = limits.TLS_CLIENT_TIMEOUT
) -> TLSPeer:
    """Begin TLS on `connection` with `host`, a domain in A-labels or an address, as the name asked for (SNI).

    Octets read beyond what came before must have been dropped by the caller. On failure and cancellation the caller
    closes `connection`. Raises HandshakeFailed.
    """
    name = None if _is_address(host) else host
    try:
        if name is not None:  # with one that cannot be asked for the socket would be left to the garbage collector
            context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname=name)
        inside = await connection.shake_hands(context, timeout, name=name)
    except trio.TooSlowError as error:
        raise HandshakeFailed("the TLS handshake was not finished in time") from error
    except (OSError, ValueError, TypeError) as error:
        cause = error.__cause__ or error
        raise HandshakeFailed(f"the TLS handshake failed: {getattr(cause, 'reason', None) or cause}") from error
    cipher = inside.cipher()
    return TLSPeer(_chain(inside), inside.version() or "", cipher[0] if cipher else "")


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
