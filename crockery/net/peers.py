"""Peers as networks, how many connections they may have, and how fast.

A stranger commands the /24 or the /64 he sits in, so limits go by network. Peers on this machine are never limited:
they are its own programs, and a proxy there stands for many.
"""

import ipaddress
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

import trio

from crockery import limits

V = TypeVar("V")


def network_of(peer: str) -> str:
    """The network of an IP address, "192.0.2.0/24" or "2001:db8::/64"; "" for this machine."""
    address = ipaddress.ip_address(peer)
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if address.is_loopback:
        return ""
    return str(ipaddress.ip_network((address, 24 if address.version == 4 else 64), strict=False))


class Remembered(OrderedDict[str, V], Generic[V]):
    """A map that forgets what was not touched for longest when it gets too large."""

    def __init__(self, size: int = limits.PEERS_REMEMBERED) -> None:
        super().__init__()
        self._size = size

    def put(self, key: str, value: V) -> None:
        """Set a value and make it the newest."""
        self[key] = value
        self.move_to_end(key)
        if len(self) > self._size:
            self.popitem(last=False)


class ConnectionLimits:
    """Admits connections; each one admitted is released once."""

    def __init__(
        self,
        clock: Callable[[], float] = trio.current_time,
        *,
        total: int = limits.MAX_CONNECTIONS,
        per_network: int = limits.MAX_CONNECTIONS_PER_PEER,
        rate: float = limits.CONNECTION_RATE,
        burst: float = limits.CONNECTION_BURST,
    ) -> None:
        """`clock` gives monotonic seconds; `rate` is connections a minute."""
        self._clock = clock
        self._total = total
        self._per_network = per_network
        self._rate = rate / 60
        self._burst = burst
        self.count = 0
        self._counts: dict[str, int] = {}
        self._spent: Remembered[tuple[float, float]] = Remembered()
        """network -> (connections lately, when that was reckoned): a bucket that leaks at the rate."""

    def admit(self, peer: str) -> str:
        """Count a new connection; returns "", or why it is refused (a kind for the tally), and then counts nothing."""
        network = network_of(peer)
        if self.count >= self._total:
            return "connection-refused-total"
        if network:
            if self._counts.get(network, 0) >= self._per_network:
                return "connection-refused-network"
            if not self._spend(network):
                return "connection-refused-rate"
            self._counts[network] = self._counts.get(network, 0) + 1
        self.count += 1
        return ""

    def release(self, peer: str) -> None:
        """The connection has ended."""
        self.count -= 1
        network = network_of(peer)
        if network:
            left = self._counts[network] - 1
            if left:
                self._counts[network] = left
            else:
                del self._counts[network]

    def _spend(self, network: str) -> bool:
        now = self._clock()
        spent, since = self._spent.get(network, (0.0, now))
        spent = max(0.0, spent - (now - since) * self._rate)
        if spent + 1 > self._burst:
            return False
        self._spent.put(network, (spent + 1, now))
        return True
