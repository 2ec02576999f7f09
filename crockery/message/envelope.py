"""The answer to FETCH ENVELOPE (RFC 3501 §7.4.2, RFC 9051 §7.5.2), and the IMAP strings it is made of.

Strings are quoted where that is legal, else literals; NULs, which neither may hold, are dropped. For octets above 127:
without `utf8` (IMAP4rev1) all comes out in ASCII, as `downgrade` has it, since an unlabelled 8-bit literal would leave
the charset to the client's guess. With `utf8` (RFC 6855, IMAP4rev2) all of it is quoted UTF-8, other charsets turned
into it.
"""

import re

from crockery.limits import MAX_ENVELOPE_TEXT
from crockery.message.addresses import Address, Group, parse_addresses
from crockery.message.charsets import decode_charset
from crockery.message.downgrade import downgrade_domain, downgrade_route, downgrade_structured, downgrade_text
from crockery.message.structure import Envelope

_PLAIN = re.compile(rb"[ !#-\[\]-~]*+")


def render_envelope(envelope: Envelope, utf8: bool = False) -> bytes:
    """The parenthesised list of ten; Sender and Reply-To stand in for From where they are missing or empty."""
    sender = render_addresses(envelope.from_, utf8)
    return b"(%b %b %b %b %b %b %b %b %b %b)" % (
        render_nstring(envelope.date, utf8),
        render_text(envelope.subject, utf8),
        sender,
        render_addresses(envelope.sender, utf8) if envelope.sender else sender,
        render_addresses(envelope.reply_to, utf8) if envelope.reply_to else sender,
        render_addresses(envelope.to, utf8),
        render_addresses(envelope.cc, utf8),
        render_addresses(envelope.bcc, utf8),
        render_nstring(envelope.in_reply_to, utf8),
        render_nstring(envelope.message_id, utf8),
    )


def render_addresses(value: bytes | None, utf8: bool = False) -> bytes:
    """The addresses of an unfolded field value, NIL if there are none. A missing domain is "", as NIL marks groups."""
    if not value:
        return b"NIL"
    rendered: list[bytes] = []
    for address in parse_addresses(value):
        if isinstance(address, Address):
            rendered.append(_render_address(address, utf8))
        else:
            rendered.extend(_render_group(address, utf8))
    return b"(%b)" % b"".join(rendered) if rendered else b"NIL"


def _render_address(address: Address, utf8: bool) -> bytes:
    route, host = address.route, address.host or b""
    if not utf8:
        route, host = route and downgrade_route(route), downgrade_domain(host)
    return b"(%b %b %b %b)" % (
        render_text(address.name, utf8),
        render_nstring(route, utf8),
        render_nstring(address.local, utf8),
        render_nstring(host, utf8),
    )


def _render_group(group: Group, utf8: bool) -> list[bytes]:
    start = b"(NIL NIL %b NIL)" % render_text(group.name, utf8)
    return [start, *(_render_address(member, utf8) for member in group.members), b"(NIL NIL NIL NIL)"]


def render_text(value: bytes | None, utf8: bool = False) -> bytes:
    """An nstring of text that may hold encoded words."""
    if value is not None and not utf8:
        value = downgrade_text(value)
    return render_nstring(value, utf8)


def render_nstring(value: bytes | None, utf8: bool = False) -> bytes:
    """nstring = string / nil (RFC 9051 §9), of a structured value."""
    if value is None:
        return b"NIL"
    value = value[:MAX_ENVELOPE_TEXT]
    if _PLAIN.fullmatch(value):
        return b'"%b"' % value
    if not value.isascii():
        if utf8:
            value = decode_charset(value, None).encode("utf-8", "replace")
        else:
            value = downgrade_structured(value)[:MAX_ENVELOPE_TEXT]
    if b"\0" in value:
        value = value.replace(b"\0", b"")
    if b"\r" in value or b"\n" in value:
        return b"{%d}\r\n%b" % (len(value), value)
    return b'"%b"' % value.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
