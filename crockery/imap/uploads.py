"""Messages on their way in: the streamed literals of APPEND (RFC 9051 §6.3.12).

A large message goes to the log in parts while it arrives, each durable before many more are taken, so that neither the
session nor the log's queue holds it; its share of the budget bounds what all sessions hold together.
"""

from crockery import limits
from crockery.actions.incoming import IncomingBody, ReceivedBody
from crockery.actions.store import Store
from crockery.events.writer import Writer
from crockery.message.headers import field_values
from crockery.message.subjects import message_ids
from crockery.net.budget import Budget


class Upload:
    """One streamed literal."""

    def __init__(self, store: Store, writer: Writer, budget: Budget) -> None:
        self._store = store
        self._writer = writer
        self._budget = budget
        self._body = IncomingBody(store)
        self._share = 0
        self._head = b""

    async def begin(self, size: int) -> None:
        """Take a share of the budget; raises trio.TooSlowError."""
        share = min(size, limits.IMAP_UPLOAD_HELD)
        await self._budget.take(share)
        self._share = share

    async def write(self, data: bytes) -> None:
        """Take octets; raises LogFull."""
        if len(self._head) < limits.IMAP_UPLOAD_HEAD:
            self._head += data
        before = self._store.log.head
        self._body.write(data)
        if self._store.log.head != before:
            await self._writer.wait_durable(before)

    def finish(self) -> tuple[ReceivedBody, str]:
        """The body and its Message-ID; raises LogFull."""
        return self._body.finish(), find_message_id(self._head)

    def end(self) -> None:
        """Give the share back; harmless when repeated."""
        self._budget.give(self._share)
        self._share = 0


def find_message_id(data: bytes) -> str:
    """The Message-ID of a message, without its brackets; "" if it has none."""
    values = field_values(data, b"message-id")
    found = message_ids(values[0]) if values else ()
    return found[0][1:-1].decode("utf-8", "replace") if found else ""
