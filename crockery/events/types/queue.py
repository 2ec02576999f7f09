"""Events of mail that goes elsewhere."""

from typing import Final, NotRequired, TypedDict

from crockery.events.types.base import EventType


class MessageQueued(TypedDict):
    """A message waits to be sent to recipients elsewhere; its number is this event's. Body as in MessageReceived."""

    by: int
    account: int
    """The account that submitted it; 0: the server itself."""
    reverse_path: str
    recipients: list[str]
    prefix: bytes
    size: int
    frames: NotRequired[list[int]]
    parts: NotRequired[list[int]]
    body_of: NotRequired[int]
    body: str
    """ "7BIT" or "8BITMIME"."""
    smtputf8: bool
    message_id: NotRequired[str]
    envelope: NotRequired[dict[str, object]]
    """What the network said of the submission, as in MessageReceived."""


class RecipientsCancelled(TypedDict):
    """The postmaster or the sender took these recipients of a queued message back."""

    by: int
    message: int
    recipients: list[str]
    orphaned: bytes
    cmd: NotRequired[str]


MESSAGE_QUEUED: Final = EventType(70, "MessageQueued")
RECIPIENTS_CANCELLED: Final = EventType(71, "RecipientsCancelled")

TYPES: Final = (MESSAGE_QUEUED, RECIPIENTS_CANCELLED)
