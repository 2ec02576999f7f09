"""Whether a connection to an MX host is secure: how, or why not and what the sender is to be asked.

RFC 7672 §2 (DANE), RFC 8461 §5 (MTA-STS), RFC 9525 (names), RFC 8689 §4.2.1 (a proven MX). Pure.

The rules, in this order, for each MX host by itself:

1. *DANE*: validated, usable TLSA records decide alone; neither CAs nor pins help against them. If they are there and
   none is usable, TLS is a must and the next rules say whether it is secure.
2. *MTA-STS* in force with `enforce`: the policy names the host, and its certificate is valid for the host name under
   the system's CAs; else nothing is sent. With `testing` a failure is recorded (`sts_failure`) and no more.
3. *A certificate valid for the MX host name* under the system's CAs.
4. *A pin* that was granted: recipients' domain, MX host, and public key, so that a renewal with the same key is well.

What MX names from unsigned DNS prove, and what not. Rule 3 compares the certificate with a name that came from the DNS.
If the DNS is not signed, whoever can forge its answers (on the way to our resolver, or at the domain's own provider)
can name a host of his own, for which he has a valid certificate: the connection is then well protected from everybody
but him. So rule 3 proves that we speak with the host that the DNS named, and that nobody between us and that host
listens or changes anything; it does not prove that the domain wants its mail there. Only a signed MX RRset (DNSSEC) or
an MTA-STS policy that names the host proves that: `mx_proven`, which REQUIRETLS asks for. The same holds for a pin.
Rule 3 is kept all the same as the everyday meaning of secure: the attack needs forged DNS answers at the right moment
and a certificate on record in public logs, while the listener on the way, against whom most mail has no protection at
all, is shut out.
"""

import dataclasses
import enum
from typing import NamedTuple

from crockery.delivery.tls import dane
from crockery.delivery.tls.certificates import Description, Roots, check, describe
from crockery.delivery.tls.dane import Dane
from crockery.delivery.tls.faults import Fault
from crockery.delivery.tls.mta_sts import Mode, Policy
from crockery.net.tls_client import TLSPeer


class How(enum.Enum):
    """What makes a connection good enough."""

    DANE = "dane"
    MTA_STS = "mta-sts"
    PKIX = "certificate"
    PIN = "pin"
    GRANTED = "granted"  # not secure: the account allowed plain delivery to this domain; TLS is used if there is any


class Question(enum.Enum):
    """What there is to ask the sender; the words differ, and the answers offered."""

    NO_TLS = "no-tls"
    UNVERIFIED = "unverified"  # a certificate that nothing vouches for
    POLICY = "policy"  # the domain's own policy is broken: perhaps an attack; never trusted for good


class Pin(NamedTuple):
    """A granted public key of an MX host: SHA-256 of the SubjectPublicKeyInfo in hex."""

    host: str
    spki: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class HostPolicy:
    """All that is known beforehand of an MX host, for mail to `domain` (A-labels both).

    `mx_secure`: the MX RRset (or for a host of the domain's own name, its absence) is validated by DNSSEC. `pins` and
    `plain_granted` are the grants for this domain.
    """

    domain: str
    host: str
    mx_secure: bool = False
    dane: Dane = dataclasses.field(default_factory=Dane)
    sts: Policy | None = None
    pins: frozenset[Pin] = frozenset()
    plain_granted: bool = False

    @property
    def mx_proven(self) -> bool:
        """Whether it is proven that the domain wants its mail at this host. A policy in testing mode promises nothing:
        RFC 8461 §5 has senders deliver as if it were not there."""
        return self.mx_secure or (self.sts is not None and self._enforces and self.sts.permits(self.host))

    @property
    def needs_tls(self) -> bool:
        """Whether the domain's own policy forbids plain delivery."""
        return self.dane.state is not dane.State.NONE or self._enforces

    @property
    def _enforces(self) -> bool:
        return self.sts is not None and self.sts.mode is Mode.ENFORCE

    @property
    def server_name(self) -> str:
        """The name to ask for in the handshake (RFC 7672 section 8.1)."""
        return self.dane.base if self.dane.state is dane.State.USABLE else self.host


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`how` the connection is good enough, or the `question` to ask; one of them is None.

    `fault` and `why` say what is wrong; `certificate` is what was shown first; `pin_changed`: this host had another
    key when it was trusted; `sts_failure`: what a policy in testing mode would have stopped.
    """

    how: How | None = None
    question: Question | None = None
    fault: Fault | None = None
    why: str = ""
    tls: str = ""
    certificate: Description | None = None
    mx_proven: bool = False
    pin_changed: bool = False
    sts_failure: Fault | None = None

    @property
    def is_secure(self) -> bool:
        """Whether nobody but the host named can read the mail on its way."""
        return self.how not in (None, How.GRANTED)

    @property
    def is_vouched_for(self) -> bool:
        """Whether the domain or a CA says so (RFC 8689 §4.2.1), not one of our accounts that trusted a key."""
        return self.is_secure and self.how is not How.PIN

    @property
    def may_send(self) -> bool:
        """Whether mail may go over this connection without a question."""
        return self.how is not None


def judge(policy: HostPolicy, shown: TLSPeer | None, roots: Roots, now: int, *, failure: str = "") -> Verdict:
    """The verdict on a connection on which the server showed this, or None: there is no TLS, `failure` says why.

    `now` is unix time. Not to be called for hosts whose TLSA look-up failed: they are skipped (RFC 7672 section 2.1).
    """
    if policy.dane.state is dane.State.FAILED:
        raise ValueError(f"{policy.host} must not be used now: {policy.dane.why}")
    if shown is None or not shown.chain:
        return _without_tls(policy, failure or "the server does not offer TLS")
    facts = _Facts(policy, shown, check(shown.chain, [policy.host], roots, now))
    if policy.dane.state is dane.State.USABLE:
        return _by_dane(facts, now)
    if policy._enforces:
        return _by_sts(facts)
    return _by_certificate(facts)


class _Facts(NamedTuple):
    policy: HostPolicy
    shown: TLSPeer
    fault: Fault | None  # of the certificate under the system's CAs

    def verdict(
        self, how: How | None, question: Question | None = None, fault: Fault | None = None, why: str = ""
    ) -> Verdict:
        policy, shown = self.policy, self.shown
        return Verdict(
            how=how,
            question=question,
            fault=fault,
            why=why,
            tls=f"{shown.version} {shown.cipher}".strip(),
            certificate=describe(shown.chain[0]),
            mx_proven=policy.mx_proven,
            pin_changed=question is Question.UNVERIFIED and any(pin.host == policy.host for pin in policy.pins),
            sts_failure=self.testing_failure(),
        )

    def testing_failure(self) -> Fault | None:
        sts = self.policy.sts
        if sts is None or sts.mode is not Mode.TESTING:
            return None
        return self.fault if sts.permits(self.policy.host) else Fault.MX_NOT_NAMED


def _without_tls(policy: HostPolicy, why: str) -> Verdict:
    is_testing = policy.sts is not None and policy.sts.mode is Mode.TESTING
    question = Question.POLICY if policy.needs_tls else None if policy.plain_granted else Question.NO_TLS
    return Verdict(
        how=None if question else How.GRANTED,
        question=question,
        fault=Fault.NO_TLS,
        why=why,
        mx_proven=policy.mx_proven,
        sts_failure=Fault.NO_TLS if is_testing else None,
    )


def _by_dane(facts: _Facts, now: int) -> Verdict:
    policy = facts.policy
    names = [policy.dane.base] + [policy.domain] * policy.mx_secure
    found = dane.match(policy.dane.records, facts.shown.chain, names, now)
    if isinstance(found, Fault):
        why = "the certificate is none of those that the domain's TLSA records name"
        return facts.verdict(None, Question.POLICY, found, why)
    return facts.verdict(How.DANE)


def _by_sts(facts: _Facts) -> Verdict:
    policy = facts.policy
    if policy.sts is not None and not policy.sts.permits(policy.host):
        why = f"{policy.host} is none of the servers that the domain's MTA-STS policy names"
        return facts.verdict(None, Question.POLICY, Fault.MX_NOT_NAMED, why)
    if facts.fault is not None:
        why = f"the domain's MTA-STS policy asks for a valid certificate, and {facts.fault.words}"
        return facts.verdict(None, Question.POLICY, facts.fault, why)
    return facts.verdict(How.MTA_STS)


def _by_certificate(facts: _Facts) -> Verdict:
    policy = facts.policy
    if facts.fault is None:
        return facts.verdict(How.PKIX)
    shown = describe(facts.shown.chain[0])
    if shown.spki and Pin(policy.host, shown.spki) in policy.pins:
        return facts.verdict(How.PIN)
    if policy.plain_granted and not policy.needs_tls:
        return facts.verdict(How.GRANTED, None, facts.fault)
    return facts.verdict(None, Question.UNVERIFIED, facts.fault, facts.fault.words)
