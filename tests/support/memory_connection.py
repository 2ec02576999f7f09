"""A stream in memory as the client's side of SMTP sees a connection, with exact deadlines."""

from collections.abc import Sequence

import trio

from crockery import limits
from crockery.net.connection import PeerGone


class MemoryConnection:
    """A `sending.exchange.Stream` over one end of `memory_stream_pair`. Last words are lost: none are said at once."""

    def __init__(self, stream: "trio.StapledStream[trio.testing.MemorySendStream, trio.testing.MemoryReceiveStream]"):
        self._stream = stream

    async def receive(self, timeout: float) -> bytes:
        try:
            with trio.fail_after(max(timeout, 0)):
                return bytes(await self._stream.receive_some(limits.RECEIVE_SIZE))
        except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
            raise PeerGone(str(error)) from error

    async def send(self, data: bytes | Sequence[bytes]) -> None:
        try:
            with trio.fail_after(limits.SEND_TIMEOUT):
                await self._stream.send_all(data if isinstance(data, bytes) else b"".join(data))
        except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
            raise PeerGone(str(error)) from error

    def hang_up(self, last_words: bytes = b"") -> None:
        self._stream.send_stream.close()
        self._stream.receive_stream.close()
