"""What waits in the queue: messages and their recipients, with what became of each; and how a snapshot keeps them.

Values of the projection `queue`, which alone changes them.
"""

import enum
import itertools
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

import msgpack

_SECOND: Final = 1_000_000


RECEIVED: Final = "received"
"""The origin of a message that was delivered here, and whose sender wants to be told (RFC 3461)."""


class RecipientState(enum.IntEnum):
    """Where a recipient stands. A due one whose message has a `hold_until` to come is held until then."""

    DUE = 0
    IN_FLIGHT = 1
    HELD_INSECURE = 2
    DELIVERED = 3
    RELAYED = 4
    FAILED = 5
    CANCELLED = 6


class Notify(enum.IntFlag):
    """When the sender is told (RFC 3461 section 4.1)."""

    NEVER = 0
    SUCCESS = 1
    FAILURE = 2
    DELAY = 4


DEFAULT_NOTIFY: Final = Notify.FAILURE | Notify.DELAY


def read_notify(words: Iterable[str]) -> Notify:
    """The words of a NOTIFY parameter; unknown ones count for nothing."""
    notify = Notify.NEVER
    for word in words:
        notify |= Notify.__members__.get(word.upper(), Notify.NEVER)
    return notify


class Place(NamedTuple):
    """Where an attempt went. All empty when no connection came about."""

    host: str = ""
    address: str = ""
    tls: Mapping[str, Any] | None = None
    """TLSFacts."""


NOWHERE: Final = Place()


class Attempt(NamedTuple):
    """One attempt as told; shared by the recipients it was for. `time` in microseconds."""

    time: int
    place: Place
    result: str
    code: int
    enhanced: str
    text: str
    why: str


class Report(NamedTuple):
    """What another server said later of a recipient; see `events.types.queue.DeliveryReported`. Microseconds."""

    time: int
    number: int
    """The event by which it came in."""
    peer: str
    reporter: str
    action: str
    status: str
    text: str
    host: str
    final: str


class InFlight(NamedTuple):
    """An AttemptBegun without an outcome."""

    message: int
    recipients: tuple[str, ...]
    place: Place


class Leave(enum.IntEnum):
    """How insecure the way to a recipient may be."""

    NONE = 0
    UNVERIFIED = 1
    """Unverified TLS, or none; the sender was not asked about a policy of the domain."""
    ANY = 2
    """Also where DANE or MTA-STS forbids it: the sender was asked about that."""


class Recipient:
    """One recipient of a queued message."""

    __slots__ = ("address", "attempts", "domain", "insecure", "next", "notify", "owed", "problem", "state", "story",
                 "told")  # fmt: skip

    def __init__(self, address: str, due: int, notify: int) -> None:
        self.address = address
        self.domain = sys.intern(address.rpartition("@")[2])
        self.state = RecipientState.DUE
        self.next = due
        """Unix seconds of the next attempt."""
        self.attempts = 0
        self.notify = notify
        self.owed = False
        """The sender is still to be told what became of it."""
        self.insecure = Leave.NONE
        """It may go without a secure way: the sender said so."""
        self.told = False
        """The sender was told of the delay."""
        self.problem: Mapping[str, Any] | None = None
        """When held: what was wrong (`Problem`)."""
        self.story: tuple[Attempt, ...] = ()
        """The first attempt and the last ones."""

    @property
    def is_final(self) -> bool:
        """Nothing more is tried for it."""
        return self.state >= RecipientState.DELIVERED

    @property
    def is_waiting(self) -> bool:
        """It is to be tried (again)."""
        return self.state in (RecipientState.DUE, RecipientState.HELD_INSECURE)


class QueuedMessage:
    """A message and its recipients."""

    __slots__ = ("account", "deliver_by", "expires", "hold_until", "id", "origin", "recipients", "reverse_path", "size",
                 "time", "tls_optional")  # fmt: skip

    def __init__(self, number: int, time: int, facts: Mapping[str, Any]) -> None:
        self.id = number
        self.time = time
        """Microseconds."""
        self.account: int = facts["account"]
        self.origin: str = sys.intern(facts["origin"])
        self.reverse_path: str = sys.intern(facts["reverse_path"])
        self.size: int = facts["size"] + len(facts["prefix"])
        self.expires: int = facts["expires"]
        """Unix seconds; so are the next two."""
        self.hold_until: int = facts.get("hold_until", 0)
        deadline: int = facts.get("deliver_by", 0)
        self.deliver_by = deadline if deadline > time // _SECOND else 0  # past: another server has told of it
        self.tls_optional: bool = facts.get("tls_optional", False)
        due = self.hold_until or time // _SECOND
        options = facts.get("options", {})
        self.recipients = tuple(Recipient(a, due, _notify(options.get(a))) for a in facts["recipients"])

    @property
    def waiting(self) -> list[Recipient]:
        """Those to be tried (again)."""
        return [recipient for recipient in self.recipients if recipient.is_waiting]

    @property
    def is_finished(self) -> bool:
        """All recipients are final, and nobody is to be told of any."""
        return all(recipient.is_final and not recipient.owed for recipient in self.recipients)

    def select(self, addresses: Iterable[str]) -> Iterator[Recipient]:
        """The recipients with these addresses."""
        wanted = set(addresses)
        return (recipient for recipient in self.recipients if recipient.address in wanted)


def _notify(options: Mapping[str, Any] | None) -> Notify:
    if options is None or "notify" not in options:
        return DEFAULT_NOTIFY
    return read_notify(options["notify"])


def dump_place(place: Place) -> list[Any]:
    """A place as plain values."""
    return [place.host, place.address, place.tls]


_DUMPED_TOGETHER: Final = 500
_COPIED: Final = ("account", "origin", "reverse_path", "size", "expires", "hold_until", "deliver_by", "tls_optional")
_COPIED_OF_RECIPIENT: Final = ("next", "attempts", "owed", "insecure", "told", "problem")


def dump_messages(messages: Mapping[int, QueuedMessage]) -> list[bytes]:
    """Some at a time: as lists and numbers all of them would take more memory than they do themselves."""
    waiting = list(messages.values())
    return [
        msgpack.packb([_dump_message(message) for message in waiting[start : start + _DUMPED_TOGETHER]])
        for start in range(0, len(waiting), _DUMPED_TOGETHER)
    ]


def load_messages(dumped: list[bytes]) -> dict[int, QueuedMessage]:
    """What `dump_messages` made, by number."""
    some = (msgpack.unpackb(one, strict_map_key=False) for one in dumped)
    return {values[0]: _load_message(values) for values in itertools.chain.from_iterable(some)}


def _dump_message(message: QueuedMessage) -> list[Any]:
    values = [getattr(message, name) for name in _COPIED]
    return [message.id, message.time, values, [_dump_recipient(recipient) for recipient in message.recipients]]


def _dump_recipient(recipient: Recipient) -> list[Any]:
    story = [[a.time, dump_place(a.place), *a[2:]] for a in recipient.story]
    values = [getattr(recipient, name) for name in _COPIED_OF_RECIPIENT]
    return [recipient.address, int(recipient.notify), int(recipient.state), values, story]


def _load_message(dumped: Any) -> QueuedMessage:
    number, time, values, recipients = dumped
    facts = dict(zip(_COPIED, values, strict=True))
    message = QueuedMessage(number, time, {**facts, "prefix": b"", "recipients": ()})
    message.recipients = tuple(_load_recipient(recipient) for recipient in recipients)
    return message


def _load_recipient(dumped: Any) -> Recipient:
    address, notify, state, values, story = dumped
    recipient = Recipient(address, 0, Notify(notify))
    recipient.state = RecipientState(state)
    for name, value in zip(_COPIED_OF_RECIPIENT, values, strict=True):
        setattr(recipient, name, value)
    recipient.insecure = Leave(recipient.insecure)
    recipient.story = tuple(Attempt(time, Place(*place), *rest) for time, place, *rest in story)
    return recipient
