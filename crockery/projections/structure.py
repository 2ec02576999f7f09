"""Follower: what FETCH asks of messages besides their octets, ready to send, in the derived file `structure`.

It trails the log: `follow` is told of new messages, `work` makes rows for some of them when there is time. Whoever asks
for a message that has no row yet, or one that does not verify, gets it computed from the log, so nothing waits and
nothing in the file is trusted beyond its checksum. Pure of Trio; reading and writing the file blocks for microseconds.

File: magic, version, the log's header; then rows in order of message number: number, CRC-32 of the content, flags, four
lengths; content: ENVELOPE, BODYSTRUCTURE, the header fields that clients ask for, the rest of the summary. Beside it
`structure.index`: number and offset of each row, sixteen octets each.
"""

import os
import struct
import zlib
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgpack
import numpy as np
import numpy.typing as npt

from crockery.events.errors import BodyUnreadable
from crockery.events.file import LogFile
from crockery.events.format import HEADER_SIZE, Header
from crockery.limits import KEPT_HEADER, STRUCTURE_CACHE
from crockery.message.headers import header_fields
from crockery.message.summary import VERSION as SUMMARY_VERSION
from crockery.message.summary import Summary, summarize

MAGIC: Final = b"CrkStruc"
VERSION: Final = 1
NAME: Final = "structure"
_PREFIX: Final = struct.Struct("<8sII")
_ROW: Final = struct.Struct("<QIIIIII")
_INDEX: Final = np.dtype([("number", "<u8"), ("offset", "<u8")])
_START: Final = _PREFIX.size + HEADER_SIZE
_UTF8_DIFFERS: Final = 1
_HEADER_KEPT: Final = 2

KEPT_FIELDS: Final = frozenset(
    (
        b"date", b"from", b"sender", b"reply-to", b"to", b"cc", b"bcc", b"subject", b"message-id", b"in-reply-to",
        b"references", b"content-type", b"content-transfer-encoding", b"mime-version", b"priority", b"x-priority",
        b"importance", b"x-mailer", b"user-agent", b"newsgroups", b"list-id", b"list-post", b"list-unsubscribe",
        b"disposition-notification-to", b"return-receipt-to", b"auto-submitted", b"x-spam-flag", b"x-spam-status",
        b"delivery-date", b"followup-to", b"x-label", b"resent-to", b"resent-cc", b"resent-from",
    )
)  # fmt: skip
"""Header fields, lower case, that clients ask for when they list a mailbox."""


class Kept(NamedTuple):
    """What is kept of one message."""

    envelope: bytes
    bodystructure: bytes
    header: bytes | None
    """The KEPT_FIELDS as they stand, and the empty line; None when they were too long to keep."""
    rest: bytes
    utf8_differs: bool
    """Clients that take UTF-8 must get ENVELOPE and BODYSTRUCTURE from the message itself."""

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


class Structures:
    """Rows by message number, from the file or computed."""

    def __init__(
        self, folder: Path, file: LogFile, header: Header, read_message: Callable[[int], tuple[bytes, bytes]]
    ) -> None:
        """Open the file in `folder`, or begin a new one; raises OSError.

        `read_message` gives prefix and body of a message, and raises BodyUnreadable.
        """
        self._read_message = read_message
        self._pending: deque[int] = deque()
        self._recent: OrderedDict[int, Kept] = OrderedDict()
        folder.mkdir(mode=0o700, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        self._rows = os.open(folder / NAME, flags, 0o600)
        self._index_file = os.open(folder / (NAME + ".index"), flags, 0o600)
        start = _PREFIX.pack(MAGIC, VERSION, SUMMARY_VERSION) + file.read(0, HEADER_SIZE)
        if os.pread(self._rows, _START, 0) != start:
            os.ftruncate(self._rows, 0)
            os.pwrite(self._rows, start, 0)
            os.ftruncate(self._index_file, 0)
        self._numbers, self._offsets = self._load_index()
        self._end = self._find_end()

    @property
    def last(self) -> int:
        """Number of the newest message that has a row; 0: none."""
        return int(self._numbers[-1]) if len(self._numbers) else 0

    @property
    def backlog(self) -> int:
        """Messages that wait for a row."""
        return len(self._pending)

    def follow(self, numbers: Iterable[int]) -> None:
        """Note new messages, in order of number."""
        self._pending.extend(numbers)

    def work(self, count: int) -> int:
        """Make rows for up to `count` waiting messages; returns how many are left. Raises OSError."""
        rows: list[bytes] = []
        added: list[tuple[int, int]] = []
        end = self._end
        for _ in range(min(count, len(self._pending))):
            number = self._pending.popleft()
            if number <= (added[-1][0] if added else self.last):
                continue
            try:
                kept = self._compute(number)
            except BodyUnreadable:
                continue
            rows.append(_encode(number, kept))
            added.append((number, end))
            end += len(rows[-1])
        if rows:
            self._append(b"".join(rows), added)
        return len(self._pending)

    def kept(self, number: int) -> Kept:
        """What is kept of one message; raises BodyUnreadable."""
        return self.many([number])[0]

    def many(self, numbers: Sequence[int] | npt.NDArray[Any]) -> list[Kept]:
        """What is kept of many messages, in order; cheapest for runs of neighbours. Raises BodyUnreadable."""
        wanted = np.asarray(numbers, dtype=np.uint64)
        at = np.searchsorted(self._numbers, wanted)
        if len(self._numbers):
            found = self._numbers[np.minimum(at, len(self._numbers) - 1)] == wanted
            found &= at < len(self._numbers)
        else:
            found = np.zeros(len(wanted), dtype=bool)
        rows = self._read_rows(at[found])
        if len(rows) == len(wanted) and None not in rows:
            return rows  # type: ignore[return-value]
        from_file = iter(rows)
        result = []
        for number, there in zip(wanted.tolist(), found.tolist(), strict=True):
            result.append((next(from_file) if there else None) or self._computed(number))
        return result

    def summary(self, number: int) -> Summary:
        """The whole summary of a message, computed; raises BodyUnreadable."""
        return summarize(b"".join(self._read_message(number)))

    def erase(self, numbers: Iterable[int]) -> None:
        """Forget messages whose bodies are erased: their rows become zeros. Raises OSError."""
        for number in numbers:
            self._recent.pop(number, None)
            at = int(np.searchsorted(self._numbers, number))
            if at < len(self._numbers) and int(self._numbers[at]) == number:
                offset = int(self._offsets[at])
                end = int(self._offsets[at + 1]) if at + 1 < len(self._offsets) else self._end
                os.pwrite(self._rows, bytes(end - offset - 8), offset + 8)

    def clear(self) -> None:
        """Forget all rows and all messages that wait for one. Raises OSError."""
        os.ftruncate(self._index_file, 0)
        os.ftruncate(self._rows, _START)
        self._numbers, self._offsets = self._load_index()
        self._end = self._find_end()
        self._pending.clear()
        self._recent.clear()

    def close(self) -> None:
        """Close the files."""
        os.close(self._rows)
        os.close(self._index_file)

    # The file.

    def _load_index(self) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
        size = os.fstat(self._index_file).st_size
        entries = np.frombuffer(os.pread(self._index_file, size - size % _INDEX.itemsize, 0), dtype=_INDEX)
        numbers, offsets = entries["number"].copy(), entries["offset"].copy()
        rows_end = os.fstat(self._rows).st_size
        rising = np.ones(len(numbers), dtype=bool)
        rising[1:] = (numbers[1:] > numbers[:-1]) & (offsets[1:] > offsets[:-1])
        sound = rising & (offsets < rows_end)
        good = len(numbers) if sound.all() else int(np.argmin(sound))
        while good and not self._row_verifies(int(numbers[good - 1]), int(offsets[good - 1])):
            good -= 1
        os.ftruncate(self._index_file, good * _INDEX.itemsize)
        return numbers[:good], offsets[:good]

    def _row_verifies(self, number: int, offset: int) -> bool:
        data = os.pread(self._rows, _ROW.size, offset)
        if len(data) < _ROW.size:
            return False
        length = _ROW.size + sum(_ROW.unpack(data)[3:])
        return _ROW.unpack(data)[0] == number and _decode(os.pread(self._rows, length, offset)) is not None

    def _find_end(self) -> int:
        if not len(self._offsets):
            return _START
        offset = int(self._offsets[-1])
        lengths: tuple[int, ...] = _ROW.unpack(os.pread(self._rows, _ROW.size, offset))[3:]
        return offset + _ROW.size + sum(lengths)

    def _append(self, data: bytes, added: list[tuple[int, int]]) -> None:
        os.pwrite(self._rows, data, self._end)
        entries = np.array(added, dtype=_INDEX)
        os.pwrite(self._index_file, entries.tobytes(), len(self._numbers) * _INDEX.itemsize)
        self._end += len(data)
        self._numbers = np.concatenate((self._numbers, entries["number"]))
        self._offsets = np.concatenate((self._offsets, entries["offset"]))

    def _read_rows(self, at: npt.NDArray[np.int64]) -> list[Kept | None]:
        """Rows by index, read in runs of neighbours; None for one that does not verify."""
        result: list[Kept | None] = []
        if not len(at):
            return result
        ends = np.append(self._offsets[1:], np.uint64(self._end))
        starts = self._offsets[at].tolist()
        stops = ends[at].tolist()
        breaks = np.flatnonzero(np.diff(at) != 1) + 1
        for first, last in zip([0, *breaks.tolist()], [*breaks.tolist(), len(at)], strict=True):
            base = starts[first]
            data = os.pread(self._rows, stops[last - 1] - base, base)
            for start, stop in zip(starts[first:last], stops[first:last], strict=True):
                result.append(_decode(data[start - base : stop - base]))
        return result

    # Computing.

    def _computed(self, number: int) -> Kept:
        kept = self._recent.get(number)
        if kept is None:
            kept = self._recent[number] = self._compute(number)
            if len(self._recent) > STRUCTURE_CACHE:
                self._recent.popitem(last=False)
        return kept

    def _compute(self, number: int) -> Kept:
        data = b"".join(self._read_message(number))
        summary = summarize(data)
        header = header_fields(data, KEPT_FIELDS, 0, summary.header_length)
        details = (
            summary.header_length, summary.subject, summary.base_subject, summary.is_reply, summary.sent,
            summary.message_id, summary.in_reply_to, summary.references,
        )  # fmt: skip
        rest = msgpack.packb(details, unicode_errors="surrogatepass")
        kept_header = header if len(header) <= KEPT_HEADER else None
        return Kept(summary.envelope, summary.bodystructure, kept_header, rest, summary.utf8_differs)


def _encode(number: int, kept: Kept) -> bytes:
    flags = (_UTF8_DIFFERS if kept.utf8_differs else 0) | (_HEADER_KEPT if kept.header is not None else 0)
    header = kept.header or b""
    content = b"".join((kept.envelope, kept.bodystructure, header, kept.rest))
    lengths = (len(kept.envelope), len(kept.bodystructure), len(header), len(kept.rest))
    return _ROW.pack(number, zlib.crc32(content, flags), flags, *lengths) + content


def _decode(data: bytes) -> Kept | None:
    if len(data) < _ROW.size:
        return None
    _, checksum, flags, envelope, bodystructure, header, rest = _ROW.unpack_from(data)
    content = data[_ROW.size :]
    bodystructure += envelope
    header += bodystructure
    if len(content) != header + rest or not header or zlib.crc32(content, flags) != checksum:
        return None
    return Kept(
        content[:envelope],
        content[envelope:bodystructure],
        content[bodystructure:header] if flags & _HEADER_KEPT else None,
        content[header:],
        bool(flags & _UTF8_DIFFERS),
    )
