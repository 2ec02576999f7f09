"""A connection to another server: the protocol's state machine and the stream under it, with the deadlines of RFC 5321
§4.5.3.2. What goes wrong on the way comes out as an event of the protocol, never as an exception.
"""

import contextlib
from collections.abc import Sequence
from typing import Protocol

import trio

from crockery import limits
from crockery.delivery.sending.ways import Wanted
from crockery.net.connection import PeerGone
from crockery.projections.queue import Place
from crockery.smtp.wire.client import TIMED_OUT, ClientProtocol, Stage
from crockery.smtp.wire.client_events import Event


class Stream(Protocol):
    """Octets to a server and from it: a `net.connection.Connection`."""

    async def receive(self, timeout: float) -> bytes:
        """Octets from the server; b"" when it has ended. Raises trio.TooSlowError, PeerGone."""

    async def send(self, data: bytes | Sequence[bytes]) -> None:
        """Send all of it; each `SEND_CHUNK` has its time. Raises trio.TooSlowError, PeerGone."""

    def hang_up(self, last_words: bytes = b"") -> None:
        """Say something if it can be said at once, and close."""


class StreamExchange:
    """A `ways.Exchange` over a connection."""

    def __init__(
        self, client: ClientProtocol, stream: Stream, place: Place, serves: frozenset[Wanted] = frozenset()
    ) -> None:
        self.client = client
        self.stream = stream
        self.place = place
        self.serves = serves

    async def next_event(self) -> Event:
        """Send what is to be sent, read until something has happened. Each reply has its time, not each octet of it."""
        client = self.client
        replies, deadline = -1, 0.0
        while (event := client.next_event()) is None:
            await self.send()
            if client.stage is Stage.CLOSED:
                continue
            if replies != client.replies:
                replies, deadline = client.replies, trio.current_time() + client.timeout
            try:
                client.receive_data(await self.stream.receive(deadline - trio.current_time()))
            except trio.TooSlowError:
                client.abandon(TIMED_OUT)
            except PeerGone:
                client.receive_data(b"")
        return event

    async def send(self) -> None:
        """Send what is to be sent. With much to send, hear what the server says to it meanwhile."""
        data = self.client.data_to_send()
        if not data:
            return
        if len(data) <= limits.SEND_CHUNK:
            is_sent = await self._write(data)
        else:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._overhear)
                is_sent = await self._write(data)
                nursery.cancel_scope.deadline = trio.current_time() + (0 if is_sent else limits.SMTP_FAREWELL_TIMEOUT)
        if not is_sent:
            self.client.receive_data(b"")

    async def _write(self, data: bytes) -> bool:
        """False: the server is gone."""
        pieces = [data[start : start + limits.SEND_CHUNK] for start in range(0, len(data), limits.SEND_CHUNK)]
        try:
            await self.stream.send(pieces)
        except trio.TooSlowError:
            self.client.abandon(TIMED_OUT)
        except PeerGone:
            return False
        return True

    async def _overhear(self) -> None:
        """Servers that refuse a message in its midst say so and hang up; what they said would be lost with the rest."""
        with contextlib.suppress(PeerGone, trio.TooSlowError):
            self.client.receive_data(await self.stream.receive(limits.SMTP_DATA_BLOCK_TIMEOUT))

    def close(self) -> None:
        """Say goodbye, if that is legal now and can be said at once, and hang up."""
        goodbye = b""
        if self.client.stage in (Stage.GREETED, Stage.READY):
            self.client.quit()
            goodbye = self.client.data_to_send()
        self.stream.hang_up(goodbye)
