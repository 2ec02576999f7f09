"""Listening sockets: opening them with errors a person can act on, and accepting for ever."""

import errno
import ipaddress
import logging
import socket
from collections.abc import Callable, Sequence
from typing import Final

import trio

from crockery import limits

logger: Final = logging.getLogger(__name__)

ALL_ADDRESSES: Final = ("0.0.0.0", "::")

_RETRY: Final = {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS}
_PEER_WENT: Final = {
    errno.ECONNABORTED, errno.EPERM, errno.EPROTO, errno.ENETDOWN, errno.ENETUNREACH, errno.EHOSTUNREACH,
    errno.EHOSTDOWN, errno.EINTR, errno.ENOPROTOOPT, errno.EOPNOTSUPP, errno.ETIMEDOUT,
}  # fmt: skip


class ListenFailed(Exception):
    """A port cannot be listened on; str() is one sentence saying what is wrong and what to do."""


def open_listeners(addresses: Sequence[str], port: int) -> list[socket.socket]:
    """Listen on a port of these addresses (none: of all). Raises ListenFailed.

    Port 0 is any free one, the same for all addresses. On all addresses, a machine without IPv6 (or IPv4) is served
    by what it has.
    """
    if not 0 <= port < 1 << 16:
        raise ListenFailed(f"there is no port {port}: choose a --port-offset below 64000")
    listeners: list[socket.socket] = []
    try:
        for address in addresses or ALL_ADDRESSES:
            _check_address(address)
            try:
                listener = _listen(address, port)
            except OSError as error:
                if not addresses and listeners and _is_missing(error):
                    continue
                raise ListenFailed(_sentence(error, address, port)) from error
            listeners.append(listener)
            port = port or listener.getsockname()[1]
    except BaseException:
        for listener in listeners:
            listener.close()
        raise
    return listeners


def _listen(address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # accepted sockets inherit it
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind((address, port))
        sock.listen(limits.LISTEN_BACKLOG)
    except BaseException:
        sock.close()
        raise
    return sock


def _check_address(address: str) -> None:
    try:
        ipaddress.ip_address(address)
    except ValueError:
        raise ListenFailed(f"--bind {address}: that is not an IP address") from None


def _is_missing(error: OSError) -> bool:
    """The machine does not have this kind of address at all."""
    return error.errno in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL, errno.EPROTONOSUPPORT)


def _sentence(error: OSError, address: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"port {port} of {address} is taken by another program: stop that one (`ss -ltnp` names it), or use "
            "--port-offset or --bind"
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return (
            f"port {port} needs permission: start with the systemd unit, as root, or after "
            "`setcap cap_net_bind_service=+ep` on the Python that runs this; or use --port-offset 8000"
        )
    if error.errno == errno.EADDRNOTAVAIL:
        return f"--bind {address}: this machine does not have that address"
    return f"cannot listen on port {port} of {address}: {error.strerror or error}"


async def accept_forever(listener: socket.socket, handle: Callable[[socket.socket], None]) -> None:
    """Give each accepted socket to `handle`, until cancelled. The listener stays the caller's to close."""
    while True:
        try:
            sock, _ = listener.accept()
        except BlockingIOError:
            await trio.lowlevel.wait_readable(listener)
        except OSError as error:
            if error.errno in _RETRY:
                logger.error("a connection must wait: %s", error.strerror)
                await trio.sleep(limits.ACCEPT_RETRY)
            elif error.errno not in _PEER_WENT:
                raise
        else:
            handle(sock)
            await trio.lowlevel.checkpoint()
