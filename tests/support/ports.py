"""Ports for servers that must be told theirs before they start."""

import contextlib
import random
import socket


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
