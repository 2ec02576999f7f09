"""Of the sample log: mail that goes elsewhere, what became of it, and the ways there."""

from collections.abc import Mapping
from typing import Any, Final

from crockery.actions import mailboxes, smart_host, tallies, trust
from crockery.actions.actor import the_server
from crockery.actions.incoming import received
from crockery.actions.mail import Delivery, add_delivery, deliver
from crockery.actions.notices import make_notice
from crockery.actions.questions import add_letter
from crockery.actions.queue import Outcome, Outgoing, Terms, begin_attempt, cancel_recipients, record_outcomes
from crockery.actions.reports import add_report
from crockery.actions.store import Store
from crockery.delivery.destinations import Kept
from crockery.delivery.header import Header
from crockery.delivery.intake import Message
from crockery.delivery.keeping import OwnerLetter, add_kept_back
from crockery.delivery.policy import KeptBack
from crockery.events.types.trust import TLSSession
from crockery.message.dsn_parse import DeliveryReport, ReportedRecipient
from crockery.message.dsn_status import Action
from crockery.projections.accounts import Account, Forward
from crockery.projections.mailboxes import Mailbox
from crockery.projections.queue import Place, QueuedMessage
from crockery.projections.smart_host import LOGIN
from crockery.projections.trust import StsPolicy
from tools.sample_log.mail import SMALL, session_of_anna

TLS: Final[Mapping[str, Any]] = {
    "version": "TLSv1.3", "cipher": "TLS_AES_128_GCM_SHA256", "fingerprint": "ab" * 32, "spki": "cd" * 32,
    "names": ["mx.example.net"], "verified": "dane",
}  # fmt: skip
PLACE: Final = Place("mx.example.net", "198.51.100.9", TLS)
FROM_CROCKERY: Final = b"From: crockery@example.test\r\nTo: anna@example.test\r\nSubject: %s\r\n\r\nA letter.\r\n"
NO_TERMS: Final = Terms()
PREFIX: Final = b"Return-Path: <>\r\nDelivered-To: anna@example.test\r\n"


def fill(store: Store) -> None:
    """Messages in each state, notices, a report, a forward that was held back, and the smart host."""
    _taken_and_failed(store)
    _late(store)
    _taken_back(store)
    _in_flight(store)
    _forward_kept(store)
    _ways(store)
    _smart_host(store)
    store.log.commit()


def submit(store: Store, name: str, *recipients: str, terms: Terms = NO_TERMS, notify: str = "") -> QueuedMessage:
    """A message of anna's in the queue, with the Message-ID `name`@example.test."""
    anna = session_of_anna(store)
    wishes = [(address, {"notify": [notify], "orcpt": f"rfc822;{address}"}) for address in recipients if notify]
    envelope = {"peer": "192.0.2.1", "helo": "laptop", "tls": "TLSv1.3"}
    outgoing = Outgoing(
        anna.account, "anna@example.test", recipients, b"Received: from here\r\n", options=dict(wishes), terms=terms,
        envelope=envelope,
    )  # fmt: skip
    deliver(store, anna, received(SMALL), [], outgoing, via="submission", message_id=f"{name}@example.test", cmd="DATA")
    store.log.commit()
    return store.state.queue.by_id[store.log.head]


def inbox_of_anna(store: Store) -> Mailbox:
    """Where letters to her go."""
    return mailboxes.existing(store, session_of_anna(store).account, "INBOX")


def _notify(store: Store, message: QueuedMessage, kind: str, *recipients: str) -> None:
    letter = FROM_CROCKERY % kind.encode()
    deliveries = [Delivery(inbox_of_anna(store), PREFIX)]
    make_notice(store, message, kind, recipients, letter, f"{kind}-{message.id}@example.test", deliveries)


def _taken_and_failed(store: Store) -> None:
    """A server takes it, and says later that it cannot be delivered; another, which tells of it itself; one refuses."""
    taken, refused, handed = "dave@example.net", "nobody@example.net", "olga@example.net"
    terms = Terms(ret="FULL", envid="env-1", requiretls=True)
    message = submit(store, "first", taken, refused, handed, terms=terms, notify="SUCCESS")
    attempt = begin_attempt(store, message, [taken, refused, handed], PLACE)
    outcomes = [
        Outcome([taken], "relayed", 250, "2.0.0", "kept as 4711"),
        Outcome([refused], "failed", 550, "5.1.1", "no such user", tell=True),
        Outcome([handed], "delivered", 250, "2.0.0", "kept as 4711"),
    ]
    record_outcomes(store, message, outcomes, attempt=attempt)
    _notify(store, message, "final", taken, refused)
    store.log.commit()
    told = ReportedRecipient(taken, "d@example.net", Action.FAILED, "5.2.2", "550 mailbox full", "mx2.example.net")
    report = DeliveryReport("env-1", "<first@example.test>", "mx.example.net", (told,))
    atom = store.atom(the_server())
    number = atom.next
    add_delivery(store, atom, received(SMALL), [Delivery(inbox_of_anna(store), PREFIX)], via="smtp")
    assert add_report(store, atom, report, ["anna@example.test"], "198.51.100.9", number)
    atom.commit()


def _late(store: Store) -> None:
    """It waits after attempts that failed for now, and its sender was told so; another is held until a time."""
    terms = Terms(deliver_by=store.now + 60, by_trace=True)
    message = submit(store, "late", "erin@example.net", terms=terms)
    for code, text in ((451, "try again"), (452, "still full")):
        later = Outcome(["erin@example.net"], "deferred", code, "4.2.1", text, next=store.now + 900)
        record_outcomes(store, message, [later], place=PLACE)
    _notify(store, message, "delayed", "erin@example.net")
    _notify(store, message, "deadline", "erin@example.net")
    unreachable = Outcome(["erin@example.net"], "deferred", text="no route", why="unreachable", next=store.now + 1800)
    record_outcomes(store, message, [unreachable])
    submit(store, "held", "erin@example.net", terms=Terms(hold_until=store.now + 86_400, tls_optional=True))


def _taken_back(store: Store) -> None:
    """One of two recipients is taken back, and all of another message."""
    anna = session_of_anna(store)
    message = submit(store, "back", "frank@example.net", "grace@example.net")
    cancel_recipients(store, anna, message.id, ["grace@example.net"], cmd="queue cancel")
    cancel_recipients(store, anna, submit(store, "gone", "grace@example.net").id)


def _in_flight(store: Store) -> None:
    """The server ends before the answer to the final dot."""
    message = submit(store, "twice", "heidi@example.net")
    begin_attempt(store, message, ["heidi@example.net"], PLACE)


class _Letters:
    """Writes the owner of a forward the same letter always."""

    def kept_back(self, account: Account, kept: Kept, message: Message) -> OwnerLetter:
        return OwnerLetter(FROM_CROCKERY % b"a message stayed here", f"kept-{account.name}@example.test")


def _forward_kept(store: Store) -> None:
    anna = session_of_anna(store)
    kept = Kept(Forward(anna.account, "anna", "anna@example.net"), KeptBack("dmarc", "It would look forged there."))
    message = Message(Header(SMALL), received(SMALL), "", eight_bit=False)
    for _ in range(2):  # the second time the owner was told lately
        atom = store.atom(the_server())
        number = atom.next
        add_delivery(store, atom, message.body, [Delivery(inbox_of_anna(store), PREFIX)], via="smtp")
        add_kept_back(store, atom, kept, number, message, _Letters())
        atom.commit()


def _ways(store: Store) -> None:
    """What other domains say of the way to them, how it went, and what the postmaster thinks of it."""
    mx = ("mx.example.net", "*.example.com")
    trust.cache_policy(store, StsPolicy("example.net", "20260101", "enforce", mx, 86_400, store.now))
    where: TLSSession = {"policy": "sts", "of": "example.net", "strings": ["version: STSv1", "mode: enforce"]}
    where |= {"host": "mx.example.net", "address": "198.51.100.9", "own": "192.0.2.25", "mx": list(mx)}
    failed: TLSSession = {**where, "result": "certificate-expired", "reason": "it expired yesterday"}
    tallies.note_sessions(store, "example.net", [failed, where])
    trust.grant_plain(store, the_server(), "plain.example", cmd="trust allow-plain")
    trust.grant_plain(store, the_server(), "once.example")
    trust.revoke_trust(store, the_server(), "once.example", cmd="trust revoke")


def _smart_host(store: Store) -> None:
    """One that takes no mail, none, another one."""
    me = the_server()
    smart_host.set_smart_host(store, me, "smtp.example.org", 465, "implicit", "anna", "first password")
    message = submit(store, "smart", "ivan@example.net")
    refused = Outcome(["ivan@example.net"], "deferred", 535, "5.7.8", "who are you?", LOGIN, store.now + 900)
    record_outcomes(store, message, [refused])
    atom = store.atom(me)
    delivery = Delivery(inbox_of_anna(store), PREFIX)
    letter = add_letter(store, atom, delivery, FROM_CROCKERY % b"the smart host", "smart@example.test")
    smart_host.add_told(atom, LOGIN, letter)
    atom.commit()
    smart_host.unset_smart_host(store, me, cmd="smarthost unset")
    smart_host.set_smart_host(store, me, "192.0.2.26", 587, "starttls", "anna", "second password", cmd="smarthost set")
