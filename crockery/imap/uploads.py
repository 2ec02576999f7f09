"""Messages on their way in: the literals of APPEND and REPLACE (RFC 9051 §6.3.12), and what CATENATE joins to them.

A large message goes to the log in parts while it arrives, each durable before many more are taken, so that neither the
session nor the log's queue holds it; its share of the budget bounds what all sessions hold together. Parts of a message
that never becomes whole stay unreferenced and are erased by and by.
"""

from crockery import limits
from crockery.actions.incoming import IncomingBody, ReceivedBody
from crockery.actions.store import Store
from crockery.events.writer import Writer
from crockery.message.headers import header_length
from crockery.net.budget import Budget


class Upload:
    """One message."""

    def __init__(self, store: Store, writer: Writer, budget: Budget) -> None:
        self._store = store
        self._writer = writer
        self._budget = budget
        self._body = IncomingBody(store)
        self._share = 0
        self._head = b""
        self.pieces = 0
        """Pieces of the message that have been written or are coming in."""

    @property
    def size(self) -> int:
        """Octets so far."""
        return self._body.size

    @property
    def header(self) -> bytes:
        """The header, as far as it is kept."""
        return self._head[: header_length(self._head)]

    async def begin(self, size: int) -> None:
        """Take a share of the budget for `size` more octets; raises trio.TooSlowError."""
        more = min(self._share + size, limits.IMAP_UPLOAD_HELD) - self._share
        if more > 0:
            await self._budget.take(more)
            self._share += more

    async def write(self, data: bytes | memoryview) -> None:
        """Take octets; raises LogFull."""
        if len(self._head) < limits.IMAP_UPLOAD_HEAD:
            self._head += data[: limits.IMAP_UPLOAD_HEAD]
        before = self._store.log.head
        self._body.write(bytes(data))
        if self._store.log.head != before:
            await self._writer.wait_durable(before)

    def finish(self) -> ReceivedBody:
        """The body; raises LogFull."""
        return self._body.finish()

    def end(self) -> None:
        """Give the share back; harmless when repeated."""
        self._budget.give(self._share)
        self._share = 0
