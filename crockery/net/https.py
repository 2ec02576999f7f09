"""One small HTTPS GET, for what must be fetched from strangers: MTA-STS policies.

RFC 9110, RFC 9112, RFC 9525 (names in certificates), RFC 8461 §3.3 (what a policy fetch may and may not do). Invariant:
the certificate is valid for the name under the given CAs; no redirect is followed; at most `limits.HTTPS_MAX_BODY`
octets are read; all of it ends within the deadline; and no address inside the private networks around us is touched,
so that no stranger's DNS makes us speak to our neighbours (SSRF).
"""

import ipaddress
import ssl
from typing import Final, NamedTuple, Protocol

import h11
import trio

from crockery import limits
from crockery.net.resolver import Answer

_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052: IPv4 addresses as IPv6


class FetchFailed(Exception):
    """Nothing was fetched; str() says why. `is_certificate`: because the server's certificate is not valid."""

    def __init__(self, why: str, *, is_certificate: bool = False) -> None:
        super().__init__(why)
        self.is_certificate = is_certificate


class Page(NamedTuple):
    """A 200 answer: its media type in lower case, without parameters, and its content."""

    media_type: str
    body: bytes


class Addresses(Protocol):
    """The part of the resolver that is needed."""

    async def addresses(self, name: str) -> Answer[str]:
        """IPv6 and IPv4 addresses as text."""


def verifying_context(ca: str | bytes | None = None) -> ssl.SSLContext:
    """A context for `get`: the system's CAs, or for tests `ca` (PEM text or DER) alone.

    RFC 5280 is not taken more strictly than it was before Python 3.13: CAs of companies leave out this and that.
    """
    context = ssl.create_default_context(cadata=ca)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


async def get(
    host: str,
    path: str,
    *,
    resolver: Addresses,
    context: ssl.SSLContext,
    port: int = 443,
    timeout: float = limits.HTTPS_TIMEOUT,
    max_body: int = limits.HTTPS_MAX_BODY,
    allow_private: bool = False,
) -> Page:
    """Fetch `https://host:port/path`; `host` in A-labels, `context` from `verifying_context`.

    `allow_private` is for tests. Raises FetchFailed.
    """
    try:
        with trio.fail_after(timeout):
            stream = await _connect(await _resolve(host, resolver, allow_private=allow_private), port)
            tls = trio.SSLStream(stream, context, server_hostname=host, https_compatible=True)
            try:
                return await _exchange(tls, host, path, max_body)
            finally:
                await trio.aclose_forcefully(tls)
    except trio.TooSlowError as error:
        raise FetchFailed("no answer in time") from error
    except (trio.BrokenResourceError, OSError, ValueError) as error:
        cause = error.__cause__ if isinstance(error.__cause__, ssl.SSLError) else error
        if isinstance(cause, ssl.SSLCertVerificationError):
            raise FetchFailed(f"the certificate is not valid: {cause.verify_message}", is_certificate=True) from error
        raise FetchFailed(f"no connection: {cause}") from error
    except h11.RemoteProtocolError as error:
        raise FetchFailed(f"not HTTP: {error}") from error


async def _resolve(host: str, resolver: Addresses, *, allow_private: bool) -> list[str]:
    answer = await resolver.addresses(host)
    if not answer.is_found:
        raise FetchFailed(f"{host} has no address: {answer.status.value}")
    addresses = [text for text in answer.records if allow_private or is_public(text)]
    if not addresses:
        raise FetchFailed(f"{host} has no public address")
    return addresses[: limits.MAX_HOST_ADDRESSES]


def is_public(text: str) -> bool:
    """Whether an address is one of the Internet: none of private use, and none that tunnels lead elsewhere."""
    address = ipaddress.ip_address(text)
    if isinstance(address, ipaddress.IPv6Address):
        if address.sixtofour or address.teredo:
            return False
        if address in _NAT64:
            address = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        elif address.ipv4_mapped:
            address = address.ipv4_mapped
    return address.is_global and not address.is_multicast


async def _connect(addresses: list[str], port: int) -> trio.SocketStream:
    """A connection to the first address that takes one within its share of the time."""
    failure: OSError = OSError("nothing to connect to")
    share = limits.HTTPS_TIMEOUT / 2 / len(addresses)
    for address in addresses:
        try:
            with trio.move_on_after(share):
                return await trio.open_tcp_stream(address, port)
            failure = OSError(f"{address} does not answer")
        except OSError as error:
            failure = error
    raise failure


async def _exchange(stream: trio.abc.Stream, host: str, path: str, max_body: int) -> Page:
    client = h11.Connection(h11.CLIENT, max_incomplete_event_size=limits.HTTPS_MAX_HEAD)
    headers = [("Host", host), ("User-Agent", "Crockery"), ("Connection", "close"), ("Accept", "text/plain")]
    request = client.send(h11.Request(method="GET", target=path, headers=headers)) or b""
    await stream.send_all(request + (client.send(h11.EndOfMessage()) or b""))
    media_type, body = "", b""
    while True:
        event = client.next_event()
        if event is h11.NEED_DATA:
            client.receive_data(bytes(await stream.receive_some()))
        elif isinstance(event, h11.Response):
            if event.status_code != 200:
                raise FetchFailed(f"the answer is {event.status_code}, not 200")
            media_type = dict(event.headers).get(b"content-type", b"").decode("ascii", "replace")
        elif isinstance(event, h11.Data):
            body += event.data
            if len(body) > max_body:
                raise FetchFailed(f"the answer is larger than {max_body} octets")
        elif isinstance(event, h11.EndOfMessage):
            return Page(media_type.partition(";")[0].strip().lower(), body)
        elif isinstance(event, h11.ConnectionClosed):
            raise FetchFailed("the connection was closed before the answer")
