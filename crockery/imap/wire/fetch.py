"""FETCH: its items, sections and partials (RFC 3501 section 6.4.5, RFC 9051 section 6.4.5).

`ITEMS` is the table of plain items, `SECTIONED` of those with a section in brackets: an extension adds its row.
"""

import re
from dataclasses import dataclass
from typing import Final

from crockery import limits
from crockery.imap.wire.cursor import NUMBER64_MAX, NUMBER_MAX, Cursor
from crockery.imap.wire.errors import BadCommand
from crockery.imap.wire.params import Param, parse_params
from crockery.imap.wire.sequence import SequenceSet, parse_sequence_set


@dataclass(frozen=True, slots=True)
class FetchItem:
    """A plain item, by its name in upper case: FLAGS, UID, ENVELOPE, BODY (the structure), RFC822.SIZE ..."""

    name: str


@dataclass(frozen=True, slots=True)
class FetchSection:
    """A part of a message: `BODY[...]`, `BINARY[...]`, `BINARY.SIZE[...]`, or an `RFC822` of old.

    `part` is the part's number, empty for the whole message; `text` is "", "HEADER", "HEADER.FIELDS",
    "HEADER.FIELDS.NOT", "MIME" or "TEXT"; `fields` as sent; `partial` is (offset, octets). `peek` leaves \\Seen
    alone. `label` is what the response calls it.
    """

    kind: str
    label: bytes
    part: tuple[int, ...] = ()
    text: str = ""
    fields: tuple[bytes, ...] = ()
    partial: tuple[int, int] | None = None
    peek: bool = False


Item = FetchItem | FetchSection


@dataclass(frozen=True, slots=True)
class Fetch:
    """FETCH and UID FETCH; macros are written out, items come each once, in the client's order."""

    messages: SequenceSet
    items: tuple[Item, ...]
    modifiers: tuple[Param, ...] = ()


ITEMS: Final[dict[str, Item]] = {
    "BODY": FetchItem("BODY"),
    "BODYSTRUCTURE": FetchItem("BODYSTRUCTURE"),
    "ENVELOPE": FetchItem("ENVELOPE"),
    "FLAGS": FetchItem("FLAGS"),
    "INTERNALDATE": FetchItem("INTERNALDATE"),
    "RFC822.SIZE": FetchItem("RFC822.SIZE"),
    "UID": FetchItem("UID"),
    "MODSEQ": FetchItem("MODSEQ"),
    "EMAILID": FetchItem("EMAILID"),
    "THREADID": FetchItem("THREADID"),
    "SAVEDATE": FetchItem("SAVEDATE"),
    "PREVIEW": FetchItem("PREVIEW"),
    "RFC822": FetchSection("BODY", b"RFC822"),
    "RFC822.PEEK": FetchSection("BODY", b"RFC822", peek=True),  # of RFC 1730; Outlook still asks for it
    "RFC822.HEADER": FetchSection("BODY", b"RFC822.HEADER", text="HEADER", peek=True),
    "RFC822.TEXT": FetchSection("BODY", b"RFC822.TEXT", text="TEXT"),
}
FAST: Final = (ITEMS["FLAGS"], ITEMS["INTERNALDATE"], ITEMS["RFC822.SIZE"])
MACROS: Final[dict[str, tuple[Item, ...]]] = {
    "FAST": FAST,
    "ALL": (*FAST, ITEMS["ENVELOPE"]),
    "FULL": (*FAST, ITEMS["ENVELOPE"], ITEMS["BODY"]),
}
SECTIONED: Final = {
    "BODY": ("BODY", False),
    "BODY.PEEK": ("BODY", True),
    "BINARY": ("BINARY", False),
    "BINARY.PEEK": ("BINARY", True),
    "BINARY.SIZE": ("BINARY.SIZE", True),
}

NAME = re.compile(rb"[A-Za-z0-9.-]+")
PART = re.compile(rb"[0-9]+(?:\.[0-9]+)*")
SECTION_TEXTS: Final = frozenset(("HEADER", "HEADER.FIELDS", "HEADER.FIELDS.NOT", "TEXT", "MIME"))


def parse_fetch(cursor: Cursor) -> Fetch:
    """`fetch = "FETCH" SP sequence-set SP ("ALL" / "FULL" / "FAST" / fetch-att / "(" fetch-att *(SP fetch-att) ")")`

    followed by `[fetch-modifiers]` (RFC 4466 section 2.4).
    """
    cursor.space()
    messages = parse_sequence_set(cursor)
    cursor.accept_space()
    items = cursor.items(parse_fetch_item) if cursor.peek() == b"(" else _macro_or_item(cursor)
    if sum(isinstance(item, FetchSection) for item in items) > limits.IMAP_SECTIONS_MAX:
        raise BadCommand("Too many sections")
    return Fetch(messages, tuple(dict.fromkeys(items)), parse_params(cursor))


def _macro_or_item(cursor: Cursor) -> tuple[Item, ...]:
    for name, items in MACROS.items():
        if cursor.accept_word(name):
            return items
    return (parse_fetch_item(cursor),)


def parse_fetch_item(cursor: Cursor) -> Item:
    """`fetch-att = "ENVELOPE" / "FLAGS" / "INTERNALDATE" / "RFC822" [".HEADER" / ".SIZE" / ".TEXT"] / "BODY"

    ["STRUCTURE"] / "UID" / "BODY" [".PEEK"] section [partial] / "BINARY" [".PEEK"] section-binary [partial] /
    "BINARY.SIZE" section-binary`
    """
    found = cursor.match(NAME)
    name = found[0].decode("ascii").upper() if found is not None else ""
    if name in SECTIONED and cursor.peek() == b"[":
        return _parse_section(cursor, *SECTIONED[name])
    if name == "PREVIEW":
        return _parse_preview(cursor)
    item = ITEMS.get(name)
    if item is None:
        raise BadCommand(f"Unknown fetch item {name[:40]}" if name else "Fetch item expected")
    return item


def _parse_preview(cursor: Cursor) -> FetchItem:
    """`fetch-att =/ "PREVIEW" [SP "(" preview-mod *(SP preview-mod) ")"]`, `preview-mod = "LAZY"` (RFC 8970 section 6)

    After a lone item (`FETCH 1 PREVIEW (CHANGEDSINCE 5)`) the parentheses may be those of modifiers.
    """
    start = cursor.position
    if cursor.accept_space() and cursor.accept(b"("):
        cursor.accept_space()
        if cursor.accept_word("LAZY"):
            cursor.accept_space()
            cursor.expect(b")")
            return FetchItem("PREVIEW LAZY")
    cursor.position = start
    return FetchItem("PREVIEW")


def _parse_section(cursor: Cursor, kind: str, peek: bool) -> FetchSection:
    """`section = "[" [section-spec] "]"`, `section-spec = section-msgtext / (section-part ["." section-text])`

    `section-binary = "[" [section-part] "]"`, `partial = "<" number64 "." nz-number64 ">"`
    """
    cursor.expect(b"[")
    cursor.accept_space()
    part = _parse_part(cursor)
    text = ""
    fields: tuple[bytes, ...] = ()
    if cursor.peek() != b"]":
        if part:
            cursor.expect(b".")
        text, fields = _parse_section_text(cursor)
    if (text == "MIME" and not part) or (text and kind != "BODY"):
        raise BadCommand("Invalid section")
    cursor.accept_space()
    cursor.expect(b"]")
    partial = _parse_partial(cursor) if kind != "BINARY.SIZE" and cursor.accept(b"<") else None
    return FetchSection(kind, _label(kind, part, text, fields, partial), part, text, fields, partial, peek)


def _parse_part(cursor: Cursor) -> tuple[int, ...]:
    """`section-part = nz-number *("." nz-number)`"""
    found = cursor.match(PART)
    if found is None:
        return ()
    if len(found[0]) > limits.IMAP_PART_NUMBER_MAX:
        raise BadCommand("Section too long")
    part = tuple([int(number) for number in found[0].split(b".")])
    if not all(1 <= number <= NUMBER_MAX for number in part):
        raise BadCommand("Invalid section")
    return part


def _parse_section_text(cursor: Cursor) -> tuple[str, tuple[bytes, ...]]:
    """`section-msgtext = "HEADER" / "HEADER.FIELDS" [".NOT"] SP header-list / "TEXT"`, `section-text =/ "MIME"`

    `header-list = "(" header-fld-name *(SP header-fld-name) ")"`, each an astring
    """
    found = cursor.match(NAME)
    text = found[0].decode("ascii").upper() if found is not None else ""
    if text not in SECTION_TEXTS:
        raise BadCommand("Unknown section")
    if not text.startswith("HEADER.FIELDS"):
        return text, ()
    cursor.accept_space()
    return text, cursor.items(Cursor.astring)


def _parse_partial(cursor: Cursor) -> tuple[int, int]:
    offset = cursor.number(NUMBER64_MAX)
    cursor.expect(b".")
    size = cursor.number(NUMBER64_MAX, 1)
    cursor.expect(b">")
    return offset, size


def _label(
    kind: str, part: tuple[int, ...], text: str, fields: tuple[bytes, ...], partial: tuple[int, int] | None
) -> bytes:
    """The item's name in the response: as the request without .PEEK, `<offset>` without the size (section 7.5.2)."""
    section = b".".join([b"%d" % number for number in part] + ([text.encode("ascii")] if text else []))
    if fields:
        section += b" (" + b" ".join([_field_name(field) for field in fields]) + b")"
    origin = b"<%d>" % partial[0] if partial is not None else b""
    return b"%b[%b]%b" % (kind.encode("ascii"), section, origin)


PLAIN_FIELD_NAME = re.compile(rb'[^\x00-\x20\x7f-\xff(){%*"\\\[\]]+')


def _field_name(name: bytes) -> bytes:
    if PLAIN_FIELD_NAME.fullmatch(name):
        return name
    if any(octet in b"\r\n" or octet > 0x7E for octet in name):
        return b"{%d}\r\n%b" % (len(name), name)
    return b'"' + name.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'
