"""The verdict: every rule, and which rule wins."""

import itertools

import pytest

from crockery.delivery.tls.certificates import Roots, describe
from crockery.delivery.tls.dane import Dane, State
from crockery.delivery.tls.faults import Fault
from crockery.delivery.tls.mta_sts import Mode, Policy
from crockery.delivery.tls.verify import HostPolicy, How, Pin, Question, judge
from crockery.net.tls_client import TLSPeer
from tests.support.certificates import NOW, Made, make, tlsa

HOST, DOMAIN = "mx.example.test", "example.test"
ROOT = make(ca=True, common_name="Root")
ROOTS = Roots.of([ROOT.der])
GOOD = make(HOST, signer=ROOT)
SHADY = make("other.test", signer=ROOT)
NO_TLS = None
MIDDLE = make(ca=True, common_name="Middle", signer=ROOT)
BY_DOMAIN = make(DOMAIN, signer=MIDDLE)

DANE_SHADY = Dane(State.USABLE, (tlsa(SHADY.der),), HOST)
DANE_OTHER = Dane(State.USABLE, (tlsa(ROOT.der),), HOST)
DANE_TA = Dane(State.USABLE, (tlsa(MIDDLE.der, 2),), HOST)
UNUSABLE = Dane(State.UNUSABLE, (), HOST)
NAMED = Policy(Mode.ENFORCE, ("*.example.test",), 1000)
NOT_NAMED = Policy(Mode.ENFORCE, ("mx.elsewhere.test",), 1000)
TESTING = Policy(Mode.TESTING, ("*.example.test",), 1000)
TESTING_NOT_NAMED = Policy(Mode.TESTING, ("mx.elsewhere.test",), 1000)
PINNED = frozenset({Pin(HOST, describe(SHADY.der).spki)})
PINNED_OTHER = frozenset({Pin(HOST, "00"), Pin("mx2.example.test", describe(SHADY.der).spki)})

# What is known, what is shown, and how it is secure or what is asked and why
RULES: dict[str, tuple[dict[str, object], Made | None, How | Question, Fault | None]] = {
    "valid": ({}, GOOD, How.PKIX, None),
    "invalid": ({}, SHADY, Question.UNVERIFIED, Fault.WRONG_NAME),
    "no TLS": ({}, NO_TLS, Question.NO_TLS, Fault.NO_TLS),
    "pinned": ({"pins": PINNED}, SHADY, How.PIN, None),
    "pinned, valid now": ({"pins": PINNED_OTHER}, GOOD, How.PKIX, None),
    "pinned, another key": ({"pins": PINNED_OTHER}, SHADY, Question.UNVERIFIED, Fault.WRONG_NAME),
    "pinned, no TLS": ({"pins": PINNED}, NO_TLS, Question.NO_TLS, Fault.NO_TLS),
    "plain granted": ({"plain_granted": True}, NO_TLS, How.GRANTED, Fault.NO_TLS),
    "plain granted, bad TLS": ({"plain_granted": True}, SHADY, How.GRANTED, Fault.WRONG_NAME),
    "plain granted, good TLS": ({"plain_granted": True}, GOOD, How.PKIX, None),
    "DANE": ({"dane": DANE_SHADY}, SHADY, How.DANE, None),
    "DANE and no": ({"dane": DANE_OTHER}, SHADY, Question.POLICY, Fault.DANE_MISMATCH),
    "DANE and valid": ({"dane": DANE_OTHER}, GOOD, Question.POLICY, Fault.DANE_MISMATCH),
    "DANE and pinned": ({"dane": DANE_OTHER, "pins": PINNED}, SHADY, Question.POLICY, Fault.DANE_MISMATCH),
    "DANE, no TLS": ({"dane": DANE_OTHER, "plain_granted": True}, NO_TLS, Question.POLICY, Fault.NO_TLS),
    "DANE before STS": ({"dane": DANE_SHADY, "sts": NOT_NAMED}, SHADY, How.DANE, None),
    "STS does not mend DANE": ({"dane": DANE_OTHER, "sts": NAMED}, GOOD, Question.POLICY, Fault.DANE_MISMATCH),
    "unusable, valid": ({"dane": UNUSABLE}, GOOD, How.PKIX, None),
    "unusable, invalid": ({"dane": UNUSABLE}, SHADY, Question.UNVERIFIED, Fault.WRONG_NAME),
    "unusable, pinned": ({"dane": UNUSABLE, "pins": PINNED}, SHADY, How.PIN, None),
    "unusable, no TLS": ({"dane": UNUSABLE, "plain_granted": True}, NO_TLS, Question.POLICY, Fault.NO_TLS),
    "unusable, STS": ({"dane": UNUSABLE, "sts": NAMED}, GOOD, How.MTA_STS, None),
    "unusable, plain granted": (
        {"dane": UNUSABLE, "plain_granted": True},
        SHADY,
        Question.UNVERIFIED,
        Fault.WRONG_NAME,
    ),
    "STS": ({"sts": NAMED}, GOOD, How.MTA_STS, None),
    "STS, invalid": ({"sts": NAMED, "pins": PINNED}, SHADY, Question.POLICY, Fault.WRONG_NAME),
    "STS, not named": ({"sts": NOT_NAMED, "pins": PINNED}, GOOD, Question.POLICY, Fault.MX_NOT_NAMED),
    "STS, no TLS": ({"sts": NAMED, "plain_granted": True}, NO_TLS, Question.POLICY, Fault.NO_TLS),
    "testing, valid": ({"sts": TESTING}, GOOD, How.PKIX, None),
    "testing, invalid": ({"sts": TESTING, "pins": PINNED}, SHADY, How.PIN, None),
    "testing, not named": ({"sts": TESTING_NOT_NAMED}, GOOD, How.PKIX, None),
    "testing, no TLS": ({"sts": TESTING}, NO_TLS, Question.NO_TLS, Fault.NO_TLS),
}


def shown(made: Made | None) -> TLSPeer | None:
    return TLSPeer(made.chain, "TLSv1.3", "TLS_AES_128_GCM_SHA256") if made else None


def policy(**known: object) -> HostPolicy:
    return HostPolicy(domain=DOMAIN, host=HOST, **known)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", RULES)
def test_rules(name: str) -> None:
    known, made, expected, fault = RULES[name]
    verdict = judge(policy(**known), shown(made), ROOTS, NOW)
    assert (verdict.how or verdict.question, verdict.fault) == (expected, fault)
    assert (verdict.how is None) is (verdict.question is not None)
    assert verdict.may_send is isinstance(expected, How)
    assert verdict.is_secure is (isinstance(expected, How) and expected is not How.GRANTED)
    assert bool(verdict.why) is (verdict.question is not None or made is None)
    if made is not None:
        assert verdict.certificate == describe(made.der)
        assert verdict.tls == "TLSv1.3 TLS_AES_128_GCM_SHA256"


def test_testing_is_recorded() -> None:
    for sts, made, failure in [
        (TESTING, GOOD, None),
        (TESTING, SHADY, Fault.WRONG_NAME),
        (TESTING, NO_TLS, Fault.NO_TLS),
        (TESTING_NOT_NAMED, GOOD, Fault.MX_NOT_NAMED),
        (NAMED, SHADY, None),
        (None, SHADY, None),
    ]:
        assert judge(policy(sts=sts), shown(made), ROOTS, NOW).sts_failure is failure


def test_another_key_is_told() -> None:
    changed = judge(policy(pins=PINNED_OTHER), shown(SHADY), ROOTS, NOW)
    assert changed.question is Question.UNVERIFIED and changed.pin_changed
    assert not judge(policy(pins=frozenset({Pin("mx2.test", "00")})), shown(SHADY), ROOTS, NOW).pin_changed
    assert not judge(policy(pins=PINNED), shown(SHADY), ROOTS, NOW).pin_changed


def test_the_domains_own_name_counts_under_a_trust_anchor_only_if_the_mx_is_signed() -> None:
    for mx_secure, expected in ((True, How.DANE), (False, Question.POLICY)):
        verdict = judge(policy(dane=DANE_TA, mx_secure=mx_secure), shown(BY_DOMAIN), ROOTS, NOW)
        assert (verdict.how or verdict.question) is expected


def test_what_proves_an_mx() -> None:
    for mx_secure, sts in itertools.product((True, False), (None, NAMED, TESTING, NOT_NAMED)):
        verdict = judge(policy(mx_secure=mx_secure, sts=sts), shown(GOOD), ROOTS, NOW)
        assert verdict.mx_proven is (mx_secure or sts is NAMED)
    assert judge(policy(mx_secure=True), shown(GOOD), ROOTS, NOW).is_vouched_for
    pinned = judge(policy(mx_secure=True, pins=PINNED), shown(SHADY), ROOTS, NOW)
    assert pinned.is_secure and not pinned.is_vouched_for


def test_a_host_whose_records_failed_is_not_judged() -> None:
    with pytest.raises(ValueError):
        judge(policy(dane=Dane(State.FAILED)), shown(GOOD), ROOTS, NOW)


def test_the_result_types_of_tls_rpt() -> None:
    assert {fault.result_type for fault in Fault} == {
        "starttls-not-supported",
        "certificate-host-mismatch",
        "certificate-expired",
        "certificate-not-trusted",
        "validation-failure",
    }
