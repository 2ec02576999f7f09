"""Events of trust in the way to other domains: questions, answers, grants, policies; and our own keys for mail."""

from typing import Final, NotRequired, TypedDict

from crockery.events.types.base import EventType
from crockery.events.types.queue import Problem


class Undo(TypedDict):
    """What was done by an answer, as far as undoing it needs."""

    answer: str
    """ "cancel", "send" or "trust"."""
    recipients: list[str]
    grant: NotRequired[int]
    domain: NotRequired[str]


class QuestionAsked(TypedDict):
    """The sender of a held message was asked, by the message `asked` in the same atom; its id is this event's number.

    The token counts for this account until `expires` (unix seconds).
    """

    message: int
    account: int
    token: str
    asked: int
    message_id: str
    """Of the question mail: answers are threaded under it."""
    expires: int
    problems: dict[str, Problem]
    """Recipient domain to what is wrong there; empty for a confirmation that can only be undone."""
    undo: NotRequired[Undo]
    """This is a confirmation, and its token undoes what was done."""


class QuestionReminded(TypedDict):
    """The account was reminded of an open question; `day` 3 or 6."""

    question: int
    day: int
    asked: int


class QuestionAnswered(TypedDict):
    """An answer came, and what it was understood as. Whatever was done stands in the same atom."""

    by: int
    question: int
    answer: str
    """ "cancel", "retry", "send", "trust", "undo"; "unclear": asked again, nothing done."""
    text: str
    """The line that decided."""


class TrustGranted(TypedDict):
    """Mail to `domain` may go to `host` with the key `spki`; its id is this event's number.

    `host` and `spki` empty: to that domain mail may go without TLS.
    """

    by: int
    account: int
    domain: str
    host: str
    spki: str
    names: NotRequired[list[str]]
    question: NotRequired[int]
    cmd: NotRequired[str]


class TrustRevoked(TypedDict):
    """These grants hold no more."""

    by: int
    grants: list[int]
    domain: str
    cmd: NotRequired[str]


class StsPolicyCached(TypedDict):
    """A domain's MTA-STS policy (RFC 8461) as fetched at `fetched` (unix seconds), good for `max_age` seconds."""

    domain: str
    id: str
    mode: str
    mx: list[str]
    max_age: int
    fetched: int


class DKIMKeyAdded(TypedDict):
    """A key that our mail is signed with. Body (secret): the private key as PKCS #8 DER."""

    by: int
    domain: str
    selector: str
    record: str
    """The TXT record to publish at SELECTOR._domainkey.DOMAIN."""
    replaces: NotRequired[int]
    """Number of the DKIMKeyAdded whose body is erased by this one."""


class SRSKeyAdded(TypedDict):
    """A key that reverse-paths of forwarded mail are made with (`delivery.srs`). Body (secret): 32 octets."""

    by: int


class TLSSession(TypedDict):
    """A connection that TLS was tried on, or that there was none for want of it, as TLS-RPT counts it (RFC 8460)."""

    policy: str
    """ "tlsa", "sts" or "no-policy-found"."""
    of: str
    """The policy domain."""
    result: NotRequired[str]
    """A result type of RFC 8460 §4.3; not there: all was well."""
    reason: NotRequired[str]
    host: NotRequired[str]
    """The MX host; it and what follows where there was one."""
    address: NotRequired[str]
    own: NotRequired[str]
    """Our address."""
    strings: NotRequired[list[str]]
    """The policy."""
    mx: NotRequired[list[str]]
    """The patterns of an MTA-STS policy."""


class TLSJudged(TypedDict):
    """What came of dialling a recipient domain (or the smart host) once: each host that was tried, in order."""

    domain: str
    sessions: list[TLSSession]


QUESTION_ASKED: Final = EventType(80, "QuestionAsked")
QUESTION_REMINDED: Final = EventType(81, "QuestionReminded")
QUESTION_ANSWERED: Final = EventType(82, "QuestionAnswered")
TRUST_GRANTED: Final = EventType(83, "TrustGranted")
TRUST_REVOKED: Final = EventType(84, "TrustRevoked")
STS_POLICY_CACHED: Final = EventType(85, "StsPolicyCached", skippable=True)
DKIM_KEY_ADDED: Final = EventType(86, "DKIMKeyAdded", secret=True)
SRS_KEY_ADDED: Final = EventType(87, "SRSKeyAdded", secret=True)
TLS_JUDGED: Final = EventType(88, "TLSJudged", skippable=True)

TYPES: Final = (
    QUESTION_ASKED, QUESTION_REMINDED, QUESTION_ANSWERED, TRUST_GRANTED, TRUST_REVOKED, STS_POLICY_CACHED,
    DKIM_KEY_ADDED, SRS_KEY_ADDED, TLS_JUDGED,
)  # fmt: skip
