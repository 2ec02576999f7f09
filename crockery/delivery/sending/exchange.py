"""A connection to another server: the protocol's state machine and the stream under it, with the deadlines of RFC 5321
§4.5.3.2. What goes wrong on the way comes out as an event of the protocol, never as an exception.
"""

import contextlib

import trio

from crockery import limits
from crockery.delivery.sending.ways import Wanted
from crockery.projections.queue import Place
from crockery.smtp.wire.client import TIMED_OUT, ClientProtocol, Stage
from crockery.smtp.wire.client_events import Event


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
        """Send what is to be sent, read until something has happened. Each reply has its time, not each octet of it."""
        replies, deadline = -1, 0.0
        while (event := self.client.next_event()) is None:
            await self.send()
            if self.client.stage is Stage.CLOSED:
                continue
            if replies != self.client.replies:
                replies, deadline = self.client.replies, trio.current_time() + self.client.timeout
            try:
                with trio.fail_at(deadline):
                    data = await self.stream.receive_some(limits.RECEIVE_SIZE)
            except trio.TooSlowError:
                self.client.abandon(TIMED_OUT)
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                self.client.receive_data(b"")
            else:
                self.client.receive_data(bytes(data))
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
        view = memoryview(data)
        try:
            for start in range(0, len(data), limits.SEND_CHUNK):
                with trio.fail_after(limits.SEND_TIMEOUT):
                    await self.stream.send_all(view[start : start + limits.SEND_CHUNK])
        except trio.TooSlowError:
            self.client.abandon(TIMED_OUT)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            return False
        return True

    async def _overhear(self) -> None:
        """Servers that refuse a message in its midst say so and hang up; what they said would be lost with the rest."""
        with contextlib.suppress(trio.BrokenResourceError, trio.ClosedResourceError):
            self.client.receive_data(bytes(await self.stream.receive_some(limits.RECEIVE_SIZE)))

    async def close(self) -> None:
        """Say goodbye, if that is legal now, and hang up."""
        try:
            if self.client.stage in (Stage.GREETED, Stage.READY):
                self.client.quit()
                with trio.move_on_after(limits.SMTP_FAREWELL_TIMEOUT), contextlib.suppress(trio.BrokenResourceError):
                    await self.stream.send_all(self.client.data_to_send())
        finally:
            await trio.aclose_forcefully(self.stream)
