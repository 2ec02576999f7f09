"""What a connection to another server is to the sender, and why there is none."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from crockery.projections.queue import NOWHERE, Place
from crockery.smtp.wire.client import ClientProtocol
from crockery.smtp.wire.client_events import Event


class Wanted(enum.Enum):
    """What the way must be like."""

    SECURE = "secure"
    """Verified TLS, or a grant; else the message is held."""
    BEST = "best"
    """The best to be had; only DANE and an enforced MTA-STS policy stop it. For what nobody can be asked about."""
    UNVERIFIED = "unverified"
    """The sender said: send it all the same; there was no talk of a policy of the domain's own."""
    ANY = "any"
    """The sender said so, and was told that the domain's own policy forbids it."""
    REQUIRETLS = "requiretls"
    """RFC 8689: a hop that promises it, at an MX that DNSSEC or MTA-STS vouches for."""


class Exchange(Protocol):
    """A connection that was greeted, is in TLS where there is TLS, and is ready for `client.mail`."""

    @property
    def client(self) -> ClientProtocol:
        """Speak through it, then wait for `next_event`."""

    @property
    def place(self) -> Place:
        """Where it goes."""

    @property
    def serves(self) -> frozenset[Wanted]:
        """What may go over it."""

    async def next_event(self) -> Event:
        """Send what is to be sent, read until something has happened. A lost peer is an event too."""

    async def send(self) -> None:
        """Send what is to be sent. A lost peer shows in the next event."""

    def close(self) -> None:
        """Say goodbye without waiting for the answer."""


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why there is no way: the words of an `actions.queue.Outcome`."""

    result: str
    """ "deferred", "held" or "failed"."""
    code: int = 0
    enhanced: str = ""
    text: str = ""
    why: str = ""
    problem: Mapping[str, Any] | None = None
    place: Place = NOWHERE
    is_down: bool = False
    """Nothing will get through to that destination at the moment, whatever message it is."""


class NoWay(Exception):
    """No connection came about that the message may go over."""

    def __init__(self, obstacle: Obstacle) -> None:
        super().__init__(obstacle.text)
        self.obstacle = obstacle


class Dialer(Protocol):
    """Finds ways."""

    async def dial(self, domain: str, wanted: Wanted) -> Exchange:
        """A connection to a mail server of the domain that may be used for `wanted`. Raises NoWay."""
