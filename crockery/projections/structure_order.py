"""What SORT and THREAD compare of messages (RFC 5256, RFC 5957): one message's values, and the columns of a block.

A block's part, little-endian: how many rows and how many ids they refer to; then the messages' numbers, each less the
one before; NUMBERS, column by column; how many ids each refers to; these ids; the lengths of the texts, column by
column, and the texts. Numbers and ids have 64 bits. Text is folded (i;unicode-casemap, RFC 5051), UTF-8.
"""

import struct
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from itertools import pairwise
from typing import ClassVar, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from crockery.limits import KEPT_ADDRESS
from crockery.message.addresses import Address, Group, parse_addresses
from crockery.message.structure import Envelope
from crockery.message.summary import Summary
from crockery.message.text import fold
from crockery.message.words import decode_words
from crockery.projections.structure_reader import PartReader, differences

Numbers = npt.NDArray[np.int64]
Column = Numbers | list[str] | tuple[Numbers, Numbers]
"""Values of messages: numbers; texts; or how many numbers each has, and all of these."""

UNDATED: Final = -(2**62)
"""The sent date of a message that has none that can be read."""
NUMBERS: Final = ("DATE", "SENTDAY", "REPLY", "ID")
TEXTS: Final = ("SUBJECT", "FROM", "TO", "CC", "DISPLAYFROM", "DISPLAYTO")
REFERENCES: Final = "REFERENCES"

_COUNTS: Final = struct.Struct("<II")


class Order(NamedTuple):
    """The values of one message."""

    numbers: tuple[int, ...]
    """By NUMBERS: when it was sent, Unix seconds, and on which day since 1970 in the sender's zone; whether it is a
    reply; the number of its id, 0 if it has none."""
    references: tuple[int, ...]
    """The numbers of the ids in References, or else of the first in In-Reply-To."""
    texts: tuple[str, ...]
    """By TEXTS."""


NOTHING: Final = Order((UNDATED, UNDATED, 0, 0), (), ("",) * len(TEXTS))


def order_of(summary: Summary, envelope: Envelope) -> Order:
    """What is compared of a message."""
    sent = summary.sent
    dates = (UNDATED, UNDATED) if sent is None else (sent.seconds, (sent.seconds + sent.zone * 60) // 86400)
    from_, to, cc = map(_first_address, (envelope.from_, envelope.to, envelope.cc))
    texts = (summary.base_subject, _mailbox(from_), _mailbox(to), _mailbox(cc), _display(from_), _display(to))
    return Order(
        (*dates, int(summary.is_reply), _number_of(summary.message_id)),
        tuple(map(_number_of, summary.references or summary.in_reply_to[:1])),
        tuple(map(fold, texts)),
    )


def _first_address(value: bytes | None) -> Address | Group | None:
    return next(iter(parse_addresses(value[:KEPT_ADDRESS])), None) if value else None


def _mailbox(address: Address | Group | None) -> str:
    """The local part; of a group its name, as ENVELOPE has it (RFC 5256 §3)."""
    if address is None:
        return ""
    return (address.name if isinstance(address, Group) else address.local).decode("utf-8", "replace")


def _display(address: Address | Group | None) -> str:
    """What a person sees: the name, else the address, of a group its name (RFC 5957 §3)."""
    if address is None:
        return ""
    return decode_words(address.name) if isinstance(address, Group) else address.display or address.addr_spec


def _number_of(message_id: bytes | None) -> int:
    # By chance two of a million ids meet with odds of 1 : 30 million; then a thread has a message too many.
    if not message_id:
        return 0
    return int.from_bytes(blake2b(message_id, digest_size=8).digest(), "little", signed=True) or 1


class Orders(PartReader):
    """The columns of the rows of a block."""

    PART: ClassVar = 2

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        count, references = self.head(_COUNTS)
        self.numbers = self.running("<u8", count)
        self._numbers: Numbers = self.column("<i8", len(NUMBERS) * count).reshape(len(NUMBERS), count)
        self._counts: Numbers = self.column("<u4", count).astype(np.int64)
        self._references: Numbers = self.column("<i8", references)
        self._ends = self.column("<u4", len(TEXTS) * count).cumsum(dtype=np.int64).reshape(len(TEXTS), count)
        self._texts_at = self.at

    def values(self, name: str) -> Column:
        """One column."""
        if name in TEXTS:
            return self._texts(TEXTS.index(name))
        if name == REFERENCES:
            return self._counts, self._references
        numbers: Numbers = self._numbers[NUMBERS.index(name)]
        return numbers

    def rows(self) -> list[Order]:
        """Each row's values."""
        numbers = map(tuple, self._numbers.T.tolist())
        references, ends = self._references.tolist(), self._counts.cumsum().tolist()
        lists = [tuple(references[start:end]) for start, end in pairwise([0, *ends])]
        texts = zip(*map(self._texts, range(len(TEXTS))), strict=True)
        return list(map(Order, numbers, lists, texts))

    def _texts(self, column: int) -> list[str]:
        ends = self._ends[column].tolist()
        if not ends:
            return []
        start = int(self._ends[column - 1, -1]) if column else 0
        whole = self.data[self._texts_at + start : self._texts_at + ends[-1]]
        bounds = zip([0, *(end - start for end in ends[:-1])], [end - start for end in ends], strict=True)
        if whole.isascii():
            text = whole.decode("ascii")
            return [text[low:high] for low, high in bounds]
        return [whole[low:high].decode("utf-8", "surrogatepass") for low, high in bounds]


class Chosen(NamedTuple):
    """Some rows of a block, in its order."""

    orders: Orders
    places: Numbers

    def values(self, name: str) -> Column:
        """One column of these rows."""
        column = self.orders.values(name)
        if isinstance(column, list):
            return [column[place] for place in self.places.tolist()]
        if isinstance(column, tuple):
            counts, numbers = column
            chosen = np.zeros(len(counts), dtype=bool)
            chosen[self.places] = True
            return counts[self.places], numbers[np.repeat(chosen, counts)]
        return column[self.places]


def encode_orders(orders: Mapping[int, Order]) -> bytes:
    """The part of a block with these messages, by number."""
    rows = list(orders.values())
    texts = [row.texts[at].encode("utf-8", "surrogatepass") for at in range(len(TEXTS)) for row in rows]
    references = [number for row in rows for number in row.references]
    return b"".join(
        [
            _COUNTS.pack(len(rows), len(references)),
            differences(orders),
            np.array([row.numbers for row in rows], "<i8").T.tobytes(),
            _lengths(row.references for row in rows),
            np.array(references, "<i8").tobytes(),
            _lengths(texts),
            *texts,
        ]
    )


def _lengths(found: Iterable[Sequence[object]]) -> bytes:
    return np.array(list(map(len, found)), "<u4").tobytes()
