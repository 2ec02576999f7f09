"""The MIME tree of a message as offsets into its bytes (RFC 2045, 2046, 5322).

One pass from left to right. The boundaries of all open multiparts are in one table, and every line that begins with two
hyphens is looked up in it, so time is linear however deep the parts lie. A delimiter line is "--boundary" or
"--boundary--", at most followed by a blank and anything; the line end before it belongs to it. Whatever is damaged
still gives a tree:

- a missing end: open parts end where the enclosing part or the message does;
- a multipart without boundary or without any part, or a Content-Type that is none: text/plain (RFC 2045 §5.2);
- past `MAX_MIME_DEPTH`: an opaque application/octet-stream; past `MAX_MIME_PARTS`: the last part holds all the rest.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from crockery.limits import MAX_HYPHEN_LINES, MAX_MIME_DEPTH, MAX_MIME_PARTS
from crockery.message.headers import read_fields, starts_header, unfold
from crockery.message.parameters import (
    Parameters,
    parameter_text,
    parse_content_type,
    parse_disposition,
    remove_comments,
)


class Envelope(NamedTuple):
    """The unfolded values of the fields of an ENVELOPE (RFC 9051 §7.5.2), and References; None where one is lacking."""

    date: bytes | None
    subject: bytes | None
    from_: bytes | None
    sender: bytes | None
    reply_to: bytes | None
    to: bytes | None
    cc: bytes | None
    bcc: bytes | None
    in_reply_to: bytes | None
    message_id: bytes | None
    references: bytes | None


class Part(NamedTuple):
    """A message or body part. Offsets count octets from the start of the whole message.

    `header_start:body_start` is its header with the empty line, `body_start:body_end` its body. `message` is the
    message in a message/rfc822, `envelope` is set where this part is itself a message.
    """

    header_start: int
    body_start: int
    body_end: int
    lines: int
    maintype: str
    subtype: str
    params: Parameters
    encoding: str
    disposition: bytes | None
    disposition_params: Parameters
    content_id: bytes | None
    description: bytes | None
    md5: bytes | None
    language: bytes | None
    location: bytes | None
    children: tuple["Part", ...]
    message: "Part | None"
    envelope: Envelope | None

    @property
    def size(self) -> int:
        """Octets of the body, still in its transfer encoding."""
        return self.body_end - self.body_start

    @property
    def is_multipart(self) -> bool:
        """Whether it has parts; a multipart in which none was found is a text/plain leaf."""
        return bool(self.children)

    @property
    def charset(self) -> str | None:
        """The declared charset."""
        return parameter_text(self.params, b"charset")

    @property
    def filename(self) -> str | None:
        """The decoded file name, of the disposition or else of the type."""
        name = parameter_text(self.disposition_params, b"filename")
        return parameter_text(self.params, b"name") if name is None else name


def parse_structure(data: bytes | bytearray | memoryview) -> Part:
    """The tree of the message `data`. Bytes are read in place; any other buffer is copied once. Never raises."""
    return _Scanner(data if isinstance(data, bytes) else bytes(data)).parse()


def iterate_parts(part: Part) -> Iterator[Part]:
    """`part` and all parts below it, nested messages too, in the order of the bytes."""
    yield part
    for child in part.children:
        yield from iterate_parts(child)
    if part.message is not None:
        yield from iterate_parts(part.message)


class _Delimiter(NamedTuple):
    body_end: int  # of the part before it
    next_start: int  # of what follows its line
    boundary: bytes  # empty at the end of the message
    closing: bool


_US_ASCII: Final[Parameters] = ((b"charset", b"us-ascii"),)
_IDENTITY: Final = ("7bit", "8bit", "binary")


class _Scanner:
    """Walks one message. All positions only grow, which is what makes it linear."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._end = _Delimiter(len(data), len(data), b"", True)
        self._parts = 0
        self._open: dict[bytes, int] = {}  # boundary -> number of open multiparts that use it
        self._crlf_blank = -1  # the next b"\n\r\n", cached
        self._blank = (-1, -1)  # the next empty line: its start and the start of what follows
        self._hyphen_lines = 0
        self._counted_to = 0
        self._newlines = 0

    def parse(self) -> Part:
        return self._parse_part(0, 0, False, True)[0]

    def _parse_part(self, start: int, depth: int, in_digest: bool, is_message: bool) -> tuple[Part, _Delimiter]:
        """The part at `start`, and the delimiter that ends it."""
        self._parts += 1
        body_start, stop = self._find_body(start)
        fields = read_fields(self._data, start, body_start)
        raw_type = fields.get(b"content-type")
        encoding = _read_encoding(fields.get(b"content-transfer-encoding"))
        if raw_type is not None:
            maintype, subtype, params = parse_content_type(unfold(raw_type))
        elif in_digest:
            maintype, subtype, params = "message", "rfc822", ()
        else:
            maintype, subtype, params = "text", "plain", _US_ASCII
        lines_before = self._count_lines(body_start)
        children: tuple[Part, ...] = ()
        message = None
        can_nest = depth < MAX_MIME_DEPTH and self._parts < MAX_MIME_PARTS
        if maintype == "multipart":
            boundary = _find_boundary(params)
            if not can_nest:
                maintype, subtype, params = "application", "octet-stream", ()
            elif boundary and stop is None:
                children, stop = self._parse_multipart(body_start, boundary, depth, subtype == "digest")
            if can_nest and not children:
                maintype, subtype, params = "text", "plain", _US_ASCII
        elif maintype == "message" and subtype in ("rfc822", "global"):
            if not can_nest:
                maintype, subtype, params = "application", "octet-stream", ()
            else:
                message, stop = self._parse_message(body_start, depth, encoding, stop)
        if stop is None:
            stop = self._next_delimiter(body_start - 1)
        body_end = max(stop.body_end, body_start)
        disposition = parse_disposition(unfold(fields.get(b"content-disposition", b"")))
        part = Part(
            start, body_start, body_end, self._count_lines(body_end) - lines_before,
            maintype, subtype, params, encoding,
            disposition[0] if disposition else None, disposition[1] if disposition else (),
            _value(fields, b"content-id"), _value(fields, b"content-description"), _value(fields, b"content-md5"),
            _value(fields, b"content-language"), _value(fields, b"content-location"),
            children, message, _read_envelope(fields) if is_message else None,
        )  # fmt: skip
        return part, stop

    def _parse_message(self, start: int, depth: int, encoding: str, stop: _Delimiter | None) -> tuple[Part, _Delimiter]:
        """The message in a message/rfc822. One in base64, which is not allowed, is shown as a message of bare text."""
        if stop is None and encoding in _IDENTITY:
            return self._parse_part(start, depth + 1, False, True)
        self._parts += 1
        lines_before = self._count_lines(start)
        stop = stop or self._next_delimiter(start - 1)
        end = max(stop.body_end, start)
        lines = self._count_lines(end) - lines_before
        bare = Part(
            start, start, end, lines, "text", "plain", _US_ASCII, "7bit",
            None, (), None, None, None, None, None, (), None, _read_envelope({}),
        )  # fmt: skip
        return bare, stop

    def _parse_multipart(
        self, start: int, boundary: bytes, depth: int, is_digest: bool
    ) -> tuple[tuple[Part, ...], _Delimiter]:
        """The parts of a multipart whose body begins at `start`, and the delimiter after its epilogue."""
        self._open[boundary] = self._open.get(boundary, 0) + 1
        children: list[Part] = []
        stop = self._next_delimiter(start - 1)
        while stop.boundary == boundary and not stop.closing:
            child, stop = self._parse_part(stop.next_start, depth + 1, is_digest, False)
            children.append(child)
        # Where an enclosing multipart uses the same boundary, the first closing delimiter is taken for the inner one's.
        self._open[boundary] -= 1
        if not self._open[boundary]:
            del self._open[boundary]
        if stop.boundary == boundary and stop.closing:
            stop = self._next_delimiter(stop.next_start - 1)
        return tuple(children), stop

    def _find_body(self, start: int) -> tuple[int, _Delimiter | None]:
        """Where the body of the part at `start` begins, and the delimiter, if one comes before that."""
        if not starts_header(self._data, start):
            return start, None
        blank, body_start = self._next_blank(start)
        if self._open:
            stop = self._next_delimiter(start - 1, blank)
            if stop is not self._end:
                return max(stop.body_end, start), stop
        return body_start, None

    def _next_blank(self, start: int) -> tuple[int, int]:
        """The first empty line of a header at `start`: where its own line end begins, and what follows it."""
        data = self._data
        if data.startswith(b"\r\n", start):
            return start, start + 2
        if data.startswith(b"\n", start):
            return start, start + 1
        if self._blank[0] < start:
            if self._crlf_blank < start:
                found = data.find(b"\n\r\n", start)
                self._crlf_blank = len(data) if found < 0 else found
            bare = data.find(b"\n\n", start, self._crlf_blank)
            if bare >= 0:
                self._blank = (bare + 1, bare + 2)
            else:
                self._blank = (self._crlf_blank + 1, min(self._crlf_blank + 3, len(data)))
        return self._blank

    def _next_delimiter(self, position: int, limit: int | None = None) -> _Delimiter:
        """The first delimiter of an open multipart behind a line feed at or after `position` (and before `limit`)."""
        if not self._open or self._parts >= MAX_MIME_PARTS:
            return self._end
        data = self._data
        while self._hyphen_lines < MAX_HYPHEN_LINES:
            hyphens = data.find(b"\n--", position) if limit is None else data.find(b"\n--", position, limit + 2)
            if hyphens < 0:
                return self._end
            self._hyphen_lines += 1
            position = data.find(b"\n", hyphens + 3)
            if position < 0:
                position = len(data)
            boundary = self._match_boundary(data[hyphens + 3 : position].rstrip(b" \t\r"))
            if boundary is None:
                continue
            line, closing = boundary
            body_end = hyphens - 1 if data[hyphens - 1 : hyphens] == b"\r" else hyphens
            return _Delimiter(body_end, min(position + 1, len(data)), line, closing)
        return self._end

    def _match_boundary(self, line: bytes) -> tuple[bytes, bool] | None:
        """The open boundary that a line begins with after its hyphens, and whether it closes. Words may follow."""
        for candidate in (line, line.partition(b" ")[0]):
            if candidate in self._open:
                return candidate, False
            if candidate.endswith(b"--") and candidate[:-2] in self._open:
                return candidate[:-2], True
        return None

    def _count_lines(self, offset: int) -> int:
        """The line feeds before `offset`; every octet is counted once, since offsets come in ascending order."""
        if offset > self._counted_to:
            self._newlines += self._data.count(b"\n", self._counted_to, offset)
            self._counted_to = offset
        return self._newlines


def _read_encoding(raw: bytes | None) -> str:
    """The lower-case token of a Content-Transfer-Encoding, 7bit where there is none (RFC 2045 §6.1)."""
    if raw is None:
        return "7bit"
    value = unfold(raw)
    if b"(" in value:
        value = remove_comments(value)
    return value.decode("ascii", "replace").strip(' \t";').lower() or "7bit"


def _find_boundary(params: Parameters) -> bytes:
    for name, value in params:
        if name == b"boundary":
            return value.rstrip(b" \t")
    return b""


def _value(fields: dict[bytes, bytes], name: bytes) -> bytes | None:
    raw = fields.get(name)
    return None if raw is None else unfold(raw)


def _read_envelope(fields: dict[bytes, bytes]) -> Envelope:
    return Envelope(
        _value(fields, b"date"), _value(fields, b"subject"), _value(fields, b"from"), _value(fields, b"sender"),
        _value(fields, b"reply-to"), _value(fields, b"to"), _value(fields, b"cc"), _value(fields, b"bcc"),
        _value(fields, b"in-reply-to"), _value(fields, b"message-id"), _value(fields, b"references"),
    )  # fmt: skip
