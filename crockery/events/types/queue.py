"""Events of mail that goes elsewhere: queued, attempted, held, told about.

Recipients are named by their address as MessageQueued has it. Times of what is to come (`next`, `hold_until`,
`expires` ...) are unix seconds: they were decided with jitter and a clock, and so are facts.
"""

from typing import Final, NotRequired, TypedDict

from crockery.events.types.base import EventType


class RecipientOptions(TypedDict):
    """What the submission asked for one recipient (RFC 3461)."""

    notify: NotRequired[list[str]]
    """NEVER, or any of SUCCESS, FAILURE, DELAY; not there: it was not said."""
    orcpt: NotRequired[str]
    """As given, decoded: "rfc822;carol@example.net"."""


class MessageQueued(TypedDict):
    """A message waits to be sent to recipients elsewhere; its number is this event's. Body as in MessageReceived."""

    by: int
    account: int
    """The account that submitted it, or set the forward; 0: the server itself."""
    origin: str
    """ "submitted", "forward", "notice" (a DSN) or "report"; "received": it was delivered here and is in the queue only
    until its sender is told so (RFC 3461)."""
    reverse_path: str
    recipients: list[str]
    options: NotRequired[dict[str, RecipientOptions]]
    expires: int
    """When it is given up."""
    prefix: bytes
    size: int
    frames: NotRequired[list[int]]
    parts: NotRequired[list[int]]
    body_of: NotRequired[int]
    body: str
    """ "7BIT" or "8BITMIME"."""
    smtputf8: bool
    ret: NotRequired[str]
    """FULL or HDRS (RFC 3461)."""
    envid: NotRequired[str]
    """Decoded."""
    requiretls: NotRequired[bool]
    """RFC 8689: it goes through hops that honour it, or not at all."""
    tls_optional: NotRequired[bool]
    """TLS-Required: No, from an account: it may go without a secure way, unasked."""
    hold_until: NotRequired[int]
    """RFC 4865: nobody gets it before."""
    hold: NotRequired[str]
    """As it was asked for, for notices: "for;3600" or "until;2027-01-01T00:00:00Z"."""
    deliver_by: NotRequired[int]
    """RFC 2852, mode N: whoever has not got it by then is told of to the sender."""
    return_by: NotRequired[int]
    """Mode R: then it comes back; `expires` is no later."""
    by_trace: NotRequired[bool]
    """The sender is told of each server that takes it."""
    message_id: NotRequired[str]
    envelope: NotRequired[dict[str, object]]
    """What the network said of the submission, as in MessageReceived."""


class TLSFacts(TypedDict):
    """The TLS of a connection outwards."""

    version: str
    cipher: str
    fingerprint: str
    """SHA-256 of the certificate, hex."""
    spki: str
    """SHA-256 of its public key, hex: what a pin holds."""
    names: list[str]
    verified: str
    """How: "dane", "mta-sts", "certificate", "pin"; "" when it was not."""


class AttemptBegun(TypedDict):
    """The final dot is about to be sent: from now to the outcome, a crash may send the message twice."""

    message: int
    recipients: list[str]
    host: str
    address: str
    tls: NotRequired[TLSFacts]


class Problem(TypedDict):
    """Why there was no secure way to a recipient's domain, as far as an answer needs it."""

    kind: str
    """ "no-tls", "certificate", "changed" (a pinned host has another key) or "policy"."""
    host: str
    reason: str
    """One sentence for a person."""
    fault: NotRequired[str]
    """As in `delivery.tls.faults`: "self-signed", "wrong-name", "expired" ..."""
    policy: NotRequired[str]
    """Of kind "policy": "DANE" or "MTA-STS"."""
    spki: NotRequired[str]
    names: NotRequired[list[str]]
    issuer: NotRequired[str]
    not_before: NotRequired[int]
    not_after: NotRequired[int]


class Outcome(TypedDict):
    """What an attempt came to for some recipients."""

    recipients: list[str]
    result: str
    """ "delivered" (here, or to a hop that sees to DSNs), "relayed" (it does not), "deferred", "held" or "failed"."""
    code: NotRequired[int]
    enhanced: NotRequired[str]
    text: NotRequired[str]
    """The remote's words; ours where no remote spoke (`code` is not there then)."""
    why: NotRequired[str]
    """A word for what we found ourselves: "expired", "null-mx", "requiretls", "unreachable" ..."""
    next: NotRequired[int]
    """When deferred or held: the next attempt."""
    problem: NotRequired[Problem]
    """When held."""
    owed: NotRequired[list[str]]
    """Of `recipients`, those about whom the sender is still to be told."""


class RecipientsAttempted(TypedDict):
    """What became of recipients of one message in one attempt, or without one (given up)."""

    message: int
    outcomes: list[Outcome]
    attempt: NotRequired[int]
    """Its AttemptBegun, which says where; else the following do, where there was a connection."""
    host: NotRequired[str]
    address: NotRequired[str]
    tls: NotRequired[TLSFacts]
    orphaned: bytes


class RecipientsRescheduled(TypedDict):
    """Somebody wants these recipients tried at `at`; `insecure` given: whether they may go without a secure way, and
    those `against_policy` even where DANE or MTA-STS forbids it."""

    by: int
    message: int
    recipients: list[str]
    at: int
    insecure: NotRequired[bool]
    against_policy: NotRequired[list[str]]
    cmd: NotRequired[str]


class RecipientsCancelled(TypedDict):
    """The postmaster or the sender took these recipients of a queued message back."""

    by: int
    message: int
    recipients: list[str]
    orphaned: bytes
    cmd: NotRequired[str]


class RecipientsRestored(TypedDict):
    """A cancellation was undone: these recipients are due again at `at`, and the message is needed again."""

    by: int
    message: int
    recipients: list[str]
    at: int
    cmd: NotRequired[str]


class NoticeMade(TypedDict):
    """The sender was told about these recipients of a message, in the same atom by the message `notice`."""

    message: int
    kind: str
    """ "delayed", "deadline" (RFC 2852) or "final" (failures and receipts)."""
    recipients: list[str]
    notice: int
    """0: there was nobody to tell."""
    orphaned: bytes


class QueueReleased(TypedDict):
    """After HistoryResumed: the postmaster let the mail of before be sent, or dropped it (`orphaned`)."""

    by: int
    choice: str
    """ "send" or "drop"."""
    expires: NotRequired[int]
    """Of what is sent nothing is given up before."""
    orphaned: bytes
    cmd: NotRequired[str]


class ReportedRecipient(TypedDict):
    """What a notice says of one recipient (RFC 3464 §2.3)."""

    recipient: str
    """As MessageQueued has it."""
    action: str
    """ "failed", "delayed", "delivered", "relayed" or "expanded"."""
    status: NotRequired[str]
    text: NotRequired[str]
    """The words of the server that the notice is about."""
    host: NotRequired[str]
    """That server."""
    final: NotRequired[str]
    """The address it had there, if another."""


class DeliveryReported(TypedDict):
    """Another server sent word of a message that it had taken from us. A claim: it changes no state."""

    message: int
    report: int
    """The event by which the notice came in."""
    peer: str
    """The address it came from."""
    host: str
    """Who says so, in its own words."""
    recipients: list[ReportedRecipient]


class ForwardKept(TypedDict):
    """A message stayed here that a forward would have let go on; the account that answers for the forward has it."""

    message: int
    account: int
    address: str
    """Where it did not go."""
    why: str
    """ "dmarc", "junk" ..."""
    told: int
    """The letter in the same atom that tells the account; 0: it was told lately."""


MESSAGE_QUEUED: Final = EventType(70, "MessageQueued")
RECIPIENTS_CANCELLED: Final = EventType(71, "RecipientsCancelled")
ATTEMPT_BEGUN: Final = EventType(72, "AttemptBegun")
RECIPIENTS_ATTEMPTED: Final = EventType(73, "RecipientsAttempted")
RECIPIENTS_RESCHEDULED: Final = EventType(74, "RecipientsRescheduled")
RECIPIENTS_RESTORED: Final = EventType(75, "RecipientsRestored")
NOTICE_MADE: Final = EventType(76, "NoticeMade")
QUEUE_RELEASED: Final = EventType(77, "QueueReleased")
DELIVERY_REPORTED: Final = EventType(78, "DeliveryReported", skippable=True)
FORWARD_KEPT: Final = EventType(79, "ForwardKept", skippable=True)

TYPES: Final = (
    MESSAGE_QUEUED, RECIPIENTS_CANCELLED, ATTEMPT_BEGUN, RECIPIENTS_ATTEMPTED, RECIPIENTS_RESCHEDULED,
    RECIPIENTS_RESTORED, NOTICE_MADE, QUEUE_RELEASED, DELIVERY_REPORTED,
    FORWARD_KEPT,
)  # fmt: skip
