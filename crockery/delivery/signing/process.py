"""The child process that signs, as the server sees it. Messages go there one behind the other, whoever waits for which;
their signatures come back in the same order.
"""

from collections.abc import Iterable, Sequence
from enum import IntEnum

from crockery.children.child import Child, ChildFailed
from crockery.children.frames import encode


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
        child = await Child.start("crockery.delivery.signing.child")
        process = cls(child)
        try:
            await child.send(encode(Kind.KEYS, *keys))
            await process._receive(Kind.READY)
        except BaseException:
            await child.end()
            raise
        return process

    async def sign(self, messages: Iterable[bytes], now: int) -> None:
        """Begin to sign messages. Raises ChildFailed."""
        await self._child.send(b"".join([encode(Kind.SIGN, message, now) for message in messages]))

    async def signature(self) -> bytes:
        """The fields of the message that was given to it first and has none yet. Raises ChildFailed."""
        (fields,) = await self._receive(Kind.SIGNED)
        if not isinstance(fields, bytes):
            raise ChildFailed("no signature")
        return fields

    async def _receive(self, kind: Kind) -> list[object]:
        frame = await self._child.receive()
        if frame.kind != kind:
            raise ChildFailed(f"a frame of kind {frame.kind} instead of {kind.name}")
        return frame.values
