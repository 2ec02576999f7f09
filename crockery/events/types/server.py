"""Events of the log and the server themselves, and settings."""

from typing import Final, NotRequired, TypedDict

from crockery.events.types.base import EventType


class Batch(TypedDict):
    """The frame before each group commit (not an event; it has no number of its own)."""

    durable: int


class ServerStarted(TypedDict):
    """The log was opened for writing. Where machine, device or inode differ from the last, the file is a copy."""

    version: str
    machine: str
    device: int
    inode: int


class ServerStopped(TypedDict):
    """An orderly stop; the batch after it, or none, tells that everything before was durable."""


class HistoryResumed(TypedDict):
    """The log goes on from a copy: others may have seen numbers that this copy does not know.

    Sequence numbers jump by `jump` at this event, each UIDNEXT by `uid_jump`, the UIDVALIDITY of the next mailbox by
    `uidvalidity_jump` at least, every message's MODSEQ becomes this event's, and the queue stands still until the
    postmaster says send or drop.
    """

    reason: str
    jump: int
    uid_jump: int
    uidvalidity_jump: NotRequired[int]


class DamageAccepted(TypedDict):
    """`repair` went past damage: the octets from `start` to `end` of the file are left out of the chain."""

    start: int
    end: int
    after: int
    """Sequence number of the last record before the damage."""


class TailCut(TypedDict):
    """Recovery cut an unfinished tail of `length` octets at `offset`; they are kept in the file named `kept`."""

    offset: int
    length: int
    kept: str


class BodyPart(TypedDict):
    """A piece of a large body, written ahead: `size` octets before compression in frames of these lengths."""

    size: int
    frames: list[int]


class BodiesErased(TypedDict):
    """The bodies of these events (packed numbers; also of those that share one) are zeros from now on."""

    numbers: bytes
    why: str


class SettingChanged(TypedDict):
    """A setting has a new value; None is the default."""

    by: int
    name: str
    value: str | int | bool | None
    old: str | int | bool | None


class CertificateInstalled(TypedDict):
    """A certificate is in use. Body (secret): PEM of private key, then chain; none when it lives in files."""

    by: int
    source: str
    """ "self-signed", "file" or "acme"."""
    names: list[str]
    not_after: int
    fingerprint: str
    certificate_path: NotRequired[str]
    key_path: NotRequired[str]
    replaces: NotRequired[int]
    """Number of the CertificateInstalled whose body is erased by this one."""


class Tallied(TypedDict):
    """What strangers did since the last tally, as counts by kind: at most one a minute."""

    since: int
    counts: dict[str, int]


class SmartHostSet(TypedDict):
    """From now on all outgoing mail takes this way; whatever waits is due at once. Body (secret): the password."""

    by: int
    host: str
    """A-labels or an address; "": mail goes to the servers of its recipients again."""
    port: int
    tls: str
    """ "implicit" (RFC 8314) or "starttls"."""
    user: str
    """ "": without a login, and without a body."""
    replaces: NotRequired[int]
    """Number of the SmartHostSet whose body is erased by this one."""
    cmd: NotRequired[str]


class SmartHostTold(TypedDict):
    """The postmaster was told, in the same atom by the message `told`, that the smart host takes no mail."""

    why: str
    told: int


SEQUENCE_JUMP: Final = 1 << 40
"""`jump` of HistoryResumed: no original appends so many after a copy was made."""
UID_JUMP: Final = 1 << 20
"""`uid_jump` of HistoryResumed: a million mails came into a mailbox after the copy at most."""
UIDVALIDITY_JUMP: Final = 1 << 16
"""`uidvalidity_jump` of HistoryResumed: 65,536 mailboxes were made after the copy, beyond one a second, at most."""

BATCH: Final = EventType(1, "Batch")
SERVER_STARTED: Final = EventType(2, "ServerStarted")
SERVER_STOPPED: Final = EventType(3, "ServerStopped", skippable=True)
HISTORY_RESUMED: Final = EventType(4, "HistoryResumed")
DAMAGE_ACCEPTED: Final = EventType(5, "DamageAccepted")
BODY_PART: Final = EventType(6, "BodyPart")
BODIES_ERASED: Final = EventType(7, "BodiesErased")
SETTING_CHANGED: Final = EventType(8, "SettingChanged")
CERTIFICATE_INSTALLED: Final = EventType(9, "CertificateInstalled", secret=True)
TALLIED: Final = EventType(10, "Tallied", skippable=True)
TAIL_CUT: Final = EventType(11, "TailCut", skippable=True)
SMART_HOST_SET: Final = EventType(12, "SmartHostSet", secret=True)
SMART_HOST_TOLD: Final = EventType(13, "SmartHostTold", skippable=True)

TYPES: Final = (
    BATCH, SERVER_STARTED, SERVER_STOPPED, HISTORY_RESUMED, DAMAGE_ACCEPTED, BODY_PART, BODIES_ERASED,
    SETTING_CHANGED, CERTIFICATE_INSTALLED, TALLIED, TAIL_CUT, SMART_HOST_SET, SMART_HOST_TOLD,
)  # fmt: skip
