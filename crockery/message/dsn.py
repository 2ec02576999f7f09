"""Delivery status notifications written (RFC 3464, multipart/report of RFC 6522, UTF-8 addresses of RFC 6533).

Three parts: text for people, fields for programs, and the message that it is about or its header, as RET asked
(RFC 3461 §4.3). Pure: time and ids come in. Where an address is not ASCII, the parts have the "global" types of
RFC 6533, and the notice itself needs SMTPUTF8 to travel: `not notice.isascii()` tells.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from crockery.limits import DSN_VALUE_MAX, DSN_WHOLE_MAX, DSN_WORD_MAX
from crockery.message.compose import Draft, Mailbox, compose_entity, multipart_entity, render_field, text_entity
from crockery.message.dates import parse_date, render_date
from crockery.message.dsn_status import Action, RecipientStatus
from crockery.message.dsn_text import render_subject, render_text
from crockery.message.headers import header_length, read_fields, unfold
from crockery.message.subjects import message_ids
from crockery.message.words import decode_words

_UNPRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]+")
_REPORT: Final = "; report-type=delivery-status"


@dataclass(frozen=True, slots=True)
class Notice:
    """All that a notification says; times in Unix seconds, ids with their brackets.

    Args:
        sender: who it comes from, for its header; its reverse-path is null.
        to: the reverse-path of the message it is about.
        reporting_mta: our host name.
        arrival: when that message came to us.
        deliver_by: when it had to be delivered (RFC 2852 §5); 0: it had no such deadline.
        hold: what was asked of its release (RFC 4865 §5.1.2): "for;3600", "until;2027-01-01T00:00:00Z"; "": nothing.
        envelope_id: ENVID, its xtext undone; "" if there was none.
        original: that message, or its header alone.
        whole: RET=FULL. Messages above `limits.DSN_WHOLE_MAX` lose their body all the same.
        recipients: at least one.
    """

    sender: Mailbox
    to: str
    date: int
    message_id: str
    reporting_mta: str
    arrival: int
    envelope_id: str
    original: bytes
    whole: bool
    recipients: Sequence[RecipientStatus]
    deliver_by: int = 0
    hold: str = ""


def render_dsn(notice: Notice) -> bytes:
    """The message. Raises ValueError if an address of its header is none."""
    header = notice.original[: header_length(notice.original)]
    fields = read_fields(header)
    subject = decode_words(unfold(fields.get(b"subject", b""))).strip()
    sent = parse_date(unfold(fields.get(b"date", b"")))
    zone = sent.zone if sent else 0
    ids = [found.decode() for found in message_ids(unfold(fields.get(b"message-id", b""))) if found.isascii()][:1]
    is_whole = notice.whole and len(notice.original) <= DSN_WHOLE_MAX
    text = render_text(subject, sent.seconds if sent else None, zone, notice.recipients, is_whole=is_whole)
    is_global = not all((r.final + r.original).isascii() for r in notice.recipients)
    report = multipart_entity(
        "report",
        [
            text_entity(text),
            _render_status(notice, is_global),
            _render_original(notice.original if is_whole else header, len(header), is_whole),
        ],
        _REPORT,
    )
    draft = Draft(
        sender=notice.sender,
        to=[Mailbox(notice.to)],
        subject=render_subject(subject, notice.recipients),
        date=notice.date,
        zone=zone,
        message_id=notice.message_id,
        text="",
        in_reply_to=ids[0] if ids else "",
        references=ids,
        fields=[("Auto-Submitted", "auto-replied")],
    )
    return compose_entity(draft, report)


def _render_status(notice: Notice, is_global: bool) -> bytes:
    """The fields for programs: those of the message, then a group for each recipient (RFC 3464 §2.1)."""
    subtype = b"global-delivery-status" if is_global else b"delivery-status"
    encoding = b"Content-Transfer-Encoding: 8bit\r\n" if is_global else b""
    groups = [
        [
            ("Original-Envelope-Id", notice.envelope_id),
            ("Reporting-MTA", f"dns; {notice.reporting_mta}"),
            ("Arrival-Date", render_date(notice.arrival).decode()),
            ("Deliver-By-Date", render_date(notice.deliver_by).decode() if notice.deliver_by else ""),
            ("Future-Release-Request", notice.hold),
        ],
        *(_recipient_fields(recipient) for recipient in notice.recipients),
    ]
    blocks = (b"".join(_field(name, value, is_global) for name, value in group if value) for group in groups)
    return b"Content-Type: message/%b\r\n%b\r\n" % (subtype, encoding) + b"\r\n".join(blocks)


def _recipient_fields(recipient: RecipientStatus) -> list[tuple[str, str]]:
    diagnostic = ""
    if recipient.remote_reply:
        diagnostic = f"smtp; {recipient.remote_reply}"
    elif recipient.diagnosis:
        diagnostic = f"x-crockery; {recipient.diagnosis}"
    until = recipient.retry_until if recipient.action == Action.DELAYED else None
    return [
        ("Original-Recipient", recipient.original.replace(";", "; ", 1)),
        ("Final-Recipient", f"{'rfc822' if recipient.final.isascii() else 'utf-8'}; {recipient.final}"),
        ("Action", recipient.action),
        ("Status", recipient.status),
        ("Remote-MTA", f"dns; {recipient.remote_host}" if recipient.remote_host else ""),
        ("Diagnostic-Code", diagnostic),
        ("Last-Attempt-Date", "" if recipient.last_attempt is None else render_date(recipient.last_attempt).decode()),
        ("Will-Retry-Until", "" if until is None else render_date(until).decode()),
    ]


def _field(name: str, value: str, is_global: bool) -> bytes:
    text = _UNPRINTABLE.sub(" ", value)[:DSN_VALUE_MAX]
    words = [word[i : i + DSN_WORD_MAX] for word in text.split() for i in range(0, len(word), DSN_WORD_MAX)]
    return render_field(name, " ".join(words).encode("utf-8" if is_global else "ascii", "replace"))


def _render_original(data: bytes, header_end: int, is_whole: bool) -> bytes:
    """The message or its header as the last part (RFC 6522 §3; RFC 6533 §5, §6 where the header is UTF-8)."""
    is_global = not data[:header_end].isascii()
    if is_whole:
        media_type = b"message/global" if is_global else b"message/rfc822"
    else:
        media_type = b"message/global-headers" if is_global else b"text/rfc822-headers"
    encoding = b"7bit" if data.isascii() else b"8bit"
    return b"Content-Type: %b\r\nContent-Transfer-Encoding: %b\r\n\r\n" % (media_type, encoding) + data
