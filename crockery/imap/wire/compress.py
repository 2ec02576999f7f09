"""COMPRESS=DEFLATE (RFC 4978): the command, and raw DEFLATE streams (RFC 1951) in both directions, sans-IO."""

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from crockery import limits
from crockery.imap.wire.cursor import Cursor
from crockery.imap.wire.errors import BadCommand, StreamLost

SYNC: Final = b"\x00\x00\xff\xff"
"""What a stream flushed with Z_SYNC_FLUSH ends with."""

_LEVEL: Final = 1
"""The least work; RFC 4978 §4: typical responses still come to 25-40 % of their size."""
_OUT_WINDOW: Final = -13
_OUT_MEMORY: Final = 6
"""8 KiB of window: 64 KiB of state a session instead of 256, which a thousand idle phones would make 256 MiB."""
_IN_WINDOW: Final = -15
"""The client may use all of it."""


@dataclass(frozen=True, slots=True)
class Compress:
    """COMPRESS; there is but one mechanism."""


def parse_compress(cursor: Cursor) -> Compress:
    """`compress = "COMPRESS" SP algorithm`, `algorithm = "DEFLATE"`"""
    cursor.space()
    algorithm = cursor.word("algorithm")
    if algorithm != "DEFLATE":
        raise BadCommand(f"Unknown compression algorithm {algorithm[:40]}")
    return Compress()


class StreamDamaged(StreamLost):
    """Octets that are no DEFLATE stream: what the client says cannot be known any more."""

    code = b"CLIENTBUG"


class Inflater:
    """What the client sends, decompressed piece by piece: no input, however small, makes much at once.

    Invariant: a piece never goes beyond a sync marker, so that what follows the command in it may be of another layer
    (`take_rest`): the client ends its stream after UNAUTHENTICATE (RFC 8437 §4.1).
    """

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(_IN_WINDOW)
        self._buffer = bytearray()
        self._more = False  # the last piece was cut at the limit: the stream has more without new input

    def receive_data(self, data: bytes) -> None:
        """Take what the connection brought."""
        self._buffer += data

    def next_data(self) -> bytes:
        """The next piece, at most IMAP_INFLATE_STEP octets; empty: more input is needed.

        Raises StreamDamaged for what is no DEFLATE, and for input after the stream's end.
        """
        while self._buffer or self._more:
            if self._stream.eof:
                raise StreamDamaged("The compressed stream has ended")
            data = self._inflate()
            if data:
                return data
        return b""

    def _inflate(self) -> bytes:
        marker = self._buffer.find(SYNC)
        end = len(self._buffer) if marker < 0 else marker + len(SYNC)
        piece = bytes(self._buffer[:end])
        try:
            data = self._stream.decompress(piece, limits.IMAP_INFLATE_STEP)
        except zlib.error:
            raise StreamDamaged("The compressed stream is damaged") from None
        left = len(self._stream.unconsumed_tail) + len(self._stream.unused_data)
        del self._buffer[: end - left]
        self._more = len(data) == limits.IMAP_INFLATE_STEP
        return data

    def take_rest(self) -> bytes:
        """What came in after the last sync marker or the stream's end, as it came."""
        rest = bytes(self._buffer)
        self._buffer.clear()
        return rest


class Deflater:
    """What the server sends, compressed; whatever goes out can be read at once (Z_SYNC_FLUSH)."""

    def __init__(self) -> None:
        self._stream = zlib.compressobj(_LEVEL, zlib.DEFLATED, _OUT_WINDOW, _OUT_MEMORY)

    def deflate(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """The compressed octets of these, some after each IMAP_DEFLATE_STEP, so that the caller can pause between."""
        view = memoryview(b"".join(pieces))
        for start in range(0, len(view), limits.IMAP_DEFLATE_STEP):
            yield self._stream.compress(view[start : start + limits.IMAP_DEFLATE_STEP])
        yield self._stream.flush(zlib.Z_SYNC_FLUSH)
