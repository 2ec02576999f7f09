"""Queued messages, and what is wrong with the ways to their recipients, as the letters want them told."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from crockery.actions.mail import Delivery
from crockery.actions.store import Store
from crockery.assistant import questions
from crockery.assistant.facts import (
    Addressing,
    BadCertificate,
    BrokenPolicy,
    CertificateFault,
    ChangedKey,
    Held,
    NoTLS,
    Original,
    Policy,
    PolicyFault,
    Trouble,
)
from crockery.delivery.recipients import account_address
from crockery.events.errors import BodyUnreadable
from crockery.limits import INTAKE_HOLD
from crockery.message.addresses import AddressError, parse_mailboxes
from crockery.message.compose import Mailbox as Person
from crockery.message.dates import parse_date
from crockery.message.dsn_reasons import Reason
from crockery.message.headers import header_length, read_fields, unfold
from crockery.message.subjects import message_ids
from crockery.message.words import decode_words
from crockery.projections.accounts import Account
from crockery.projections.queue import QueuedMessage, Recipient, RecipientState
from crockery.projections.trust import Trust
from crockery.smtp.wire.received import render_delivered_to, render_return_path

Problems = Mapping[str, Mapping[str, Any]]
"""Recipient domain to `events.types.queue.Problem`."""

_FAULTS: Final = {
    "self-signed": CertificateFault.SELF_SIGNED,
    "wrong-name": CertificateFault.OTHER_NAME,
    "expired": CertificateFault.EXPIRED,
    "untrusted": CertificateFault.UNKNOWN_ISSUER,
    "unreadable": CertificateFault.UNUSABLE,
}
_POLICY_FAULTS: Final = {"no-tls": PolicyFault.NO_TLS, "mx-not-named": PolicyFault.OTHER_HOST}


def problems_of(message: QueuedMessage) -> dict[str, Mapping[str, Any]]:
    """What holds the message, by recipient domain."""
    return {
        recipient.domain: recipient.problem
        for recipient in message.recipients
        if recipient.state is RecipientState.HELD_INSECURE and recipient.problem is not None
    }


def held_by(message: QueuedMessage, problems: Problems, trust: Trust, now: int) -> list[Held]:
    """The recipients that wait in the domains of `problems`, with what is wrong there."""
    found = []
    for domain, problem in problems.items():
        waiting = tuple(r.address for r in message.recipients if r.domain == domain and r.is_waiting)
        if waiting:
            found.append(Held(domain, problem["host"], waiting, trouble_of(domain, problem, trust, now)))
    return found


def told_held(problems: Problems, recipients: Iterable[str], trust: Trust, now: int) -> list[Held]:
    """As `held_by`, for recipients that wait no more."""
    addresses = list(recipients)
    found = []
    for domain, problem in problems.items():
        there = tuple(address for address in addresses if address.rpartition("@")[2] == domain)
        if there:
            found.append(Held(domain, problem["host"], there, trouble_of(domain, problem, trust, now)))
    return found


def trouble_of(domain: str, problem: Mapping[str, Any], trust: Trust, now: int) -> Trouble:
    """A problem as the letters know it."""
    kind, fault = problem["kind"], problem.get("fault", "")
    grants = [grant for grant in trust.of_domain(domain) if grant.spki and grant.host == problem["host"]]
    if kind == "no-tls":
        return NoTLS(grants[-1].time // 1_000_000 if grants else None)
    if kind == "policy":
        policy = Policy.DANE if problem.get("policy") == "DANE" else Policy.MTA_STS
        return BrokenPolicy(policy, _POLICY_FAULTS.get(fault, PolicyFault.CERTIFICATE))
    certificate = BadCertificate(
        faults=(_certificate_fault(fault, problem, now),),
        names=tuple(problem.get("names", ())),
        issuer=problem.get("issuer", ""),
        valid_from=problem.get("not_before") or None,
        valid_until=problem.get("not_after") or None,
        fingerprint=problem.get("spki", ""),
    )
    if kind == "changed" and grants:
        return ChangedKey(certificate, grants[-1].time // 1_000_000, grants[-1].spki)
    return certificate


def why_given_up(store: Store, message: QueuedMessage, recipient: Recipient) -> Reason | None:
    """For the failure notice: a recipient that was held to its end. Of a forward, the sender was never asked."""
    problem = recipient.problem
    if problem is None or message.origin != "submitted":
        return None
    trouble = trouble_of(recipient.domain, problem, store.state.trust, store.now)
    return questions.why_given_up(Held(recipient.domain, problem["host"], (recipient.address,), trouble))


def _certificate_fault(fault: str, problem: Mapping[str, Any], now: int) -> CertificateFault:
    if fault == "expired" and problem.get("not_before", 0) > now:
        return CertificateFault.NOT_YET_VALID
    return _FAULTS.get(fault, CertificateFault.UNUSABLE)


def original_of(store: Store, message: int) -> Original:
    """What there is to know of a queued message, finished or not."""
    try:
        data = store.log.read_range(message, 0, INTAKE_HOLD)
    except BodyUnreadable:
        return Original("", None, "")
    fields = read_fields(data[: header_length(data)])
    queued = store.state.queue.find(message)
    is_forward = queued is not None and queued.origin == "forward"
    sent = parse_date(unfold(fields.get(b"date", b"")))
    return Original(
        subject=decode_words(unfold(fields.get(b"subject", b""))).strip(),
        sent=sent.seconds if sent else None,
        message_id=next(iter(_ids(fields.get(b"message-id", b""))), ""),
        references=tuple(_ids(fields.get(b"references", b"")))[-20:],
        zone=sent.zone if sent else 0,
        author=_author(fields) if is_forward else "",
    )


def _author(fields: Mapping[bytes, bytes]) -> str:
    try:
        return parse_mailboxes(unfold(fields.get(b"from", b"")))[0]
    except AddressError:
        return "somebody else"


def _ids(value: bytes) -> list[str]:
    return [found.decode() for found in message_ids(unfold(value)) if found.isascii()]


def addressing(store: Store, account: Account, message_id: str, token: str = "") -> Addressing:
    """To one of our accounts; `message_id` without brackets."""
    settings = store.state.settings
    to = Person(str(account_address(settings, account)))
    return Addressing(to, settings.domain, store.now, f"<{message_id}>", token)


def letter_box(store: Store, account: Account) -> Delivery | None:
    """Where mail of Crockery's to an account goes: its INBOX, from the null reverse-path."""
    inbox = store.state.mailboxes.find(account.id, "INBOX")
    if inbox is None:
        return None
    delivered_to = account_address(store.state.settings, account)
    return Delivery(inbox, render_return_path(None) + render_delivered_to(delivered_to))
