"""From an address to a server that was greeted: TCP, TLS, EHLO. Nothing is verified here.

RFC 5321 §3.1 and §3.2, RFC 3207 (STARTTLS), RFC 8314 §3.3 (TLS from the first octet).
"""

import ssl
from dataclasses import dataclass, replace

import trio

from crockery import limits
from crockery.delivery.sending.exchange import StreamExchange
from crockery.net.connection import Connection
from crockery.net.tls_client import HandshakeFailed, TLSPeer, connect, handshake
from crockery.projections.queue import Place
from crockery.smtp.wire import Reply
from crockery.smtp.wire.client import LOST, ClientProtocol
from crockery.smtp.wire.client_events import EnvelopeAnswered, Event, Greeted, HelloAnswered, TLSAnswered


class ServerRefused(Exception):
    """The server at an address is there and does not want us, or nobody answers; str() says it."""

    def __init__(self, reply: Reply, place: Place) -> None:
        super().__init__(reply.text)
        self.reply = reply
        self.place = place


@dataclass(frozen=True, slots=True)
class Target:
    """A host at one of its addresses; `server_name` is asked for in the handshake."""

    host: str
    address: str
    port: int
    server_name: str
    implicit_tls: bool = False

    @property
    def place(self) -> Place:
        return Place(self.host, self.address)


@dataclass(frozen=True, slots=True)
class Greeting:
    """A server that was greeted, in TLS if there is any: what it showed, else why there is none, and where we stand.

    `offers_tls`: it said that it has TLS, whatever came of it. `own_address` is ours, as text.
    """

    exchange: StreamExchange
    shown: TLSPeer | None = None
    failure: str = ""
    offers_tls: bool = False
    own_address: str = ""


async def greet(hostname: str, target: Target, context: ssl.SSLContext, *, with_tls: bool = True) -> Greeting:
    """Connect, begin TLS if the server has it (and `with_tls`), say EHLO as `hostname`. Raises ServerRefused."""
    place = target.place
    try:
        connection = await connect(target.address, target.port, limits.SMTP_CONNECT_TIMEOUT)
    except (OSError, trio.TooSlowError) as error:
        raise ServerRefused(Reply(0, "4.4.1", _failure(target, error)), place) from error
    exchange = StreamExchange(ClientProtocol(hostname), connection, place)
    greeting = Greeting(exchange, own_address=connection.own_address)
    try:
        if target.implicit_tls:
            shown = await _handshake(connection, target, context)
            exchange.client.tls_started()
            greeting = replace(greeting, shown=shown, offers_tls=True)
        greeted = await exchange.next_event()
        if not isinstance(greeted, Greeted) or not greeted.reply.is_positive:
            raise ServerRefused(reply_of(greeted), place)
        await _hello(exchange)
        if not with_tls or target.implicit_tls:
            return greeting
        shown_now, failure = await _start_tls(exchange, connection, target.server_name, context)
        offers = "STARTTLS" in exchange.client.capabilities or shown_now is not None
        if shown_now is not None:
            await _hello(exchange)
        return replace(greeting, shown=shown_now, failure=failure, offers_tls=offers)
    except BaseException:
        connection.hang_up()
        raise


def reply_of(event: Event) -> Reply:
    """The reply in an event; of an envelope's, which has many, that the connection is lost."""
    return LOST if isinstance(event, EnvelopeAnswered) else event.reply


async def _handshake(connection: Connection, target: Target, context: ssl.SSLContext) -> TLSPeer:
    try:
        return await handshake(connection, target.server_name, context)
    except HandshakeFailed as error:
        raise ServerRefused(Reply(0, "4.7.5", f"{target.host} ({target.address}): {error}"), target.place) from error


async def _hello(exchange: StreamExchange) -> None:
    """Say EHLO. Raises ServerRefused."""
    exchange.client.hello()
    answered = await exchange.next_event()
    if not isinstance(answered, HelloAnswered) or not answered.reply.is_positive:
        raise ServerRefused(reply_of(answered), exchange.place)


async def _start_tls(
    exchange: StreamExchange, connection: Connection, name: str, context: ssl.SSLContext
) -> tuple[TLSPeer | None, str]:
    """What the server showed, or why there is no TLS; after a failed handshake the connection is over."""
    client = exchange.client
    if "STARTTLS" not in client.capabilities:
        return None, "the server does not offer TLS"
    client.start_tls()
    answered = await exchange.next_event()
    if not isinstance(answered, TLSAnswered):
        raise ServerRefused(reply_of(answered), exchange.place)
    if not answered.reply.is_positive:
        return None, f"the server refused to begin TLS: {answered.reply.text}"
    try:
        shown = await handshake(connection, name, context)
    except HandshakeFailed as error:
        client.abandon(Reply(421, "4.7.5", str(error)))
        return None, str(error)
    client.tls_started()
    return shown, ""


def _failure(target: Target, error: Exception) -> str:
    who = f"{target.host} ({target.address})"
    if isinstance(error, trio.TooSlowError):
        return f"{who} did not answer in time"
    cause: BaseException = error.__cause__ or error
    if isinstance(cause, BaseExceptionGroup):
        cause = cause.exceptions[0]
    reason = getattr(cause, "strerror", None) or "no connection"
    return f"{who} cannot be reached: {reason}"
