"""One block of the derived file `structure`: what is kept of some neighbouring messages, laid out to be sent.

Little-endian: the number of rows and of header fields; then, each for all rows or fields, the messages' numbers, three
lengths a row (ENVELOPE, BODYSTRUCTURE, rest of the summary), how many header fields a row has (65535: they are not
kept), flags; which field it is and its length. Then the texts: of each row `ENVELOPE (...) ` and `BODYSTRUCTURE (...)`,
so that both together are one slice; all header fields, each row's with its empty line as the last; the rests.
"""

import struct
from collections.abc import Mapping
from functools import cached_property
from itertools import pairwise
from typing import Any, Final, NamedTuple

import msgpack
import numpy as np
import numpy.typing as npt

from crockery.message.headers import iterate_fields

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
_COUNTS: Final = struct.Struct("<II")
_NO_HEADER: Final = 0xFFFF
_UTF8_DIFFERS: Final = 1

Integers = npt.NDArray[np.int64]


class Kept(NamedTuple):
    """What is kept of one message."""

    envelope: bytes
    bodystructure: bytes
    header: bytes | None
    """The KEPT_FIELDS as they stand, and the empty line; None when they were too long to keep."""
    rest: bytes
    utf8_differs: bool
    """Clients that take UTF-8 must get ENVELOPE and BODYSTRUCTURE from the message itself."""

    @property
    def octets(self) -> int:
        """What it takes in a block before compression, its lengths aside."""
        return len(self.envelope) + len(self.bodystructure) + len(self.header or b"") + len(self.rest)

    def details(self) -> "Details":
        """The rest of the summary."""
        return Details(*msgpack.unpackb(self.rest, use_list=False, unicode_errors="surrogatepass"))


class Details(NamedTuple):
    """What SORT and THREAD need, and the length of the header."""

    header_length: int
    subject: str
    base_subject: str
    is_reply: bool
    sent: tuple[int, ...] | None
    message_id: bytes | None
    in_reply_to: tuple[bytes, ...]
    references: tuple[bytes, ...]


Rows = dict[int, Kept]
"""What is kept by message number."""


class Block:
    """The octets of a block, taken apart as far as somebody asks."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.count, self._fields = _COUNTS.unpack_from(data)
        self._at = _COUNTS.size
        self.numbers: list[int] = self._column("<u8", self.count).tolist()
        self._lengths = self._column("<u4", 3 * self.count).astype(np.int64).reshape(-1, 3)
        self._field_counts = self._column("<u2", self.count)
        self._flags = self._column("u1", self.count)
        self._field_ids = self._column("u1", self._fields)
        self._field_lengths = self._column("<u2", self._fields).astype(np.int64)

    @cached_property
    def utf8_differs(self) -> list[bool]:
        """Of each row."""
        differs: list[bool] = (self._flags & _UTF8_DIFFERS != 0).tolist()
        return differs

    @cached_property
    def has_header(self) -> list[bool]:
        """Of each row: whether its header fields are kept."""
        has: list[bool] = (self._field_counts != _NO_HEADER).tolist()
        return has

    def envelopes(self) -> list[bytes]:
        """`ENVELOPE (...)` of each row."""
        bounds, data = self._listing, self.data
        return [data[start : end - 1] for start, end in zip(bounds[:-1:2], bounds[1::2], strict=True)]

    def structures(self) -> list[bytes]:
        """`BODYSTRUCTURE (...)` of each row."""
        bounds, data = self._listing, self.data
        return [data[start:end] for start, end in zip(bounds[1::2], bounds[2::2], strict=True)]

    def envelopes_and_structures(self) -> list[bytes]:
        """`ENVELOPE (...) BODYSTRUCTURE (...)` of each row."""
        bounds, data = self._listing, self.data
        return [data[start:end] for start, end in zip(bounds[:-1:2], bounds[2::2], strict=True)]

    def headers(self, wanted: npt.NDArray[np.bool_]) -> list[bytes]:
        """The header fields of each row whose ids are `wanted` (of 256), joined; b"" where they are not kept."""
        chosen = wanted[self._field_ids]
        ends = self._field_lengths.cumsum() + self._headers_at
        starts, ends = (ends - self._field_lengths)[chosen], ends[chosen]
        data = self.data
        text = b"".join([data[start:end] for start, end in zip(starts.tolist(), ends.tolist(), strict=True)])
        octets = np.zeros(self._fields + 1, np.int64)
        np.cumsum(self._field_lengths * chosen, out=octets[1:])
        fields = np.where(self._field_counts == _NO_HEADER, 0, self._field_counts)
        bounds = [0, *octets[fields.cumsum()].tolist()]
        return [text[start:end] for start, end in pairwise(bounds)]

    def rows(self) -> Rows:
        """All of it."""
        headers = self.headers(np.ones(256, dtype=bool))
        bounds = [0, *self._lengths[:, 2].cumsum().tolist()]
        at = self._headers_at + int(self._field_lengths.sum())
        rests = [self.data[at + start : at + end] for start, end in pairwise(bounds)]
        return {
            number: Kept(
                envelope[len(_ENVELOPE) :], structure[len(_BODYSTRUCTURE) :], header if has else None, rest, differs
            )
            for number, envelope, structure, header, has, rest, differs in zip(
                self.numbers, self.envelopes(), self.structures(), headers, self.has_header, rests, self.utf8_differs,
                strict=True,
            )
        }  # fmt: skip

    @cached_property
    def _listing(self) -> list[int]:
        """Where the texts of ENVELOPE and BODYSTRUCTURE begin, by turns, and where the last ends."""
        bounds = np.full(2 * self.count + 1, self._at, np.int64)
        bounds[1:] += self._lengths[:, :2].ravel().cumsum()
        listed: list[int] = bounds.tolist()
        return listed

    @property
    def _headers_at(self) -> int:
        return self._listing[-1]

    def _column(self, dtype: str, count: int) -> npt.NDArray[Any]:
        column = np.frombuffer(self.data, dtype, count, self._at)
        self._at += column.nbytes
        return column


def encode_block(rows: Mapping[int, Kept]) -> bytes:
    """The octets of a block of these rows."""
    lengths: list[int] = []
    counts: list[int] = []
    fields: list[tuple[int, int]] = []
    listings: list[bytes] = []
    for kept in rows.values():
        listing = (b"%b%b " % (_ENVELOPE, kept.envelope), _BODYSTRUCTURE + kept.bodystructure)
        listings += listing
        lengths += (*map(len, listing), len(kept.rest))
        found = None if kept.header is None else _fields_of(kept.header)
        counts.append(_NO_HEADER if found is None else len(found))
        fields += found or ()
    flags = bytes(_UTF8_DIFFERS if kept.utf8_differs else 0 for kept in rows.values())
    headers = [kept.header or b"" for kept, count in zip(rows.values(), counts, strict=True) if count != _NO_HEADER]
    columns = [np.array(list(rows), "<u8"), np.array(lengths, "<u4"), np.array(counts, "<u2")]
    ids, field_lengths = bytes(field for field, _ in fields), np.array([length for _, length in fields], "<u2")
    head = [_COUNTS.pack(len(rows), len(fields)), *map(np.ndarray.tobytes, columns), flags]
    rests = [kept.rest for kept in rows.values()]
    return b"".join([*head, ids, field_lengths.tobytes(), *listings, *headers, *rests])


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
