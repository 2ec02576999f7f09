"""A TLS server on a port of its own, for tests: it reads up to an empty line, says its piece, and closes."""

import contextlib
import dataclasses
import ssl
from collections.abc import AsyncIterator, Callable, Sequence

import trio


@dataclasses.dataclass
class Served:
    """Where the server is, and what it was told."""

    port: int
    requests: list[bytes] = dataclasses.field(default_factory=list)


@contextlib.asynccontextmanager
async def tls_server(
    context: ssl.SSLContext | None,
    answers: Sequence[bytes] | Callable[[bytes], bytes] = (),
    *,
    closes: bool = True,
) -> AsyncIterator[Served]:
    """Answer each connection with `answers`, one piece after another, or with what they make of the request; without
    context in the clear. If not `closes` the connection stays open."""

    async def serve(stream: trio.SocketStream) -> None:
        wrapped: trio.abc.Stream = stream
        if context is not None:
            wrapped = trio.SSLStream(stream, context, server_side=True, https_compatible=True)
        with contextlib.suppress(trio.BrokenResourceError, trio.ClosedResourceError):
            request = b""
            while b"\r\n\r\n" not in request:
                data = await wrapped.receive_some()
                if not data:
                    break
                request += data
            served.requests.append(request)
            for answer in [answers(request)] if callable(answers) else answers:
                await wrapped.send_all(answer)
            if not closes:
                await trio.sleep_forever()
        with contextlib.suppress(trio.BrokenResourceError, trio.ClosedResourceError):
            await wrapped.aclose()

    listener = (await trio.open_tcp_listeners(0, host="127.0.0.1"))[0]
    served = Served(listener.socket.getsockname()[1])
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.serve_listeners, serve, [listener])
        yield served
        nursery.cancel_scope.cancel()
