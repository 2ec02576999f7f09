"""One block of the derived file `structure`: what is kept of some neighbouring messages, laid out to be sent.

It has three parts, of which who asks reads one; all begin with counts and the messages' numbers, each less the one
before, little-endian. The first part: two lengths a row, flags, and of each row `ENVELOPE (...) ` and
`BODYSTRUCTURE (...)`, so that both together are one slice. The second: how many header fields a row has (65535: they
are not kept), of each field which it is and its length, and all fields, each row's with its empty line as the last. The
third is `structure_order`'s.
"""

import struct
from collections.abc import Collection, Mapping
from itertools import pairwise
from typing import Any, ClassVar, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from crockery.message.headers import iterate_fields
from crockery.projections.structure_order import Order, Orders, encode_orders
from crockery.projections.structure_reader import PartReader, differences

KEPT_FIELDS: Final = (
    b"date", b"from", b"sender", b"reply-to", b"to", b"cc", b"bcc", b"subject", b"message-id", b"in-reply-to",
    b"references", b"content-type", b"content-transfer-encoding", b"mime-version", b"priority", b"x-priority",
    b"importance", b"x-mailer", b"user-agent", b"newsgroups", b"list-id", b"list-post", b"list-unsubscribe",
    b"disposition-notification-to", b"return-receipt-to", b"auto-submitted", b"x-spam-flag", b"x-spam-status",
    b"delivery-date", b"followup-to", b"x-label", b"resent-to", b"resent-cc", b"resent-from",
)  # fmt: skip
"""Header fields, lower case, that clients ask for when they list a mailbox. Their order is in the file's version."""

FIELD_ID: Final = {name: at for at, name in enumerate(KEPT_FIELDS)}
EMPTY_LINE: Final = 255
"""The field that ends each header."""

_ENVELOPE: Final = b"ENVELOPE "
_BODYSTRUCTURE: Final = b"BODYSTRUCTURE "
PARTS: Final = 3
_COUNT: Final = struct.Struct("<I")
_COUNTS: Final = struct.Struct("<II")
_NO_HEADER: Final = 0xFFFF
_UTF8_DIFFERS: Final = 1


class Kept(NamedTuple):
    """What is kept of one message."""

    envelope: bytes
    bodystructure: bytes
    header: bytes | None
    """The KEPT_FIELDS as they stand, and the empty line; None when they were too long to keep."""
    order: Order
    """What SORT and THREAD compare."""
    utf8_differs: bool
    """Clients that take UTF-8 must get ENVELOPE and BODYSTRUCTURE from the message itself."""

    @property
    def octets(self) -> int:
        """About what it takes in a block before compression."""
        order = sum(map(len, self.order.texts)) + 8 * len(self.order.references)
        return len(self.envelope) + len(self.bodystructure) + len(self.header or b"") + order


Rows = dict[int, Kept]
"""What is kept by message number."""


class Listings(PartReader):
    """ENVELOPE and BODYSTRUCTURE of the rows of a block."""

    PART: ClassVar = 0

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        (count,) = self.head(_COUNT)
        self.numbers = self.running("<u8", count)
        lengths = self.column("<u4", 2 * count)
        flags = self.column("u1", count)
        self.utf8_differs: list[bool] = (flags & _UTF8_DIFFERS != 0).tolist()
        """Of each row."""
        self._bounds = _bounds(lengths, self.at)
        """Where the texts of ENVELOPE and BODYSTRUCTURE begin, by turns, and where the last ends."""

    def envelopes(self) -> list[bytes]:
        """`ENVELOPE (...)` of each row."""
        bounds, data = self._bounds, self.data
        return [data[start : end - 1] for start, end in zip(bounds[:-1:2], bounds[1::2], strict=True)]

    def structures(self) -> list[bytes]:
        """`BODYSTRUCTURE (...)` of each row."""
        bounds, data = self._bounds, self.data
        return [data[start:end] for start, end in zip(bounds[1::2], bounds[2::2], strict=True)]

    def envelopes_and_structures(self) -> list[bytes]:
        """`ENVELOPE (...) BODYSTRUCTURE (...)` of each row."""
        bounds, data = self._bounds, self.data
        return [data[start:end] for start, end in zip(bounds[:-1:2], bounds[2::2], strict=True)]


class Headers(PartReader):
    """The header fields of the rows of a block."""

    PART: ClassVar = 1

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        count, fields = self.head(_COUNTS)
        self.numbers = self.running("<u8", count)
        counts = self.column("<u2", count).astype(np.int64)
        self.has_header: list[bool] = (counts != _NO_HEADER).tolist()
        """Of each row: whether its header fields are kept."""
        self._field_ends = np.where(counts == _NO_HEADER, 0, counts).cumsum()
        self._ids = self.column("u1", fields)
        self._lengths = self.column("<u2", fields).astype(np.int64)

    def fields(self, wanted: npt.NDArray[np.bool_]) -> list[bytes]:
        """The header fields of each row whose ids are `wanted` (of 256), joined; b"" where they are not kept."""
        chosen = wanted[self._ids]
        octets = np.frombuffer(self.data, np.uint8, offset=self.at)
        text = octets[np.repeat(chosen, self._lengths)].tobytes()
        ends = np.concatenate(([0], (self._lengths * chosen).cumsum()))
        return [text[start:end] for start, end in pairwise([0, *ends[self._field_ends].tolist()])]


def decode_rows(listings: Listings, headers: Headers, orders: Orders) -> Rows:
    """The rows of a block."""
    ends = headers.fields(np.ones(256, dtype=bool))
    return {
        number: Kept(
            envelope[len(_ENVELOPE) :], structure[len(_BODYSTRUCTURE) :], header if has else None, order, differs
        )
        for number, envelope, structure, differs, header, has, order in zip(
            listings.numbers, listings.envelopes(), listings.structures(), listings.utf8_differs,
            ends, headers.has_header, orders.rows(), strict=True,
        )
    }  # fmt: skip


def encode_block(rows: Mapping[int, Kept]) -> tuple[bytes, bytes, bytes]:
    """The parts of a block of these rows."""
    numbers = differences(rows)
    orders = encode_orders({number: kept.order for number, kept in rows.items()})
    return _encode_listings(numbers, rows.values()), _encode_headers(numbers, rows.values()), orders


def _encode_listings(numbers: bytes, rows: Collection[Kept]) -> bytes:
    texts: list[bytes] = []
    for kept in rows:
        texts += (b"%b%b " % (_ENVELOPE, kept.envelope), _BODYSTRUCTURE + kept.bodystructure)
    lengths = np.array(list(map(len, texts)), "<u4").tobytes()
    flags = bytes(_UTF8_DIFFERS if kept.utf8_differs else 0 for kept in rows)
    return b"".join([_COUNT.pack(len(rows)), numbers, lengths, flags, *texts])


def _encode_headers(numbers: bytes, rows: Collection[Kept]) -> bytes:
    counts: list[int] = []
    fields: list[tuple[int, int]] = []
    headers: list[bytes] = []
    for kept in rows:
        found = None if kept.header is None else _fields_of(kept.header)
        counts.append(_NO_HEADER if found is None else len(found))
        if kept.header is not None and found is not None:
            fields += found
            headers.append(kept.header)
    ids, lengths = bytes(field for field, _ in fields), np.array([length for _, length in fields], "<u2")
    head = [_COUNTS.pack(len(rows), len(fields)), numbers, np.array(counts, "<u2").tobytes()]
    return b"".join([*head, ids, lengths.tobytes(), *headers])


def _bounds(lengths: npt.NDArray[Any], start: int) -> list[int]:
    """Where texts of these lengths begin, and where the last ends."""
    bounds: list[int] = [start, *(lengths.cumsum(dtype=np.int64) + start).tolist()]
    return bounds


def _fields_of(header: bytes) -> list[tuple[int, int]] | None:
    """Id and length of each field of a kept header, the empty line as the last; None if they are not all of it."""
    fields: list[tuple[int, int]] = []
    at = 0
    for name, start, _, end in iterate_fields(header):
        field = FIELD_ID.get(name.lower())
        if start != at or field is None or end - start > 0xFFFF:
            return None
        fields.append((field, end - start))
        at = end
    fields.append((EMPTY_LINE, len(header) - at))
    return fields if header[at:] in (b"\r\n", b"\n") else None
