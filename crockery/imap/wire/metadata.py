"""GETMETADATA, SETMETADATA and the METADATA response (RFC 5464), and the return option of LIST (RFC 9590)."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from crockery.imap.wire.cursor import Cursor
from crockery.imap.wire.errors import BadCommand
from crockery.imap.wire.mailbox import decode_mailbox
from crockery.imap.wire.render import render_astring, render_literal, render_mailbox, render_string
from crockery.limits import IMAP_ENTRY_MAX

ENTRY: Final = re.compile(rb"/(?:private|shared)(?:/[^\x00-\x1f\x7f-\xff*%/]+)+", re.IGNORECASE)
ENTRY_OR_ROOT: Final = re.compile(rb"/(?:private|shared)(?:/[^\x00-\x1f\x7f-\xff*%/]+)*", re.IGNORECASE)
VENDOR: Final = re.compile(r"/(?:private|shared)/vendor(?:/[^/]+)?")

DEPTHS: Final = {"0": 0, "1": 1, "INFINITY": 1000}


@dataclass(frozen=True, slots=True)
class GetMetadata:
    """GETMETADATA. `mailbox` "" is the server. Entries in lower case; `depth` levels below each are wanted too."""

    mailbox: str
    entries: tuple[str, ...]
    max_size: int | None = None
    depth: int = 0


@dataclass(frozen=True, slots=True)
class SetMetadata:
    """SETMETADATA. `mailbox` "" is the server; a value of None removes its entry."""

    mailbox: str
    values: Mapping[str, bytes | None]


def parse_get_metadata(cursor: Cursor) -> GetMetadata:
    """`getmetadata = "GETMETADATA" [SP getmetadata-options] SP mailbox SP entries`

    The options may stand behind the mailbox, as in the RFC's own examples, and the parentheses around several entries
    may be left out, as there too.
    """
    cursor.space()
    options = _parse_options(cursor) if cursor.peek() == b"(" else {}
    if options:
        cursor.accept_space()
    mailbox = _parse_mailbox(cursor)
    cursor.space()
    if not options and cursor.peek() == b"(" and cursor.text[cursor.position + 1 : cursor.position + 2] not in b'/"{ ':
        options = _parse_options(cursor)
        cursor.accept_space()
    entries = parse_entries(cursor)
    return GetMetadata(mailbox, entries, options.get("MAXSIZE"), options.get("DEPTH", 0))


def _parse_options(cursor: Cursor) -> dict[str, int]:
    """`getmetadata-options = "(" getmetadata-option *(SP getmetadata-option) ")"`"""
    return dict(cursor.items(_parse_option))


def _parse_option(cursor: Cursor) -> tuple[str, int]:
    """`maxsize-opt = "MAXSIZE" SP number`, `scope-opt = "DEPTH" SP ("0" / "1" / "infinity")`"""
    name = cursor.word("option")
    cursor.space()
    if name == "MAXSIZE":
        return name, cursor.number()
    depth = cursor.word("depth") if name == "DEPTH" else ""
    if depth not in DEPTHS:
        raise BadCommand(f"Unknown option {name[:40]} or depth")
    return name, DEPTHS[depth]


def parse_entries(cursor: Cursor) -> tuple[str, ...]:
    """`entries = entry / "(" entry *(SP entry) ")"`"""
    if cursor.peek() == b"(":
        entries = cursor.items(_parse_wanted)
    else:
        listed = [_parse_wanted(cursor)]
        while not cursor.at_end():
            cursor.count_item()
            listed.append(_parse_wanted(cursor))
        entries = tuple(listed)
    return tuple(dict.fromkeys(entries))


def parse_list_metadata(cursor: Cursor) -> tuple[str, ...]:
    """`return-option =/ "METADATA" SP "(" entry *(SP entry) ")"` (RFC 9590 §5), from the parenthesis on."""
    return tuple(dict.fromkeys(cursor.items(_parse_wanted)))


def parse_set_metadata(cursor: Cursor) -> SetMetadata:
    """`setmetadata = "SETMETADATA" SP mailbox SP entry-values`

    `entry-values = "(" entry-value *(SP entry-value) ")"`; of an entry given twice the last value counts.
    """
    cursor.space()
    mailbox = _parse_mailbox(cursor)
    cursor.space()
    return SetMetadata(mailbox, dict(cursor.items(_parse_entry_value)))


def _parse_entry_value(cursor: Cursor) -> tuple[str, bytes | None]:
    """`entry-value = entry SP value`, `value = nstring / literal8`"""
    entry = _parse_entry(cursor)
    cursor.space()
    if cursor.peek() == b"~":
        literal = cursor.accept_literal()
        if literal is None or literal.data is None:
            cursor.fail("literal")
        return entry, literal.data
    return entry, cursor.nstring()


def _parse_mailbox(cursor: Cursor) -> str:
    return decode_mailbox(cursor.astring(), cursor.utf8)


def _parse_wanted(cursor: Cursor) -> str:
    """An entry, or a root of entries, which is of use with DEPTH."""
    return _check_entry(cursor.astring(), ENTRY_OR_ROOT)


def _parse_entry(cursor: Cursor) -> str:
    """`entry = astring`: slash-separated path; without `*` and `%` (§3.2)"""
    entry = _check_entry(cursor.astring(), ENTRY)
    if VENDOR.fullmatch(entry):
        raise BadCommand("An entry of a vendor has four components")
    return entry


def _check_entry(name: bytes, form: re.Pattern[bytes]) -> str:
    if len(name) > IMAP_ENTRY_MAX or not form.fullmatch(name):
        raise BadCommand("Entry names begin with /private/ or /shared/ and have no *, %, // or final slash")
    return name.decode("ascii").lower()


def render_metadata(mailbox: str, values: Mapping[str, bytes | None], *, utf8: bool = False) -> bytes:
    """`metadata-resp = "METADATA" SP mailbox SP entry-values`; None as NIL."""
    pairs = [b"%b %b" % (_entry(entry), _render_value(value)) for entry, value in values.items()]
    return b"* METADATA %b (%b)\r\n" % (_render_mailbox(mailbox, utf8), b" ".join(pairs))


def render_metadata_names(mailbox: str, entries: Iterable[str], *, utf8: bool = False) -> bytes:
    """`metadata-resp = "METADATA" SP mailbox SP entry-list`: entries that changed, without their values (§4.4.2)."""
    return b"* METADATA %b %b\r\n" % (_render_mailbox(mailbox, utf8), b" ".join(map(_entry, entries)))


def _entry(entry: str) -> bytes:
    return render_astring(entry.encode("ascii"))


def _render_mailbox(mailbox: str, utf8: bool) -> bytes:
    return render_mailbox(mailbox, utf8=utf8) if mailbox else b'""'


def _render_value(value: bytes | None) -> bytes:
    if value is None:
        return b"NIL"
    return render_literal(value, binary=True) if b"\0" in value else render_string(value)
