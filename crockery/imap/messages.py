"""The contents of stored messages, as FETCH and SEARCH ask for them; one for all sessions of a server.

Messages up to IMAP_STREAMED_MIN octets are read in place, which takes a millisecond; of larger ones their octets in
ranges. Rows that are not there yet are made in place for messages up to IMAP_MADE_MIN octets, for others in a thread.
A message whose body is damaged or erased reads as a notice (design §2), so that a mailbox can be listed whatever
happened to the disk.
"""

import contextlib
import logging
from collections import OrderedDict
from collections.abc import AsyncIterator, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import trio

from crockery import limits
from crockery.events.errors import BodyUnreadable
from crockery.events.log import Log
from crockery.imap.errors import Refusal
from crockery.imap.output import Output
from crockery.message.headers import header_fields
from crockery.message.preview import preview
from crockery.message.structure import Part, parse_structure
from crockery.message.summary import summarize
from crockery.net.budget import Budget
from crockery.projections.structure import KEPT_FIELDS, Ask, Kept, Structures
from crockery.projections.structure_order import NOTHING, Chosen
from crockery.projections.text import Texts

Mask = npt.NDArray[np.bool_]

logger: Final = logging.getLogger(__name__)

NOTICE: Final = (
    b"Subject: This message cannot be read\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n"
    b"The stored text of this message is %b (event %d of the log).\r\n"
    b"`crockery verify` tells more; a backup of the log may still hold it.\r\n"
)


def _notice(error: BodyUnreadable) -> bytes:
    logger.warning("%s", error)
    return NOTICE % (error.reason.encode("ascii"), error.number)


class Messages:
    """Reads messages by number."""

    def __init__(self, log: Log, structures: Structures, texts: Texts, budget: Budget) -> None:
        self._log = log
        self._structures = structures
        self.searchable = texts
        """What SEARCH looks through, by message number."""
        self._budget = budget
        self._trees: OrderedDict[int, Part] = OrderedDict()
        self._previews: OrderedDict[int, bytes] = OrderedDict()

    def read(self, number: int) -> bytes:
        """The octets of a message, or of the notice that stands for it."""
        return self.read_many((number,))[0]

    def read_many(self, numbers: Sequence[int]) -> list[bytes]:
        """The same of many: those that came one after the other are read at once."""
        return [found if isinstance(found, bytes) else _notice(found) for found in self._log.read_messages(numbers)]

    def read_range(self, number: int, start: int, length: int) -> bytes:
        """`length` octets from `start` of a large message; where they cannot be read, as many blanks."""
        try:
            return self._log.read_range(number, start, length)
        except BodyUnreadable as error:
            logger.warning("%s", error)
            return b" " * length

    def texts(self, numbers: Sequence[int], ask: Ask) -> list[bytes | None]:
        """What these messages answer, in order; None where one must be looked at itself."""
        try:
            return self._structures.texts(numbers, ask)
        except BodyUnreadable:
            return [self._text_or_notice(number, ask) for number in numbers]

    def known(self, numbers: Sequence[int], asks: Sequence[Ask]) -> Mask:
        """Which of these messages answer all that is asked without a look at the message itself."""
        known = np.ones(len(numbers), dtype=bool)
        for ask in asks:
            known &= np.array(self._structures.known(numbers, ask), dtype=bool)
        return known

    def have_rows(self, numbers: Sequence[int] | npt.NDArray[np.uint64]) -> bool:
        """Whether the structure file has come to all of these messages."""
        return int(np.max(numbers, initial=0)) <= self._structures.last

    async def orders(self, numbers: Sequence[int], sizes: Sequence[int], out: Output) -> list[Chosen]:
        """What SORT and THREAD compare of these messages, which ascend. Others get turns meanwhile."""
        lacking = self._structures.lacking(numbers)
        await self.make_rows([numbers[at] for at in lacking], [sizes[at] for at in lacking], out)
        return self._structures.orders(numbers, lambda number: self._kept_or_notice(number).order)

    async def make_rows(self, numbers: Sequence[int], sizes: Sequence[int], out: Output) -> None:
        """Have the rows of messages that have none computed. Others get turns meanwhile."""
        for number, size in zip(numbers, sizes, strict=True):
            if size > limits.IMAP_MADE_MIN:
                await self.prepare(number, size)
            else:
                self._kept_or_notice(number)
                await out.pause()

    def preview(self, number: int, size: int, *, lazy: bool) -> bytes | None:
        """The first words of a message, UTF-8; None if that takes long and `lazy` says not to wait for it.

        Of a large message its beginning alone is looked at, so that it takes no more than a few milliseconds.
        """
        known = self._previews.get(number)
        if known is not None:
            return known
        large = size > limits.IMAP_STREAMED_MIN
        if large and lazy:
            return None
        data = self.read_range(number, 0, limits.IMAP_STREAMED_MIN) if large else self.read(number)
        text = preview(data, parse_structure(data)).encode("utf-8", "replace")
        self._previews[number] = text
        if len(self._previews) > limits.IMAP_PREVIEWS_KEPT:
            self._previews.popitem(last=False)
        return text

    @contextlib.asynccontextmanager
    async def holding(self, octets: int) -> AsyncIterator[None]:
        """Within it, that many octets of large messages may be held. Raises Refusal when others hold too many."""
        try:
            await self._budget.take(octets)
        except trio.TooSlowError:
            raise Refusal("Too many large messages are being read; try again later", b"UNAVAILABLE") from None
        try:
            yield
        finally:
            self._budget.give(octets)

    async def prepare(self, number: int, size: int) -> None:
        """Have the row of a large message computed in a thread, so that `texts` finds it ready. Raises Refusal."""
        async with self.holding(size):
            await trio.to_thread.run_sync(self._kept_or_notice, number)

    async def tree(self, number: int, size: int) -> Part:
        """The parts of a large message; kept for the clients that read one in many small ranges. Raises Refusal."""
        tree = self._trees.get(number)
        if tree is None:
            async with self.holding(size):
                tree = await trio.to_thread.run_sync(lambda: parse_structure(self.read(number)))
            self._trees[number] = tree
            if len(self._trees) > limits.IMAP_TREES_KEPT:
                self._trees.popitem(last=False)
        return tree

    def _text_or_notice(self, number: int, ask: Ask) -> bytes | None:
        try:
            return self._structures.texts([number], ask)[0]
        except BodyUnreadable:
            return ask.of_row(self._kept_or_notice(number))

    def _kept_or_notice(self, number: int) -> Kept:
        try:
            return self._structures.kept(number)
        except BodyUnreadable:
            data = self.read(number)
        summary = summarize(data)
        header = header_fields(data, KEPT_FIELDS, 0, summary.header_length)
        return Kept(summary.envelope, summary.bodystructure, header, NOTHING, False)
