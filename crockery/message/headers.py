"""The header of a message: where it ends, its fields, and the bytes of HEADER.FIELDS (RFC 5322 §2.2, RFC 9051 §6.4.5).

A header ends after its first empty line, CRLF or bare LF. A first line that is no field means that there is no header
at all, so that the text of such a message is seen as its body; later lines without a colon are skipped. Only the first
`MAX_PARSED_HEADER` octets are looked at for fields. All functions are linear in the header and never raise.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import lru_cache

from crockery.limits import MAX_PARSED_HEADER

_VALUE = rb"[^\n]*+(?:\n[ \t][^\n]*+)*+"
_FIELD = re.compile(rb"^([^\s:]++)[ \t]*+:(" + _VALUE + rb")", re.MULTILINE)
_FIRST_LINE = re.compile(rb"[^\s:]++[ \t]*+:|>?From |\r?\n")


_MAX_ALTERNATIVES = 32  # names in one regular expression: more are looked up, since compiling costs more than it gains


def starts_header(data: bytes, start: int = 0) -> bool:
    """Whether a header can begin at `start`: with a field, an empty line or the From_ line of an mbox file."""
    return _FIRST_LINE.match(data, start) is not None


def header_length(data: bytes) -> int:
    """The octets of the header at the start of `data`, its empty line included; all of `data` if it never ends."""
    if not starts_header(data):
        return 0
    if data.startswith(b"\r\n"):
        return 2
    if data.startswith(b"\n"):
        return 1
    crlf = data.find(b"\n\r\n")
    lf = data.find(b"\n\n", 0, crlf if crlf >= 0 else len(data))
    if lf >= 0:
        return lf + 2
    return crlf + 3 if crlf >= 0 else len(data)


def iterate_fields(data: bytes, start: int = 0, end: int | None = None) -> Iterator[tuple[bytes, int, int, int]]:
    """The fields between two offsets: (name as written, start of field, start of value, end with its line end)."""
    stop = _parsed_end(data, start, end)
    for match in _FIELD.finditer(data, start, stop):
        yield match[1], match.start(), match.start(2), min(match.end() + 1, stop)


def read_fields(data: bytes, start: int = 0, end: int | None = None) -> dict[bytes, bytes]:
    """The first field of each name: lower-case name -> value, still folded."""
    found: list[tuple[bytes, bytes]] = _FIELD.findall(data, start, _parsed_end(data, start, end))
    found.reverse()  # a later item of a dict wins, and the first field should
    return {name.lower(): value for name, value in found}


def list_fields(data: bytes) -> list[tuple[bytes, bytes]]:
    """All fields of the header `data` in order: (name as written, value, still folded)."""
    found: list[tuple[bytes, bytes]] = _FIELD.findall(data, 0, _parsed_end(data, 0, None))
    return found


def unfold(value: bytes) -> bytes:
    """The value on one line, without the blanks around it. Stray CRs go too, as no protocol could carry them."""
    if b"\n" in value or b"\r" in value:
        value = value.replace(b"\r", b"").replace(b"\n", b"")
    return value.strip(b" \t")


def field_values(data: bytes, name: bytes) -> list[bytes]:
    """The unfolded values of all fields called `name` (any case) in the header at the start of `data`."""
    wanted = name.lower()
    found = _FIELD.findall(data, 0, _parsed_end(data, 0, header_length(data)))
    return [unfold(value) for field, value in found if field.lower() == wanted]


def header_fields(data: bytes, names: Collection[bytes], start: int = 0, end: int | None = None) -> bytes:
    """The fields called one of `names` (any case), as they stand, and an empty line: HEADER.FIELDS (RFC 9051 §6.4.5).

    `start` and `end` bound the header; without `end` it is looked for at the start of `data`, which takes as long as
    all the rest. The empty line is there even if the message has none, because clients wait for it.
    """
    if end is None:
        end = header_length(data)
    if len(names) > _MAX_ALTERNATIVES:
        wanted = {name.lower() for name in names}
        return _finish(data, start, end, [field for name, field in _whole_fields(data, start, end) if name in wanted])
    header = b"\n" + data[start : _parsed_end(data, start, end)]
    return _finish(data, start, end, field_pattern(tuple(names)).findall(header))


def header_fields_of_all(headers: Iterable[bytes], names: Sequence[bytes]) -> Iterator[bytes]:
    """`header_fields` of each of many whole headers that `header_fields` has made: they end with an empty line."""
    if len(names) > _MAX_ALTERNATIVES:
        yield from (header_fields(header, names, 0, len(header)) for header in headers)
        return
    find = field_pattern(tuple(names)).findall
    for header in headers:
        fields = find(b"\n" + header)
        fields.append(b"\n" if header.endswith(b"\n\n") else b"\r\n")
        yield b"\n".join(fields)


def header_fields_not(data: bytes, names: Collection[bytes], start: int = 0, end: int | None = None) -> bytes:
    """The fields called none of `names`, and an empty line: HEADER.FIELDS.NOT. Lines that are no field are left out."""
    if end is None:
        end = header_length(data)
    unwanted = {name.lower() for name in names}
    return _finish(data, start, end, [field for name, field in _whole_fields(data, start, end) if name not in unwanted])


def _whole_fields(data: bytes, start: int, end: int) -> Iterator[tuple[bytes, bytes]]:
    """(lower-case name, field without its last line feed)."""
    for match in _FIELD.finditer(data, start, _parsed_end(data, start, end)):
        yield match[1].lower(), match[0]


def _finish(data: bytes, start: int, end: int, fields: list[bytes]) -> bytes:
    ends_bare = data.endswith(b"\n\n", start, end)
    if not fields:
        return b"\n" if ends_bare else b"\r\n"
    if not data.endswith(b"\n", start, end) and not fields[-1].endswith(b"\r"):
        fields[-1] += b"\r"  # the header breaks off in its last line
    fields.append(b"" if ends_bare else b"\r")
    return b"\n".join(fields) + b"\n"


@lru_cache(maxsize=256)
def field_pattern(names: tuple[bytes, ...]) -> re.Pattern[bytes]:
    """Matches a line feed and, as group 1, a field called one of `names`, without its last line feed.

    To be used on a header with a line feed put in front: the engine looks for line feeds faster than for line starts,
    and looks at the first letters of the names before it tries the names.
    """
    names = tuple(filter(None, names))  # IMAP lets a client ask for a field called ""
    if not names:
        return re.compile(rb"((?!))")
    letters = b"".join({re.escape(name[:1]) for name in names})
    choice = b"|".join(re.escape(name) for name in names)
    return re.compile(rb"\n(?=[%b])((?:%b)[ \t]*+:%b)" % (letters, choice, _VALUE), re.IGNORECASE)


def _parsed_end(data: bytes, start: int, end: int | None) -> int:
    return min(len(data) if end is None else end, start + MAX_PARSED_HEADER)
