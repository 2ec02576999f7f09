"""What SEARCH looks through: header and text of a message, decoded, letter case folded away (RFC 9051 §6.4.4).

A `Searched` is two runs of octets that can be joined, kept and scanned: pieces in folded UTF-8 (`text.fold`), each
after a SEPARATOR, which is in no UTF-8 and so in no needle. Pieces of the header are `NAME: value`, a line that is no
field stands after a blank. Pieces of the body: the text parts (HTML as the text that people see), file names, and the
headers of the messages within. At most MAX_SEARCHED_TEXT octets are decoded and kept of a message. Never raises.

Whatever changes what comes out raises VERSION, and what is kept of another version is thrown away.
"""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from crockery.limits import MAX_PARSED_HEADER, MAX_SEARCHED_TEXT
from crockery.message.headers import iterate_fields, unfold
from crockery.message.html import html_text
from crockery.message.structure import Part, iterate_parts, parse_structure
from crockery.message.text import fold, part_text
from crockery.message.words import decode_words

VERSION: Final = 1
SEPARATOR: Final = b"\xff"
_PLAIN_FIELD: Final = re.compile(rb"\n([^\s:]++)[ \t]*+:([^\n]*+)")
_ENCODINGS: Final = ("base64", "quoted-printable")
_FEW: Final = 20


class Searched(NamedTuple):
    """Both are empty or begin with a SEPARATOR."""

    header: bytes
    body: bytes


def searched(data: bytes, root: Part | None = None) -> Searched:
    """What there is to search in the message `data`, whose tree may be given."""
    root = root or parse_structure(data)
    header = searched_header(data, root.header_start, root.body_start)
    return Searched(header, b"".join(_body_pieces(data, root))[:MAX_SEARCHED_TEXT])


def is_quick(data: bytes, root: Part | None = None) -> bool:
    """Whether a message up to 64 KiB is decoded in a millisecond or two: there are few charsets to guess, if any.

    The encodings are looked for in its tree, if that is given.
    """
    if not data.isascii():
        return False
    if root is not None:
        return data.count(b"=?") + sum(map(_is_encoded, iterate_parts(root))) <= _FEW
    lower = data.lower()
    return sum(map(lower.count, (b"=?", b"base64", b"quoted-printable"))) <= _FEW


def _is_encoded(part: Part) -> bool:
    """Whether octets beyond ASCII may come out of a part."""
    return part.encoding in _ENCODINGS or any(b"*" in name for name, _ in part.params + part.disposition_params)


def searched_header(data: bytes, position: int, end: int) -> bytes:
    """The header between these places, as a Searched has it."""
    end = min(end, position + MAX_PARSED_HEADER)
    fields = _plain_fields(data[position:end])
    if fields is not None:
        return fields[:MAX_SEARCHED_TEXT]
    pieces: list[bytes] = []
    for name, start, value, stop in iterate_fields(data, position, end):
        pieces += _lines(data[position:start])
        pieces += (SEPARATOR, _folded(name), b": ", _folded(unfold(data[value:stop])))
        position = stop
    pieces += _lines(data[position:end])
    return b"".join(pieces)[:MAX_SEARCHED_TEXT]


def _plain_fields(header: bytes) -> bytes | None:
    """All of a header whose lines are all of fields, with line ends as they should be: the same with fewer steps."""
    header = header.replace(b"\r\n", b"\n").rstrip(b"\n")
    if b"\r" in header:
        return None
    header = header.replace(b"\n ", b" ").replace(b"\n\t", b"\t")
    fields: list[tuple[bytes, bytes]] = _PLAIN_FIELD.findall(b"\n" + header)
    if len(fields) <= header.count(b"\n"):
        return None
    if header.isascii() and b"=?" not in header:
        return b"".join([b"\xff%b: %b" % (name, value.strip(b" \t")) for name, value in fields]).upper()
    return b"".join([b"\xff%b: %b" % (_folded(name), _folded(value.strip(b" \t"))) for name, value in fields])


def _lines(data: bytes) -> Iterator[bytes]:
    """Lines that are no field."""
    for line in data.splitlines():
        if stripped := line.strip():
            yield SEPARATOR + b" " + _folded(stripped)


def _body_pieces(data: bytes, root: Part) -> Iterator[bytes]:
    budget = MAX_SEARCHED_TEXT
    for part in iterate_parts(root):
        if part is not root and part.envelope is not None:
            yield searched_header(data, part.header_start, part.body_start)
        if name := part.filename:
            yield SEPARATOR + needle(name)
        if part.maintype != "text" or budget <= 0:
            continue
        text = part_text(data, part, budget)
        budget -= part.size
        yield SEPARATOR + needle(" ".join(html_text(text).split()) if part.subtype == "html" else text)


def needle(text: str) -> bytes:
    """Text as it stands in a Searched: what to look for."""
    return fold(text).encode("utf-8", "surrogatepass")


def _folded(raw: bytes) -> bytes:
    if raw.isascii() and b"=?" not in raw:
        return raw.upper()
    return needle(decode_words(raw))


def field_prefix(name: str) -> bytes | None:
    """What stands before the values of a header field; None for what is no name of a field."""
    if not name or ":" in name or name.split() != [name]:
        return None
    return SEPARATOR + needle(name) + b": "


def find_field(prefix: bytes, wanted: bytes, octets: bytes, start: int, stop: int) -> int:
    """Where the value of a field is that holds the needle; -1: nowhere."""
    while (start := octets.find(prefix, start, stop)) >= 0:
        start += len(prefix)
        end = octets.find(SEPARATOR, start, stop)
        if octets.find(wanted, start, stop if end < 0 else end) >= 0:
            return start
        if end < 0:
            return -1
        start = end
    return -1


def field_of(header: bytes, prefix: bytes) -> bytes:
    """The values of a field in one message's header, a SEPARATOR before each."""
    values: list[bytes] = []
    at = header.find(prefix)
    while at >= 0:
        end = header.find(SEPARATOR, at + 1)
        values.append(SEPARATOR + header[at + len(prefix) : end if end >= 0 else len(header)])
        at = header.find(prefix, end) if end >= 0 else -1
    return b"".join(values)
