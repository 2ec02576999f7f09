"""The client's side of a TLS handshake, and what the server showed in it.

TLS 1.2 and above (RFC 8997). Nothing is verified here: whether the certificate will do is decided afterwards, by DANE,
MTA-STS, the system's CAs or a granted pin (delivery/tls), for which the chain is needed as it was shown, good or bad.
Who uses the stream before that decision speaks to anybody.
"""

import _ssl
import ipaddress
import ssl
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import trio

from crockery import limits

T = TypeVar("T")


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


class TLSStream(trio.abc.Stream):
    """TLS over a stream, the client's side, for one task at a time: a third of what Trio's own costs a message.

    The end of the peer's stream is an end, announced or not: the protocols inside know where they are. A cancelled call
    leaves it fit for `aclose` only, which does not announce ours.
    """

    def __init__(self, transport: trio.abc.Stream, context: ssl.SSLContext, name: str | None) -> None:
        """Raises ValueError, TypeError, OSError for a name that cannot be asked for."""
        self._transport = transport
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.inside = context.wrap_bio(self._incoming, self._outgoing, server_hostname=name)
        """What Python knows of the TLS session."""

    async def do_handshake(self) -> None:
        """To be called first. Raises trio.BrokenResourceError."""
        await self._attempt(self.inside.do_handshake)
        await self._flush()

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send all of it. Raises trio.BrokenResourceError."""
        rest = memoryview(data)
        while rest:
            rest = rest[await self._attempt(lambda: self.inside.write(rest)) :]  # noqa: B023
        await self._flush()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """Octets, b"" at the end. Raises trio.BrokenResourceError."""
        try:
            return await self._attempt(lambda: self.inside.read(max_bytes or limits.RECEIVE_SIZE))
        except trio.BrokenResourceError as error:
            if isinstance(error.__cause__, ssl.SSLZeroReturnError | ssl.SSLEOFError):
                return b""
            raise

    async def wait_send_all_might_not_block(self) -> None:
        """As the stream below."""
        await self._transport.wait_send_all_might_not_block()

    async def aclose(self) -> None:
        """Hang up."""
        await self._transport.aclose()

    async def _attempt(self, call: Callable[[], T]) -> T:
        while True:
            try:
                return call()
            except ssl.SSLWantReadError:
                await self._flush()
                data = await self._transport.receive_some(limits.RECEIVE_SIZE)
                if data:
                    self._incoming.write(data)
                else:
                    self._incoming.write_eof()
            except ssl.SSLError as error:
                raise trio.BrokenResourceError("TLS is broken") from error

    async def _flush(self) -> None:
        if self._outgoing.pending:
            await self._transport.send_all(self._outgoing.read())


async def handshake(
    stream: trio.abc.Stream, host: str, context: ssl.SSLContext, timeout: float = limits.TLS_CLIENT_TIMEOUT
) -> tuple[TLSStream, TLSPeer]:
    """Begin TLS on `stream` with `host`, a domain in A-labels or an address, as the name asked for (SNI).

    Octets read beyond what came before must have been dropped by the caller. On failure and cancellation the caller
    closes `stream`. Raises HandshakeFailed.
    """
    name = None if _is_address(host) else host
    try:
        tls = TLSStream(stream, context, name)
        with trio.fail_after(timeout):
            await tls.do_handshake()
    except trio.TooSlowError as error:
        raise HandshakeFailed("the TLS handshake was not finished in time") from error
    except (trio.BrokenResourceError, trio.ClosedResourceError, OSError, ValueError, TypeError) as error:
        cause = error.__cause__ or error
        raise HandshakeFailed(f"the TLS handshake failed: {getattr(cause, 'reason', None) or cause}") from error
    cipher = tls.inside.cipher()
    return tls, TLSPeer(_chain(tls.inside), tls.inside.version() or "", cipher[0] if cipher else "")


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
