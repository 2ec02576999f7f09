"""One connection, plain or TLS, as the protocols see it: receive octets, send octets, start TLS, close.

The socket is tried first and waited for only if it would block: half the cost of a NOOP is saved so. TLS is the
standard library's, on the non-blocking socket itself: no second buffers, no copies.

Invariants: a peer cannot starve others (after `FAIR_SHARE` calls that did not block, everybody else gets a turn), and
every wait has a deadline, kept to a second (`deadlines`). One task receives and one task sends at a time. After an
exception only `close` is of use.
"""

import contextlib
import ipaddress
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any, Final, Self, TypeVar

import trio

from crockery import limits
from crockery.net.deadlines import deadlines
from crockery.net.tls import TLSHolder

T = TypeVar("T")

Wait = Callable[[Any], Awaitable[None]]
"""`trio.lowlevel.wait_readable`, or `wait_writable`."""

_GATHERED: Final = 2 * limits.KiB
"""Octets of a piece on average from which joining costs more than sending them apart."""
_GATHERED_MAX: Final = 512
"""Pieces in one system call, which takes 1024."""


class PeerGone(ConnectionError):
    """The connection broke, or the TLS handshake failed; str() says how."""


class Connection:
    """A connection. Whoever made it closes it; cancellation of any call leaves it fit for `close` only."""

    __slots__ = ("_deadlines", "_eager", "_holder", "_socket", "is_loopback", "peer", "tls")

    def __init__(self, sock: socket.socket, holder: TLSHolder | None = None) -> None:
        """Take over a connected TCP socket. `holder` has the certificate for `start_tls`. Raises OSError."""
        sock.setblocking(False)
        address = sock.getpeername()
        self._socket = sock
        self._holder = holder
        self._deadlines = deadlines()
        self._eager = 0
        self.peer: str = address[0].partition("%")[0]
        """The peer's IP address as text."""
        self.is_loopback = ipaddress.ip_address(self.peer).is_loopback
        self.tls = ""
        """Version and cipher, as "TLSv1.3 TLS_AES_256_GCM_SHA384"; "" without TLS."""

    @property
    def is_secure(self) -> bool:
        """Whether passwords may pass: TLS, or a peer on this machine."""
        return bool(self.tls) or self.is_loopback

    @property
    def own_address(self) -> str:
        """Our end's IP address as text. Raises OSError."""
        address: str = self._socket.getsockname()[0]
        return address

    async def receive(self, timeout: float) -> bytes:
        """Octets from the peer, at most `RECEIVE_SIZE`; b"" when it has ended. Raises trio.TooSlowError, PeerGone."""
        self._eager += 1
        if self._eager > limits.FAIR_SHARE:
            await self._give_turn()
        try:
            return self._socket.recv(limits.RECEIVE_SIZE)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            pass
        except OSError as error:
            raise PeerGone(str(error)) from error
        with _Patience(self, timeout) as patience:
            await patience.wait(trio.lowlevel.wait_readable)
            return await self._attempt(lambda: self._socket.recv(limits.RECEIVE_SIZE), patience)

    def receive_now(self) -> bytes | None:
        """Octets that are here already, or None: so that a pipeline is answered at once. Takes no turns; never raises.

        Where the stream has ended or is broken it gives None, and `receive` tells.
        """
        try:
            return self._socket.recv(limits.RECEIVE_SIZE) or None
        except OSError:
            return None

    async def send(self, data: bytes | Sequence[bytes], timeout: float = limits.SEND_TIMEOUT) -> None:
        """Send all of it; returns when the system has taken it. `timeout` is for each `SEND_CHUNK`.

        Raises trio.TooSlowError, PeerGone.
        """
        for chunk in _chunks((data,) if isinstance(data, bytes) else data):
            self._eager += 1
            if self._eager > limits.FAIR_SHARE:
                await self._give_turn()
            if not self.tls and 1 < len(chunk) <= _GATHERED_MAX and sum(map(len, chunk)) >= _GATHERED * len(chunk):
                await self._send_gathered(chunk, timeout)
            else:
                await self._send_one(chunk[0] if len(chunk) == 1 else b"".join(chunk), timeout)

    async def _send_one(self, data: bytes, timeout: float) -> None:
        try:
            sent = self._socket.send(data)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            sent = 0
        except OSError as error:
            raise PeerGone(str(error)) from error
        if sent < len(data):
            await self._send_rest(memoryview(data)[sent:], timeout)

    async def _send_gathered(self, pieces: list[bytes], timeout: float) -> None:
        """Large pieces are not joined first: the system gathers them, and one copy of each is saved."""
        try:
            sent = self._socket.sendmsg(pieces)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            raise PeerGone(str(error)) from error
        if sent < sum(map(len, pieces)):
            await self._send_rest(memoryview(b"".join(pieces))[sent:], timeout)

    async def _send_rest(self, rest: memoryview, timeout: float) -> None:
        with _Patience(self, timeout) as patience:
            while rest:
                sent = await self._attempt(lambda: self._socket.send(rest), patience, trio.lowlevel.wait_writable)  # noqa: B023
                rest = rest[sent:]

    async def start_tls(self) -> None:
        """Do the server's side of the handshake; nothing when TLS is on already. Raises PeerGone.

        What the peer sent in the clear beyond its STARTTLS is the session's to drop; what is still in the socket makes
        the handshake fail.
        """
        if self.tls:
            return
        assert self._holder is not None
        try:
            await self.shake_hands(self._holder.context, limits.TLS_HANDSHAKE_TIMEOUT, server_side=True)
        except (OSError, ValueError, trio.TooSlowError) as error:
            raise PeerGone(f"the TLS handshake failed: {error}") from error

    async def shake_hands(
        self, context: ssl.SSLContext, timeout: float, *, server_side: bool = False, name: str | None = None
    ) -> ssl.SSLSocket:
        """Do a TLS handshake; returns what Python knows of the session. `name` is what a client asks for (SNI).

        Raises trio.TooSlowError, PeerGone, OSError, and ValueError or TypeError for a name that cannot be asked for.
        """
        self._socket.getpeername()  # wrapping a socket that is gone would leave it to the garbage collector
        sock = context.wrap_socket(
            self._socket, server_side=server_side, server_hostname=name, do_handshake_on_connect=False
        )
        self._socket = sock
        with _Patience(self, timeout) as patience:
            await self._attempt(sock.do_handshake, patience)
        cipher = sock.cipher()
        self.tls = f"{sock.version()} {cipher[0] if cipher else ''}"
        return sock

    async def close(self) -> None:
        """End our side, wait shortly for the peer's end, and close; at once when cancelled. Raises nothing else."""
        sock = self._socket
        try:
            with contextlib.suppress(OSError, ValueError, trio.TooSlowError):
                if isinstance(sock, ssl.SSLSocket) and self.tls:
                    with contextlib.suppress(OSError):
                        sock.unwrap()
                sock.shutdown(socket.SHUT_WR)
                await self._drain()
        finally:
            if sock.fileno() >= 0:
                trio.lowlevel.notify_closing(sock)
                sock.close()

    def hang_up(self, last_words: bytes = b"") -> None:
        """Say something if it can be said at once, and close."""
        if self._socket.fileno() < 0:
            return
        if last_words:
            with contextlib.suppress(OSError):
                self._socket.send(last_words)
        trio.lowlevel.notify_closing(self._socket)
        self._socket.close()

    async def _drain(self) -> None:
        """Read and drop what the peer still sends: closing on unread octets resets, and takes our last words along."""
        dropped = 0
        with _Patience(self, limits.CLOSE_LINGER) as patience:
            while dropped < limits.CLOSE_DRAIN:
                # What is inside TLS does not matter any more: this is the recv below it.
                data = await self._attempt(lambda: socket.socket.recv(self._socket, limits.RECEIVE_SIZE), patience)
                if not data:
                    return
                dropped += len(data)

    async def _give_turn(self) -> None:
        self._eager = 0
        await trio.lowlevel.checkpoint()

    async def _attempt(
        self, call: Callable[[], T], patience: "_Patience", wait: Wait = trio.lowlevel.wait_readable
    ) -> T:
        """Make a non-blocking call until it does not block, with `wait` between."""
        self._eager = 0
        while True:
            try:
                return call()
            except BlockingIOError:
                await patience.wait(wait)
            except ssl.SSLWantReadError:
                await patience.wait(trio.lowlevel.wait_readable)
            except ssl.SSLWantWriteError:
                await patience.wait(trio.lowlevel.wait_writable)
            except OSError as error:
                raise PeerGone(str(error)) from error


class _Patience:
    """The time that one call has for all its waits."""

    __slots__ = ("_connection", "_is_over", "_timeout")

    def __init__(self, connection: Connection, timeout: float) -> None:
        self._connection = connection
        self._timeout = timeout
        self._is_over = False

    def __enter__(self) -> Self:
        self._connection._deadlines.begin(self, self._timeout)
        return self

    def __exit__(self, *exception: object) -> None:
        self._connection._deadlines.end(self)

    async def wait(self, wait: Wait) -> None:
        """Wait for the socket. Raises trio.TooSlowError."""
        if self._is_over:
            raise trio.TooSlowError
        try:
            await wait(self._connection._socket)
        except trio.ClosedResourceError:
            if self._is_over:
                raise trio.TooSlowError from None
            if self._connection._socket.fileno() < 0:
                raise  # else the time of the other direction is over: try again

    def overdue(self) -> None:
        """Called by the deadlines."""
        self._is_over = True
        trio.lowlevel.notify_closing(self._connection._socket)  # wakes who waits; the socket stays as it is


def _chunks(pieces: Sequence[bytes]) -> Iterator[list[bytes]]:
    """The same pieces in lists of about `SEND_CHUNK` octets."""
    chunk: list[bytes] = []
    size = 0
    for piece in pieces:
        chunk.append(piece)
        size += len(piece)
        if size >= limits.SEND_CHUNK:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk
