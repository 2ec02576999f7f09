"""Events of mailboxes and messages. `uids` are flat ranges, `numbers`/`orphaned` packed numbers (`events.ranges`)."""

from typing import Final, NotRequired, TypedDict

from crockery.events.types.base import EventType


class MailboxCreated(TypedDict):
    """A mailbox; its id is this event's number. Names are Unicode with "/" between levels; INBOX is "INBOX"."""

    by: int
    account: int
    name: str
    uidvalidity: int
    special_use: NotRequired[str]
    """As in RFC 6154, with its backslash: "\\\\Sent"."""
    subscribed: NotRequired[bool]


class MailboxesRenamed(TypedDict):
    """Mailboxes have new names: [id, old, new] each (a rename takes the inferior names along)."""

    by: int
    account: int
    names: list[tuple[int, str, str]]


class MailboxDeleted(TypedDict):
    """The mailbox is gone; `orphaned` messages are erased after the retention time unless it is brought back."""

    by: int
    account: int
    mailbox: int
    name: str
    orphaned: bytes


class SubscriptionsChanged(TypedDict):
    """Names were added to and removed from the account's list of subscribed mailboxes."""

    by: int
    account: int
    added: list[str]
    removed: list[str]


class MessageReceived(TypedDict):
    """A message came into a mailbox; its number is this event's.

    Body: the message below its trace header fields (see the package docstring for size, frames, parts, body_of).
    """

    by: int
    mailbox: int
    uid: int
    flags: list[str]
    """System flags with backslash, keywords without, never \\\\Recent."""
    date: int
    """Internal date, unix seconds."""
    prefix: bytes
    size: int
    """Octets of the body before compression, without the prefix."""
    frames: NotRequired[list[int]]
    parts: NotRequired[list[int]]
    body_of: NotRequired[int]
    via: str
    """ "smtp", "submission", "append", "import", "server"."""
    cmd: NotRequired[str]
    message_id: NotRequired[str]
    """As in the header, without <>; outlives an erased body."""
    thread: NotRequired[int]
    """Its conversation, by the number of the first message of it; absent: it begins one (RFC 8474)."""
    keys: NotRequired[bytes]
    """Keys of the conversation that were new (`projections.threads`), eight octets each, the lowest first."""
    envelope: NotRequired[dict[str, object]]
    """What the network said: `peer`, `helo`, `tls`, `from` (reverse-path), `to` (this recipient as given), `esmtp`."""


class FlagsChanged(TypedDict):
    """Flags were really added and removed: flag name to the UIDs whose bit changed."""

    by: int
    mailbox: int
    added: dict[str, list[int]]
    removed: dict[str, list[int]]
    cmd: NotRequired[str]


class MessagesCopied(TypedDict):
    """Messages of `source` (uids, in order) got the UIDs `first`, `first` + 1 ... in `mailbox`, with flags and date."""

    by: int
    source: int
    uids: list[int]
    mailbox: int
    first: int
    numbers: bytes
    """The messages' numbers, in order: the destination's references to them."""
    cmd: NotRequired[str]


class MessagesExpunged(TypedDict):
    """Messages left a mailbox. `orphaned`: those that no mailbox refers to any more."""

    by: int
    mailbox: int
    uids: list[int]
    numbers: bytes
    orphaned: bytes
    cmd: NotRequired[str]


MAILBOX_CREATED: Final = EventType(40, "MailboxCreated")
MAILBOXES_RENAMED: Final = EventType(41, "MailboxesRenamed")
MAILBOX_DELETED: Final = EventType(42, "MailboxDeleted")
SUBSCRIPTIONS_CHANGED: Final = EventType(43, "SubscriptionsChanged")
MESSAGE_RECEIVED: Final = EventType(50, "MessageReceived")
FLAGS_CHANGED: Final = EventType(51, "FlagsChanged")
MESSAGES_COPIED: Final = EventType(52, "MessagesCopied")
MESSAGES_EXPUNGED: Final = EventType(53, "MessagesExpunged")

TYPES: Final = (
    MAILBOX_CREATED, MAILBOXES_RENAMED, MAILBOX_DELETED, SUBSCRIPTIONS_CHANGED,
    MESSAGE_RECEIVED, FLAGS_CHANGED, MESSAGES_COPIED, MESSAGES_EXPUNGED,
)  # fmt: skip
