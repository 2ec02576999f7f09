"""The child process that signs, as the server sees it. Messages go there one behind the other, whoever waits for which;
their signatures come back in the same order.
"""

from collections.abc import Iterable, Sequence
from enum import IntEnum

from crockery.children.child import Child, ChildFailed, values_of
from crockery.children.frames import Frame, encode


class Kind(IntEnum):
    """What a frame is."""

    KEYS = 1
    """From now on sign with these: domain, selector and private key of each."""
    READY = 2
    """The answer to KEYS."""
    SIGN = 3
    """Sign a message, at a Unix time."""
    SIGNED = 4
    """Its fields."""


Keys = Sequence[tuple[str, str, bytes]]
"""Domain, selector and private key, in PEM or DER, of each."""


class SigningProcess:
    """A child that is ready. `start` makes one; who cancels one of its calls can only `end` it."""

    def __init__(self, child: Child) -> None:
        self._child = child
        self.end = child.end

    @classmethod
    async def start(cls, keys: Keys) -> "SigningProcess":
        """Raises OSError, ChildFailed."""
        return cls(await Child.start_ready(encode(Kind.KEYS, *keys), Kind.READY, "crockery.delivery.signing.child"))

    async def sign(self, messages: Iterable[bytes], now: int) -> None:
        """Begin to sign messages. Raises ChildFailed."""
        await self._child.send(b"".join([encode(Kind.SIGN, message, now) for message in messages]))

    async def signatures(self) -> list[bytes]:
        """The fields of messages that have none yet, one or more, in order. Raises ChildFailed."""
        frame: Frame | None = await self._child.receive()
        fields = []
        while frame is not None:
            match values_of(frame, Kind.SIGNED):
                case [bytes() as signed]:
                    fields.append(signed)
                case _:
                    raise ChildFailed("no signature")
            frame = self._child.receive_now()
        return fields
