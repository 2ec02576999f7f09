"""Ports for servers that must be told theirs before they start."""

import contextlib
import random
import socket
from typing import Final

STANDARD: Final = (25, 80, 143, 443, 465, 587, 993)
"""Those of a server whose offset is 0."""


def free_port() -> int:
    """A port that is free for TCP and UDP on every address of this machine.

    It is below those that the system gives to outgoing connections, of which one could take it before the server does.
    """
    while True:
        port = random.SystemRandom().randrange(10_000, 32_000)
        with (
            contextlib.suppress(OSError),
            socket.socket() as tcp,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
        ):
            tcp.bind(("0.0.0.0", port))
            udp.bind(("0.0.0.0", port))
            return port


def free_port_offset() -> int:
    """An offset with which every port of the contract is free on 127.0.0.1."""
    while True:
        offset = random.SystemRandom().randrange(10_000, 31_000)
        with contextlib.suppress(OSError):
            for port in STANDARD:
                socket.create_server(("127.0.0.1", port + offset)).close()
            return offset
