"""What a verdict counts as for TLS-RPT: under which policy, with which result type."""

import dataclasses
from typing import Any

import pytest

from crockery.delivery.tls import tallying
from crockery.delivery.tls.certificates import Description
from crockery.delivery.tls.dane import Dane, State
from crockery.delivery.tls.faults import Fault
from crockery.delivery.tls.lookup import Sts
from crockery.delivery.tls.mta_sts import Mode, Policy
from crockery.delivery.tls.verify import HostPolicy, How, Question, Verdict
from crockery.net.resolver import TLSA

RECORD = TLSA(3, 1, 1, bytes(range(32)))
USABLE = Dane(State.USABLE, (RECORD,), "mx.base.test")
UNUSABLE = Dane(State.UNUSABLE, (), "mx.base.test", "no usable TLSA record")


def sts(mode: Mode) -> Policy:
    return Policy(mode, ("*.a.test",), 604_800)


GOOD = Verdict(how=How.PKIX)


def bad(fault: Fault, why: str = "", question: Question = Question.UNVERIFIED) -> Verdict:
    return Verdict(question=question, fault=fault, why=why)


NO_TLS = bad(Fault.NO_TLS, "the server does not offer TLS", Question.NO_TLS)

CASES: dict[str, tuple[dict[str, Any], Verdict, bool, list[tuple[str, str, str]]]] = {
    "no policy, good": ({}, GOOD, True, [("no-policy-found", "a.test", "")]),
    "no policy, wrong name": (
        {}, bad(Fault.WRONG_NAME), True, [("no-policy-found", "a.test", "certificate-host-mismatch")],
    ),
    "no policy, expired": ({}, bad(Fault.EXPIRED), True, [("no-policy-found", "a.test", "certificate-expired")]),
    "no policy, not valid yet": (
        {}, dataclasses.replace(bad(Fault.EXPIRED), certificate=Description("", "", not_before=1001)), True,
        [("no-policy-found", "a.test", "certificate-not-trusted")],
    ),
    "no policy, self-signed": (
        {}, bad(Fault.SELF_SIGNED), True, [("no-policy-found", "a.test", "certificate-not-trusted")],
    ),
    "no STARTTLS": ({}, NO_TLS, False, [("no-policy-found", "a.test", "starttls-not-supported")]),
    "STARTTLS that fails": ({}, NO_TLS, True, [("no-policy-found", "a.test", "validation-failure")]),
    "allowed without": (
        {}, Verdict(how=How.GRANTED, fault=Fault.NO_TLS), False,
        [("no-policy-found", "a.test", "starttls-not-supported")],
    ),
    "a pin": ({}, Verdict(how=How.PIN), True, [("no-policy-found", "a.test", "")]),
    "DANE good": ({"dane": USABLE}, Verdict(how=How.DANE), True, [("tlsa", "mx.base.test", "")]),
    "DANE, another key": (
        {"dane": USABLE}, bad(Fault.DANE_MISMATCH), True, [("tlsa", "mx.base.test", "certificate-host-mismatch")],
    ),
    "DANE decides alone": ({"dane": USABLE, "sts": sts(Mode.ENFORCE)}, Verdict(how=How.DANE), True,
                           [("tlsa", "mx.base.test", "")]),
    "DANE without TLS": ({"dane": USABLE}, NO_TLS, False, [("tlsa", "mx.base.test", "starttls-not-supported")]),
    "DANE unusable": ({"dane": UNUSABLE}, GOOD, True,
                      [("tlsa", "mx.base.test", "tlsa-invalid"), ("no-policy-found", "a.test", "")]),
    "enforce good": ({"sts": sts(Mode.ENFORCE)}, Verdict(how=How.MTA_STS), True, [("sts", "a.test", "")]),
    "enforce, host not named": (
        {"sts": sts(Mode.ENFORCE)}, bad(Fault.MX_NOT_NAMED), True, [("sts", "a.test", "validation-failure")],
    ),
    "testing: the mail went, and it is recorded": (
        {"sts": sts(Mode.TESTING)}, Verdict(how=How.PIN, sts_failure=Fault.EXPIRED), True,
        [("sts", "a.test", "certificate-expired")],
    ),
    "testing good": ({"sts": sts(Mode.TESTING)}, GOOD, True, [("sts", "a.test", "")]),
    "mode none": ({"sts": sts(Mode.NONE)}, GOOD, True, [("no-policy-found", "a.test", "")]),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_judged(name: str) -> None:
    policy, verdict, offers, expected = CASES[name]
    met = tallying.judged(
        HostPolicy(domain="a.test", host="mx.a.test", **policy), verdict, address="192.0.2.1", own="192.0.2.9",
        offers_tls=offers, now=1000,
    )  # fmt: skip
    assert [(one["policy"], one["of"], one.get("result", "")) for one in met] == expected
    for one in met:
        assert (one["host"], one["address"], one["own"]) == ("mx.a.test", "192.0.2.1", "192.0.2.9")


def test_the_policies_stand_in_it() -> None:
    host = HostPolicy(domain="a.test", host="mx.a.test", sts=sts(Mode.TESTING))
    (met,) = tallying.judged(host, GOOD, address="", own="", offers_tls=True, now=1000)
    assert met["strings"] == ["version: STSv1", "mode: testing", "mx: *.a.test", "max_age: 604800"]
    assert met["mx"] == ["*.a.test"]
    host = HostPolicy(domain="a.test", host="mx.a.test", dane=USABLE)
    (met,) = tallying.judged(host, Verdict(how=How.DANE), address="", own="", offers_tls=True, now=1000)
    assert met["strings"] == [f"3 1 1 {bytes(range(32)).hex()}"]


def test_hosts_that_are_skipped_and_policies_that_are_not_to_be_had() -> None:
    failed = HostPolicy(domain="a.test", host="mx.a.test", dane=Dane(State.FAILED, (), "mx.a.test", "bogus"))
    assert tallying.skipped(failed)["result"] == "dnssec-invalid"
    for failure in ("sts-policy-fetch-error", "sts-policy-invalid", "sts-webpki-invalid"):
        met = tallying.not_fetched("a.test", Sts(None, None, failure, "x" * 999))
        assert (met["policy"], met["of"], met["result"], len(met["reason"])) == ("sts", "a.test", failure, 300)
