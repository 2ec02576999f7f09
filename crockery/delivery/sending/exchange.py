"""A connection to another server: the protocol's state machine and the stream under it, with the deadlines of RFC 5321
§4.5.3.2. What goes wrong on the way comes out as an event of the protocol, never as an exception.
"""

import contextlib
from typing import Final

import trio

from crockery import limits
from crockery.delivery.sending.ways import Wanted
from crockery.projections.queue import Place
from crockery.smtp.wire.client import TIMED_OUT, ClientProtocol, Stage
from crockery.smtp.wire.client_events import Event

_FAREWELL: Final = 1.0
"""Seconds that QUIT may take to leave."""


class StreamExchange:
    """A `ways.Exchange` over a Trio stream."""

    def __init__(
        self, client: ClientProtocol, stream: trio.abc.Stream, place: Place, serves: frozenset[Wanted] = frozenset()
    ) -> None:
        self.client = client
        self.stream = stream
        self.place = place
        self.serves = serves

    async def next_event(self) -> Event:
        """Send what is to be sent, read until something has happened."""
        while (event := self.client.next_event()) is None:
            await self.send()
            try:
                with trio.fail_after(self.client.timeout):
                    data = await self.stream.receive_some(limits.RECEIVE_SIZE)
            except trio.TooSlowError:
                self.client.abandon(TIMED_OUT)
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                self.client.receive_data(b"")
            else:
                self.client.receive_data(bytes(data))
        return event

    async def send(self) -> None:
        """Send what is to be sent."""
        data = self.client.data_to_send()
        if not data:
            return
        try:
            with trio.fail_after(limits.SEND_TIMEOUT):
                await self.stream.send_all(data)
        except trio.TooSlowError:
            self.client.abandon(TIMED_OUT)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            self.client.receive_data(b"")

    async def close(self) -> None:
        """Say goodbye, if that is legal now, and hang up."""
        try:
            if self.client.stage in (Stage.GREETED, Stage.READY):
                self.client.quit()
                with trio.move_on_after(_FAREWELL), contextlib.suppress(trio.BrokenResourceError):
                    await self.stream.send_all(self.client.data_to_send())
        finally:
            await trio.aclose_forcefully(self.stream)
