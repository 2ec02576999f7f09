"""IMAP URLs of the client's own messages, as CATENATE names them (RFC 4469 section 3, RFC 5092 section 11).

    /Drafts;UIDVALIDITY=385759045/;UID=20/;SECTION=1.2/;PARTIAL=0.1024       absolute path
    ;UID=20/;SECTION=HEADER                                                  of the selected mailbox

Whole URLs with a server in them, and those with URLAUTH, are not read: nothing of others is fetched here.
"""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_to_bytes

from crockery.imap.wire.cursor import NUMBER64_MAX, NUMBER_MAX, Cursor
from crockery.imap.wire.errors import BadCommand
from crockery.imap.wire.fetch import FetchSection, parse_fetch_item
from crockery.imap.wire.framer import Frame
from crockery.limits import IMAP_URL_MAX

URL: Final = re.compile(
    r"(?:/(?P<mailbox>[^;/][^;]*?)(?:;UIDVALIDITY=(?P<validity>[0-9]{1,10}))?)?/?;UID=(?P<uid>[0-9]{1,10})"
    r"(?:/;SECTION=(?P<section>[^;]+?))?(?:/;PARTIAL=(?P<start>[0-9]{1,19})(?:\.(?P<octets>[0-9]{1,19}))?)?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class MessageUrl:
    """Octets of one message. `mailbox` is None for the selected one; `section` of the whole message has no part."""

    mailbox: str | None
    uid_validity: int | None
    uid: int
    section: FetchSection
    partial: tuple[int, int | None] | None = None
    """Offset, and octets from there, None for all."""


def parse_url(text: str) -> MessageUrl | None:
    """The octets meant; None if it is no such URL."""
    found = URL.fullmatch(text) if len(text) <= IMAP_URL_MAX else None
    if found is None or not 0 < int(found["uid"]) <= NUMBER_MAX:
        return None
    try:
        section = _parse_section(found["section"] or "")
        mailbox = None if found["mailbox"] is None else unquote_to_bytes(found["mailbox"]).decode("utf-8")
    except (BadCommand, UnicodeDecodeError):
        return None
    partial = None
    if found["start"] is not None:
        octets = None if found["octets"] is None else int(found["octets"])
        if int(found["start"]) > NUMBER64_MAX or octets == 0:
            return None
        partial = int(found["start"]), octets
    validity = None if found["validity"] is None else int(found["validity"])
    return MessageUrl(mailbox, validity, int(found["uid"]), section, partial)


def _parse_section(text: str) -> FetchSection:
    cursor = Cursor(Frame(b"BODY.PEEK[%b]" % unquote_to_bytes(text), {}))
    item = parse_fetch_item(cursor)
    cursor.finish()
    if not isinstance(item, FetchSection):
        raise BadCommand("Section expected")
    return item
