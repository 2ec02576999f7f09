"""All that is asked of a message often, so that it is computed once and kept (design §1.4, the `structure` file).

Whatever changes what comes out raises VERSION, and what is kept of another version is thrown away.
"""

from typing import Final, NamedTuple

from crockery.message.bodystructure import render_bodystructure
from crockery.message.dates import SentDate, parse_date
from crockery.message.envelope import render_envelope
from crockery.message.structure import Part, iterate_parts, parse_structure
from crockery.message.subjects import base_subject, message_ids
from crockery.message.words import decode_words

VERSION: Final = 2


class Summary(NamedTuple):
    """What FETCH, SORT and THREAD need of one message; the first two are ready to send to an IMAP4rev1 client.

    `utf8_differs` tells that a client which takes UTF-8 must get them rendered with `utf8=True` instead.
    """

    envelope: bytes
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


def summarize(data: bytes, root: Part | None = None) -> Summary:
    """The summary of the message `data` (prefix and body joined), whose tree may be given. Never raises."""
    part = root or parse_structure(data)
    envelope = part.envelope
    assert envelope is not None  # the root is always a message
    subject = decode_words(envelope.subject or b"")
    base, is_reply = base_subject(subject)
    return Summary(
        envelope=render_envelope(envelope),
        bodystructure=render_bodystructure(part),
        header_length=part.body_start,
        utf8_differs=_utf8_differs(data, part),
        subject=subject,
        base_subject=base,
        is_reply=is_reply,
        sent=parse_date(envelope.date or b""),
        message_id=next(iter(message_ids(envelope.message_id)), None),
        in_reply_to=message_ids(envelope.in_reply_to),
        references=message_ids(envelope.references),
    )


def _utf8_differs(data: bytes, part: Part) -> bool:
    return any(
        (found.message is not None and found.subtype == "global")
        or not data[found.header_start : found.body_start].isascii()
        for found in iterate_parts(part)
    )
