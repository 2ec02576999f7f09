"""FETCH items to octets, many messages at once.

A `Plan` is made once a command: for each item a function that gives its pieces for a whole slice of messages, of which
`wire.lines` makes the response lines. So what is in the columns is never touched one by one, and what the structure
file has, ready to be sent, is only joined.
"""

from collections.abc import Callable, Sequence
from functools import cached_property, partial
from typing import Final

import numpy as np

from crockery.imap.errors import Refusal
from crockery.imap.features import Features
from crockery.imap.messages import Messages
from crockery.imap.selected import Indices, Selected
from crockery.imap.wire.fetch import FetchItem, FetchSection, Item
from crockery.imap.wire.lines import Piece, date_pieces, render_apart, render_lines
from crockery.imap.wire.render import render_nstring
from crockery.imap.wire.responses import render_section
from crockery.message.bodystructure import render_bodystructure
from crockery.message.envelope import render_envelope
from crockery.message.headers import header_fields, header_fields_not, header_length
from crockery.message.sections import find_part, section_bytes
from crockery.message.structure import Part, parse_structure
from crockery.message.transfer import UnknownEncodingError, decode_transfer
from crockery.projections.columns import Columns
from crockery.projections.structure import KEPT_FIELDS, Ask, HeaderFields, Listing

KEPT_ITEMS: Final = frozenset(("ENVELOPE", "BODYSTRUCTURE"))


class Slice:
    """Some messages of a view, and their contents as far as somebody asked."""

    def __init__(self, selected: Selected, indices: Indices, rows: Indices, messages: Messages) -> None:
        self.selected = selected
        self.indices = indices
        self.rows = rows
        self.messages = messages

    @property
    def columns(self) -> Columns:
        """The mailbox as it is now."""
        return self.selected.mailbox.columns

    @cached_property
    def numbers(self) -> list[int]:
        numbers: list[int] = self.columns.number[self.rows].tolist()
        return numbers

    @cached_property
    def data(self) -> list[bytes]:
        """The messages themselves: of small ones only."""
        return self.messages.read_many(self.numbers)

    @cached_property
    def trees(self) -> list[Part]:
        return list(map(parse_structure, self.data))

    def data_of(self, at: int) -> bytes:
        """The octets of one message, where the others need not be read."""
        return self.data[at] if "data" in self.__dict__ else self.messages.read(self.numbers[at])

    def tree_of(self, at: int) -> Part:
        """The parts of one message, where the others need not be parsed."""
        return self.trees[at] if "trees" in self.__dict__ else parse_structure(self.data_of(at))

    def texts(self, ask: Ask, otherwise: Callable[[int], bytes]) -> list[bytes]:
        """What the structure file answers of each message; `otherwise`, by their places here, of the others."""
        texts = self.messages.texts(self.numbers, ask)
        return [otherwise(at) if text is None else text for at, text in enumerate(texts)]


Pieces = Callable[[Slice], Sequence[Piece]]
"""What an item says of each message of a slice, its name included."""


class Plan:
    """What one FETCH sends of each message."""

    def __init__(
        self, items: Sequence[Item], features: Features, *, uid: bool, seen: bool = False, modseq: bool = False
    ) -> None:
        """`seen`: the command sets \\Seen, so FLAGS must be told with what was asked for; `modseq`: and MODSEQ."""
        wanted = list(items)
        needs_uid = (uid and not features.uid_only) or (seen and features.condstore and not features.uid_only)
        if modseq or (seen and features.condstore):
            wanted += [FetchItem("MODSEQ")] * (FetchItem("MODSEQ") not in wanted)
        for name, needed in (("FLAGS", seen), ("UID", needs_uid)):
            if needed and FetchItem(name) not in wanted:
                wanted.insert(0, FetchItem(name))
        self.sections = [item for item in wanted if isinstance(item, FetchSection)]
        self.items = wanted
        self.utf8 = features.utf8
        self.uid_only = features.uid_only
        names = {item.name for item in wanted if isinstance(item, FetchItem)}
        self.tells_flags = "FLAGS" in names
        self.settles = self.tells_flags and (not features.condstore or {"UID", "MODSEQ"} <= names)
        """Whether it tells all that a client must hear of when flags have changed (RFC 7162 §3.2.4)."""
        self.asks = [ask for item in wanted if (ask := _ask(item, features.utf8)) is not None]
        """What it asks the structure file."""
        self.needs_preview = any(name.startswith("PREVIEW") for name in names)
        self.needs_data = "BODY" in names or any(_ask(section, utf8=False) is None for section in self.sections)
        """Whether it asks for the messages' own octets."""
        self._pieces = [_pieces(item, features.utf8) for item in wanted]
        self._joined = self._pieces
        at = wanted.index(FetchItem("ENVELOPE")) if "ENVELOPE" in names else len(wanted)
        if wanted[at + 1 : at + 2] == [FetchItem("BODYSTRUCTURE")]:
            both = Listing(True, True, features.utf8)
            self._joined = [*self._pieces[:at], _listing(both), *self._pieces[at + 2 :]]
            self.asks = [both, *[ask for ask in self.asks if not isinstance(ask, Listing)]]

    def render(self, part: Slice) -> list[bytes]:
        """The response lines of a slice, joined if they are short."""
        pieces = self._head(part)
        for at, item in enumerate(self._joined):
            if at:
                pieces.append(b" ")
            pieces += item(part)
        pieces.append(b")\r\n")
        count = len(part.rows)
        return render_apart(count, pieces) if self.needs_data else [render_lines(count, pieces)]

    def _head(self, part: Slice) -> list[Piece]:
        if self.uid_only:
            return [b"* ", part.selected.uids[part.indices], b" UIDFETCH ("]
        return [b"* ", part.indices + 1, b" FETCH ("]

    def render_head(self, part: Slice) -> bytes:
        """The beginning of the line of a slice of one message."""
        return render_lines(1, self._head(part))

    def render_item(self, at: int, part: Slice) -> bytes:
        """The item at place `at` alone, of a slice of one message."""
        return render_lines(1, self._pieces[at](part))


def _pieces(item: Item, utf8: bool) -> Pieces:
    if isinstance(item, FetchSection):
        return _section(item)
    if item.name.startswith("PREVIEW"):
        lazy = item.name.endswith("LAZY")
        return lambda part: (b"PREVIEW ", _previews(part, lazy, utf8))
    ask = _ask(item, utf8)
    if isinstance(ask, Listing):
        return _listing(ask)
    if item.name == "BODY":
        return lambda part: (b"BODY ", [render_bodystructure(tree, extensible=False, utf8=utf8) for tree in part.trees])
    return PLAIN[item.name]


# What the columns of the mailbox have.

PLAIN: Final[dict[str, Pieces]] = {
    "UID": lambda part: (b"UID ", part.selected.uids[part.indices]),
    "FLAGS": lambda part: (b"FLAGS (", part.selected.flag_texts(part.indices, part.rows), b")"),
    "INTERNALDATE": lambda part: (b"INTERNALDATE ", *date_pieces(part.columns.date[part.rows])),
    "RFC822.SIZE": lambda part: (b"RFC822.SIZE ", part.columns.size[part.rows]),
    "MODSEQ": lambda part: (b"MODSEQ (", part.columns.modseq[part.rows], b")"),
    "EMAILID": lambda part: (b"EMAILID (M", part.columns.number[part.rows], b")"),
    "THREADID": lambda part: (b"THREADID (T", part.columns.thread[part.rows], b")"),
    "SAVEDATE": lambda part: (b"SAVEDATE ", *date_pieces(part.columns.saved[part.rows])),
}


def _previews(part: Slice, lazy: bool, utf8: bool) -> list[bytes]:
    sizes: list[int] = part.columns.size[part.rows].tolist()
    return [
        render_nstring(part.messages.preview(number, size, lazy=lazy), utf8=utf8)
        for number, size in zip(part.numbers, sizes, strict=True)
    ]


# What the structure file has.


def _ask(item: Item, utf8: bool) -> Listing | HeaderFields | None:
    """What the structure file is asked for an item; None if it is no affair of its."""
    if isinstance(item, FetchSection):
        names = tuple(name.lower() for name in item.fields)
        return HeaderFields(names) if _is_field_list(item) and all(name in KEPT_FIELDS for name in names) else None
    if item.name in KEPT_ITEMS:
        return Listing(item.name == "ENVELOPE", item.name == "BODYSTRUCTURE", utf8)
    return None


def _listing(ask: Listing) -> Pieces:
    def anew(part: Slice, at: int) -> bytes:
        tree = part.tree_of(at)
        assert tree.envelope is not None  # the root is a message
        return ask.render(render_envelope(tree.envelope, utf8=True), render_bodystructure(tree, utf8=True))

    return lambda part: (part.texts(ask, partial(anew, part)),)


def _header_fields(section: FetchSection, ask: HeaderFields) -> Pieces:
    def anew(part: Slice, at: int) -> bytes:
        return header_fields(part.data_of(at), ask.names)

    return lambda part: _literals(section, part.texts(ask, partial(anew, part)))


# What the messages have.


def _is_field_list(section: FetchSection) -> bool:
    return section.kind == "BODY" and section.text == "HEADER.FIELDS" and not section.part


def _section(section: FetchSection) -> Pieces:
    ask = _ask(section, utf8=False)
    if isinstance(ask, HeaderFields):
        return _header_fields(section, ask)
    if section.kind == "BODY" and not section.part:
        return lambda part: _literals(section, [_of_root(section, data) for data in part.data])
    if section.kind == "BODY":
        return lambda part: (
            [
                render_part(section, section_bytes(data, tree, section.part, section.text, section.fields))
                for data, tree in zip(part.data, part.trees, strict=True)
            ],
        )
    return lambda part: (
        [render_binary(section, data, tree) for data, tree in zip(part.data, part.trees, strict=True)],
    )


def _literals(section: FetchSection, octets: list[bytes]) -> Sequence[Piece]:
    """As `render_part`, without a copy of the octets."""
    if section.partial is not None:
        start, length = section.partial
        octets = [data[start : start + length] for data in octets]
    return section.label + b" {", np.fromiter(map(len, octets), np.int64, len(octets)), b"}\r\n", octets


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
