"""New messages: text, an HTML alternative, attachments (RFC 5322, 2045, 2046, 2183, 2231), lines ended with CRLF.

Pure: date and Message-ID come in. Texts may hold anything, no field can be injected through them; addresses must be
clean. Boundaries are a hash of all content, so that nothing in it can hold its own delimiter.
"""

import re
from base64 import encodebytes
from binascii import b2a_qp
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final
from urllib.parse import quote

from crockery.message.dates import render_date
from crockery.message.words import encode_words

_MAX_LINE: Final = 78  # RFC 5322 §2.1.1, without CRLF
_SEGMENT: Final = 60  # octets of one RFC 2231 continuation
_ATOMS: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+")
_UNSAFE_ADDRESS: Final = re.compile(r"[\x00-\x20\x7f<>]")
_NEWLINE: Final = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class Mailbox:
    """An address with a name for people, which may be empty."""

    address: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes along; `media_type` as "application/pdf"."""

    filename: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Draft:
    """All that a new message says; `date` in Unix seconds, `zone` in minutes east of UTC, ids with their brackets.

    `fields` are further header fields, unstructured text.
    """

    sender: Mailbox
    to: Sequence[Mailbox]
    subject: str
    date: int
    message_id: str
    text: str
    html: str | None = None
    attachments: Sequence[Attachment] = ()
    cc: Sequence[Mailbox] = ()
    reply_to: Sequence[Mailbox] = ()
    in_reply_to: str = ""
    references: Sequence[str] = ()
    fields: Sequence[tuple[str, str]] = ()
    zone: int = 0


def compose(draft: Draft) -> bytes:
    """The message.

    Raises:
        ValueError: an address, an id or a field name holds blanks or controls, a media type is none.
    """
    return compose_entity(draft, _render_body(draft))


def compose_entity(draft: Draft, entity: bytes) -> bytes:
    """A message with the header of `draft` and a finished entity (header and body) in place of its text.

    Raises ValueError as `compose` does.
    """
    lines = [
        render_field("Date", render_date(draft.date, draft.zone)),
        render_field("From", _render_mailboxes([draft.sender])),
        *(
            render_field(name, _render_mailboxes(boxes))
            for name, boxes in (("To", draft.to), ("Cc", draft.cc), ("Reply-To", draft.reply_to))
            if boxes
        ),
        render_field("Subject", encode_words(draft.subject)),
        render_field("Message-ID", _render_ids([draft.message_id])),
    ]
    if draft.in_reply_to:
        lines.append(render_field("In-Reply-To", _render_ids([draft.in_reply_to])))
    if draft.references:
        lines.append(render_field("References", _render_ids(draft.references)))
    lines += [render_field(name, encode_words(value)) for name, value in draft.fields]
    return b"".join([*lines, b"MIME-Version: 1.0\r\n", entity])


def text_entity(text: str, subtype: str = "plain") -> bytes:
    """A text part, header and body: 7bit where it fits, else quoted-printable or base64, whichever is shorter."""
    content = _NEWLINE.sub("\r\n", text).encode("utf-8", "replace")
    if content and not content.endswith(b"\r\n"):
        content += b"\r\n"
    longest = max(map(len, content.split(b"\r\n")))
    if content.isascii() and longest <= _MAX_LINE and b"\0" not in content:
        encoding, body = b"7bit", content
    else:
        encoding, body = b"quoted-printable", b2a_qp(content, istext=True)
        if len(body) > len(content) * 1.4:
            encoding, body = b"base64", _base64(content)
    charset = b"us-ascii" if content.isascii() else b"utf-8"
    head = b"Content-Type: text/%b; charset=%b\r\nContent-Transfer-Encoding: %b\r\n\r\n"
    return head % (subtype.encode("ascii"), charset, encoding) + body


def multipart_entity(subtype: str, entities: Sequence[bytes], parameters: str = "") -> bytes:
    """A multipart of whole entities (header and body); `parameters` as "; report-type=delivery-status"."""
    digest = blake2b(digest_size=16)
    for entity in entities:
        digest.update(entity)
    boundary = b"=_" + digest.hexdigest().encode()
    head = b'Content-Type: multipart/%b%b;\r\n boundary="%b"\r\n\r\n'
    opening = head % (subtype.encode("ascii"), parameters.encode("ascii"), boundary)
    return opening + b"".join(b"--%b\r\n%b\r\n" % (boundary, entity) for entity in entities) + b"--%b--\r\n" % boundary


def attachment_entity(attachment: Attachment) -> bytes:
    """A file as a part in base64."""
    if not re.fullmatch(r"[!#-'*+.0-9A-Z^-z~|-]+/[!#-'*+.0-9A-Z^-z~|-]+", attachment.media_type):
        raise ValueError(f"not a media type: {attachment.media_type!r}")
    return b"Content-Type: %b\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: attachment%b\r\n\r\n" % (
        attachment.media_type.encode(),
        _parameter("filename", attachment.filename),
    ) + _base64(attachment.content)


def _render_body(draft: Draft) -> bytes:
    body = text_entity(draft.text)
    if draft.html is not None:
        body = multipart_entity("alternative", [body, text_entity(draft.html, "html")])
    if draft.attachments:
        body = multipart_entity("mixed", [body, *map(attachment_entity, draft.attachments)])
    return body


def _base64(content: bytes) -> bytes:
    return encodebytes(content).replace(b"\n", b"\r\n")


def _parameter(name: str, value: str) -> bytes:
    """`; name=value`, folded; other than plain ASCII by RFC 2231, in continuations where it is long."""
    if value.isascii() and value.isprintable() and len(value) <= _SEGMENT:
        quoted = value.replace("\\", "\\\\").replace('"', '\\"')
        return f';\r\n {name}="{quoted}"'.encode()
    encoded = "utf-8''" + quote(value, safe="", errors="replace")
    if len(encoded) <= _SEGMENT:
        return f";\r\n {name}*={encoded}".encode()
    segments: list[str] = []
    for piece in re.findall(r"%..|[^%]", encoded):
        if not segments or len(segments[-1]) + len(piece) > _SEGMENT:
            segments.append("")
        segments[-1] += piece
    return "".join(f";\r\n {name}*{n}*={segment}" for n, segment in enumerate(segments)).encode()


def _render_mailboxes(mailboxes: Sequence[Mailbox]) -> bytes:
    return b", ".join(_render_mailbox(mailbox) for mailbox in mailboxes)


def _render_mailbox(mailbox: Mailbox) -> bytes:
    if "@" not in mailbox.address or _UNSAFE_ADDRESS.search(mailbox.address):
        raise ValueError(f"not an address: {mailbox.address!r}")
    address = mailbox.address.encode()
    name = mailbox.name.strip()
    if not name:
        return address
    if _ATOMS.fullmatch(name) and "=?" not in name:
        return name.encode() + b" <%b>" % address
    if name.isascii() and name.isprintable() and "=?" not in name:
        return b'"%b" <%b>' % (name.replace("\\", "\\\\").replace('"', '\\"').encode(), address)
    return encode_words(name) + b" <%b>" % address


def _render_ids(ids: Sequence[str]) -> bytes:
    for message_id in ids:
        if not re.fullmatch(r"<[^<>\x00-\x20\x7f]+>", message_id):
            raise ValueError(f"not a message id: {message_id!r}")
    return " ".join(ids).encode()


def render_field(name: str, value: bytes) -> bytes:
    """One field, folded at its blanks so that lines keep to 78 octets where they can (RFC 5322 §2.2.3)."""
    if not re.fullmatch(r"[!-9;-~]+", name):
        raise ValueError(f"not a field name: {name!r}")
    lines: list[bytes] = []
    line = name.encode() + b":"
    for word in value.split(b" "):
        if len(line) + 1 + len(word) > _MAX_LINE and line.strip() and word and not line.endswith(b":"):
            lines.append(line)
            line = b""
        line += b" " + word
    return b"\r\n".join([*lines, line]) + b"\r\n"
