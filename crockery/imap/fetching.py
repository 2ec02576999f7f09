"""FETCH items to octets, many messages at once.

A `Plan` is made once a command: one format string for the response line and, for each item, a function that gives its
values for a whole slice of messages. So a line costs one `%`, and what is in the columns is never touched one by one.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Any, Final

from crockery.imap.errors import Refusal
from crockery.imap.features import Features
from crockery.imap.messages import Messages
from crockery.imap.selected import Indices, Selected
from crockery.imap.wire.fetch import FetchItem, FetchSection, Item
from crockery.imap.wire.render import render_internal_date, render_nstring
from crockery.imap.wire.responses import render_section
from crockery.message.bodystructure import render_bodystructure
from crockery.message.envelope import render_envelope
from crockery.message.headers import header_fields, header_fields_not, header_fields_of_all, header_length
from crockery.message.sections import find_part, section_bytes
from crockery.message.structure import Part, parse_structure
from crockery.message.transfer import UnknownEncodingError, decode_transfer
from crockery.projections.structure import KEPT_FIELDS, Kept

KEPT_ITEMS: Final = frozenset(("ENVELOPE", "BODYSTRUCTURE"))


class Slice:
    """Some messages of a view, and their contents as far as somebody asked."""

    def __init__(self, selected: Selected, indices: Indices, rows: Indices, messages: Messages) -> None:
        self.selected = selected
        self.indices = indices
        self.rows = rows
        self.messages = messages

    @cached_property
    def numbers(self) -> list[int]:
        numbers: list[int] = self.selected.mailbox.columns.number[self.rows].tolist()
        return numbers

    @cached_property
    def data(self) -> list[bytes]:
        """The messages themselves: of small ones only."""
        return self.messages.read_many(self.numbers)

    def header(self, at: int) -> bytes:
        """The header fields that are kept of others, of a message that has too many."""
        return header_fields(self.data[at], KEPT_FIELDS)

    @cached_property
    def trees(self) -> list[Part]:
        return list(map(parse_structure, self.data))

    @cached_property
    def kept(self) -> list[Kept]:
        return self.messages.kept(self.numbers)


Values = Callable[[Slice], Iterable[Any]]
"""An item's values for each message of a slice, as its place in the format string wants them."""


class Plan:
    """What one FETCH sends of each message."""

    def __init__(
        self, items: Sequence[Item], features: Features, *, uid: bool, seen: bool = False, modseq: bool = False
    ) -> None:
        """`seen`: the command sets \\Seen, so FLAGS must be told with what was asked for; `modseq`: and MODSEQ."""
        wanted = list(items)
        needs_uid = (uid and not features.uid_only) or (seen and features.qresync and not features.uid_only)
        if modseq or (seen and features.condstore):
            wanted += [FetchItem("MODSEQ")] * (FetchItem("MODSEQ") not in wanted)
        for name, needed in (("FLAGS", seen), ("UID", needs_uid)):
            if needed and FetchItem(name) not in wanted:
                wanted.insert(0, FetchItem(name))
        columns = [_column(item, features.utf8) for item in wanted]
        self.sections = [item for item in wanted if isinstance(item, FetchSection)]
        self.items = wanted
        self.utf8 = features.utf8
        self.uid_only = features.uid_only
        names = {item.name for item in wanted if isinstance(item, FetchItem)}
        self.needs_kept = not names.isdisjoint(KEPT_ITEMS) or not all(map(_needs_data, self.sections))
        """Whether it asks for what the structure file has."""
        self.needs_preview = any(name.startswith("PREVIEW") for name in names)
        self.needs_data = "BODY" in names or any(map(_needs_data, self.sections))
        """Whether it asks for the messages' own octets."""
        self._texts = [text for text, _ in columns]
        self.head = b"* %d UIDFETCH (" if self.uid_only else b"* %d FETCH ("
        self._format = self.head + b" ".join(self._texts) + b")\r\n"
        self._values = [values for _, values in columns]

    def render(self, part: Slice) -> list[bytes]:
        """The response lines of a slice, joined if they are short."""
        lines = map(self._format.__mod__, zip(self.numbers(part), *[v(part) for v in self._values], strict=True))
        return list(lines) if self.needs_data else [b"".join(lines)]

    def numbers(self, part: Slice) -> list[int]:
        """What the lines of a slice begin with: sequence numbers, or UIDs where there are none of these."""
        numbers: list[int] = (part.selected.uids[part.indices] if self.uid_only else part.indices + 1).tolist()
        return numbers

    def render_item(self, at: int, part: Slice) -> bytes:
        """The item at place `at` alone, of a slice of one message."""
        (value,) = self._values[at](part)
        text: bytes = self._texts[at] % value
        return text


def _column(item: Item, utf8: bool) -> tuple[bytes, Values]:
    if isinstance(item, FetchSection):
        return b"%b", _section(item)
    if item.name.startswith("PREVIEW"):
        lazy = item.name.endswith("LAZY")
        return b"PREVIEW %b", lambda part: _previews(part, lazy, utf8)
    if item.name in STRUCTURES:
        values = STRUCTURES[item.name]
        return item.name.encode("ascii") + b" %b", lambda part: values(part, utf8)
    return PLAIN[item.name]


# What the columns of the mailbox have.


def _uids(part: Slice) -> Iterable[int]:
    uids: list[int] = part.selected.uids[part.indices].tolist()
    return uids


def _flags(part: Slice) -> Iterable[bytes]:
    return part.selected.flag_texts(part.indices, part.rows)


def _dates(part: Slice) -> Iterable[bytes]:
    return map(render_internal_date, part.selected.mailbox.columns.date[part.rows].tolist())


def _sizes(part: Slice) -> Iterable[int]:
    sizes: list[int] = part.selected.mailbox.columns.size[part.rows].tolist()
    return sizes


def _modseqs(part: Slice) -> Iterable[int]:
    modseqs: list[int] = part.selected.mailbox.columns.modseq[part.rows].tolist()
    return modseqs


def _threads(part: Slice) -> Iterable[int]:
    threads: list[int] = part.selected.mailbox.columns.thread[part.rows].tolist()
    return threads


def _save_dates(part: Slice) -> Iterable[bytes]:
    return map(render_internal_date, part.selected.mailbox.columns.saved[part.rows].tolist())


def _previews(part: Slice, lazy: bool, utf8: bool) -> Iterable[bytes]:
    for number, size in zip(part.numbers, _sizes(part), strict=True):
        yield render_nstring(part.messages.preview(number, size, lazy=lazy), utf8=utf8)


PLAIN: Final[dict[str, tuple[bytes, Values]]] = {
    "UID": (b"UID %d", _uids),
    "FLAGS": (b"FLAGS (%b)", _flags),
    "INTERNALDATE": (b"INTERNALDATE %b", _dates),
    "RFC822.SIZE": (b"RFC822.SIZE %d", _sizes),
    "MODSEQ": (b"MODSEQ (%d)", _modseqs),
    "EMAILID": (b"EMAILID (M%d)", lambda part: part.numbers),
    "THREADID": (b"THREADID (T%d)", _threads),
    "SAVEDATE": (b"SAVEDATE %b", _save_dates),
}


# What the structure file has.


def _envelopes(part: Slice, utf8: bool) -> Iterable[bytes]:
    kept = part.kept
    if utf8 and any(one.utf8_differs for one in kept):
        return [_envelope_utf8(part, one, at) if one.utf8_differs else one.envelope for at, one in enumerate(kept)]
    return [one.envelope for one in kept]


def _structures(part: Slice, utf8: bool) -> Iterable[bytes]:
    kept = part.kept
    if utf8 and any(one.utf8_differs for one in kept):
        return [
            render_bodystructure(part.trees[at], utf8=True) if one.utf8_differs else one.bodystructure
            for at, one in enumerate(kept)
        ]
    return [one.bodystructure for one in kept]


def _bodies(part: Slice, utf8: bool) -> Iterable[bytes]:
    return [render_bodystructure(tree, extensible=False, utf8=utf8) for tree in part.trees]


def _envelope_utf8(part: Slice, kept: Kept, at: int) -> bytes:
    envelope = part.trees[at].envelope
    return kept.envelope if envelope is None else render_envelope(envelope, utf8=True)


STRUCTURES: Final[dict[str, Callable[[Slice, bool], Iterable[bytes]]]] = {
    "ENVELOPE": _envelopes,
    "BODYSTRUCTURE": _structures,
    "BODY": _bodies,
}


# What the messages have.


def _needs_data(section: FetchSection) -> bool:
    return not (_is_field_list(section) and _kept_fields(section))


def _is_field_list(section: FetchSection) -> bool:
    return section.kind == "BODY" and section.text == "HEADER.FIELDS" and not section.part


def _kept_fields(section: FetchSection) -> bool:
    return all(name.lower() in KEPT_FIELDS for name in section.fields)


def _section(section: FetchSection) -> Values:
    if _is_field_list(section) and _kept_fields(section):
        return lambda part: _kept_header_fields(section, part)
    if section.kind == "BODY" and not section.part:
        return lambda part: [render_part(section, _of_root(section, data)) for data in part.data]
    if section.kind == "BODY":
        return lambda part: [
            render_part(section, section_bytes(data, tree, section.part, section.text, section.fields))
            for data, tree in zip(part.data, part.trees, strict=True)
        ]
    return lambda part: [render_binary(section, data, tree) for data, tree in zip(part.data, part.trees, strict=True)]


def _kept_header_fields(section: FetchSection, part: Slice) -> Iterable[bytes]:
    kept = [one.header for one in part.kept]
    headers = [part.header(at) if header is None else header for at, header in enumerate(kept)]
    fields = header_fields_of_all(headers, section.fields)
    if section.partial is not None:
        return [render_part(section, data) for data in fields]
    text = section.label.replace(b"%", b"%%") + b" {%d}\r\n%b"
    return [text % (len(data), data) for data in fields]


def _of_root(section: FetchSection, data: bytes) -> bytes:
    match section.text:
        case "":
            return data
        case "HEADER":
            return data[: header_length(data)]
        case "TEXT":
            return data[header_length(data) :]
        case "HEADER.FIELDS":
            return header_fields(data, section.fields)
    return header_fields_not(data, section.fields)


def render_part(section: FetchSection, data: bytes | memoryview | None) -> bytes:
    """`BODY[...] {n}` and the octets, cut to the partial that was asked for."""
    if data is None:
        return render_section(section.label, None)
    if section.partial is not None:
        start, length = section.partial
        data = data[start : start + length]
    return b"".join((section.label, b" {%d}\r\n" % len(data), data))


def render_binary(section: FetchSection, data: bytes, tree: Part) -> bytes:
    """`BINARY[...]` or `BINARY.SIZE[...]`: a part with its transfer encoding undone (RFC 9051 §6.4.5.1)."""
    part = find_part(tree, section.part)
    if part is None:
        return section.label + (b" 0" if section.kind == "BINARY.SIZE" else b" NIL")
    decoded = data if not section.part else decode_part(data[part.body_start : part.body_end], part)
    return render_decoded(section, decoded)


def decode_part(data: bytes, part: Part) -> bytes:
    """The decoded body of a part; raises Refusal (UNKNOWN-CTE)."""
    try:
        return data if part.is_multipart else decode_transfer(data, part.encoding)
    except UnknownEncodingError:
        raise Refusal("The part has a content transfer encoding that is unknown here", b"UNKNOWN-CTE") from None


def render_decoded(section: FetchSection, decoded: bytes) -> bytes:
    """A decoded part as BINARY or BINARY.SIZE; a literal8 only where NUL demands one, since few clients know it."""
    if section.kind == "BINARY.SIZE":
        return b"%b %d" % (section.label, len(decoded))
    if section.partial is not None:
        start, length = section.partial
        decoded = decoded[start : start + length]
    return render_section(section.label, decoded, binary=b"\0" in decoded)
