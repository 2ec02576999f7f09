"""Events of annotations: IMAP METADATA of mailboxes and of the server (RFC 5464), and special uses (RFC 6154)."""

from typing import Final, NotRequired, TypedDict

from crockery.events.types.base import EventType


class MetadataChanged(TypedDict):
    """Entries really got other values: [entry, new value, value before] each, None where there is none.

    Entries are in lower case, with their "/private" or "/shared".
    """

    by: int
    account: int
    """Whose they are; 0: entries of the server that everybody sees."""
    box: int
    """The mailbox (an id); 0: of the server."""
    entries: list[tuple[str, bytes | None, bytes | None]]
    cmd: NotRequired[str]


class SpecialUsesChanged(TypedDict):
    """Mailboxes have another special use: [mailbox, new use, use before] each; None: an ordinary mailbox."""

    by: int
    account: int
    uses: list[tuple[int, str | None, str | None]]
    cmd: NotRequired[str]


METADATA_CHANGED: Final = EventType(44, "MetadataChanged")
SPECIAL_USES_CHANGED: Final = EventType(45, "SpecialUsesChanged")

TYPES: Final = (METADATA_CHANGED, SPECIAL_USES_CHANGED)
