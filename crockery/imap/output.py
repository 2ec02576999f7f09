"""What a session has rendered and not yet sent.

Invariant (design §1.5): octets leave only when everything they tell of is on disk. `flush` is the one place that
waits for that, so whoever writes says how far the log had come for what it read.
"""

from time import perf_counter
from typing import Final

import trio

from crockery import limits
from crockery.events.writer import Writer
from crockery.imap.wire.compress import Deflater
from crockery.net.connection import Connection

TURN: Final = limits.IMAP_TURN


class Output:
    """Responses on their way to the client."""

    __slots__ = ("_connection", "_deflater", "_pieces", "_position", "_turn_ends", "_writer", "size")

    def __init__(self, connection: Connection, writer: Writer) -> None:
        self._connection = connection
        self._writer = writer
        self._deflater: Deflater | None = None
        self._pieces: list[bytes] = []
        self._position = 0
        self._turn_ends = 0.0
        self.size = 0

    def write(self, data: bytes, position: int = 0) -> None:
        """Add octets that tell of the log up to event `position`; 0: of nothing that is in the log."""
        if data:
            self._pieces.append(data)
            self.size += len(data)
            self.note(position)

    def write_all(self, pieces: list[bytes], position: int = 0) -> None:
        """`write` many."""
        self._pieces += pieces
        self.size += sum(map(len, pieces))
        self.note(position)

    def note(self, position: int) -> None:
        """What is written from now on must not leave before event `position` is on disk."""
        if position > self._position:
            self._position = position

    async def flush(self) -> None:
        """Send everything once it may be told. Raises trio.TooSlowError, PeerGone."""
        if not self._pieces:
            return
        pieces, self._pieces, self.size = self._pieces, [], 0
        await self._writer.wait_durable(self._position)
        if self._deflater is None:
            await self._connection.send(pieces)
        else:
            await self._send_deflated(self._deflater, pieces)

    async def compress(self, deflater: Deflater | None) -> None:
        """Send what is written so far as ever; from now on everything goes through `deflater`, or plain without one.

        Raises trio.TooSlowError, PeerGone.
        """
        await self.flush()
        self._deflater = deflater

    async def _send_deflated(self, deflater: Deflater, pieces: list[bytes]) -> None:
        for data in deflater.deflate(pieces):
            if data:
                await self._connection.send(data)
            await self.pause()

    async def relieve(self, held: int = limits.IMAP_OUTPUT_HELD) -> None:
        """In the midst of a long command: send if more is held, and let others have a turn when ours was long."""
        if self.size >= held:
            await self.flush()
        await self.pause()

    async def pause(self) -> None:
        """Give the others a turn, if this session has computed for long without one."""
        now = perf_counter()
        if now < self._turn_ends:
            return
        if self._turn_ends:
            await trio.lowlevel.checkpoint()
            now = perf_counter()
        self._turn_ends = now + TURN
