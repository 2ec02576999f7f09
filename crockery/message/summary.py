"""All that is kept of a message so that no answer has to parse it again (design §1.4, the `structure` file).

`summarize` computes it, `Summary.encode` gives the bytes to keep. Whatever changes these bytes or their meaning raises
VERSION, and kept ones of another version are thrown away.
"""

import operator
from dataclasses import dataclass, fields
from typing import Any, Final

import msgpack

from crockery.message.bodystructure import render_bodystructure
from crockery.message.dates import SentDate, parse_date
from crockery.message.envelope import render_envelope
from crockery.message.headers import read_fields, unfold
from crockery.message.structure import Envelope, Part, iterate_parts, parse_structure
from crockery.message.subjects import base_subject, message_ids
from crockery.message.words import decode_words

VERSION: Final = 1
_NESTED: Final = ("children", "message", "envelope")  # packed apart, before the other fields of a part


class SummaryError(ValueError):
    """Bytes that are no summary of this version: make it anew from the message."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What FETCH, SORT and THREAD need of one message; the first three are ready to send to an IMAP4rev1 client.

    `utf8_differs` tells that a client which takes UTF-8 must get them rendered from `part()` with `utf8=True` instead.
    `tree` is `part()` packed: `encode` and `decode` do not look into it.
    """

    envelope: bytes
    body: bytes
    bodystructure: bytes
    header_length: int
    utf8_differs: bool
    subject: str
    base_subject: str
    is_reply: bool
    sent: SentDate | None
    message_id: bytes | None
    in_reply_to: tuple[bytes, ...]
    references: tuple[bytes, ...]
    tree: bytes

    def part(self) -> Part:
        """The tree of parts, as `parse_structure` gives it."""
        return _unpack_part(msgpack.unpackb(self.tree))

    def encode(self) -> bytes:
        """The bytes to keep."""
        packed: bytes = msgpack.packb(
            (
                VERSION, self.envelope, self.body, self.bodystructure, self.header_length, self.utf8_differs,
                self.subject, self.base_subject, self.is_reply, self.sent, self.message_id, self.in_reply_to,
                self.references, self.tree,
            ),
            unicode_errors="surrogatepass",
        )  # fmt: skip
        return packed

    @classmethod
    def decode(cls, data: bytes) -> "Summary":
        """The inverse of `encode`.

        Raises:
            SummaryError: another version, or not from `encode`.
        """
        try:
            version, *values = msgpack.unpackb(data, use_list=False, unicode_errors="surrogatepass")
            if version != VERSION:
                raise SummaryError(f"summary version {version}, this program writes {VERSION}")
            values[8] = None if values[8] is None else SentDate(*values[8])
            return cls(*values)
        except (ValueError, TypeError, IndexError, msgpack.UnpackException) as error:
            raise SummaryError(f"damaged summary: {error}") from error


def summarize(data: bytes) -> Summary:
    """The summary of the message `data` (prefix and body joined). Never raises."""
    part = parse_structure(data)
    envelope = part.envelope
    assert envelope is not None  # the root is always a message
    subject = decode_words(envelope.subject or b"")
    base, is_reply = base_subject(subject)
    references = read_fields(data, 0, part.body_start).get(b"references")
    return Summary(
        envelope=render_envelope(envelope),
        body=render_bodystructure(part, extensible=False),
        bodystructure=render_bodystructure(part),
        header_length=part.body_start,
        utf8_differs=_utf8_differs(data, part),
        subject=subject,
        base_subject=base,
        is_reply=is_reply,
        sent=parse_date(envelope.date or b""),
        message_id=next(iter(message_ids(envelope.message_id)), None),
        in_reply_to=message_ids(envelope.in_reply_to),
        references=message_ids(None if references is None else unfold(references)),
        tree=msgpack.packb(_pack_part(part)),
    )


def _utf8_differs(data: bytes, part: Part) -> bool:
    return any(
        (found.message is not None and found.subtype == "global")
        or not data[found.header_start : found.body_start].isascii()
        for found in iterate_parts(part)
    )


_PART_FIELDS: Final = operator.attrgetter(*(f.name for f in fields(Part) if f.name not in _NESTED))
_ENVELOPE_FIELDS: Final = operator.attrgetter(*(f.name for f in fields(Envelope)))


def _pack_part(part: Part) -> list[Any]:
    return [
        [_pack_part(child) for child in part.children],
        None if part.message is None else _pack_part(part.message),
        None if part.envelope is None else _ENVELOPE_FIELDS(part.envelope),
        *_PART_FIELDS(part),
    ]


def _unpack_part(packed: list[Any]) -> Part:
    children, message, envelope, *plain = packed
    plain[6] = tuple((name, value) for name, value in plain[6])
    plain[9] = tuple((name, value) for name, value in plain[9])
    nested = (
        tuple(_unpack_part(child) for child in children),
        None if message is None else _unpack_part(message),
        None if envelope is None else Envelope(*envelope),
    )
    return Part(*[*plain, *nested])
