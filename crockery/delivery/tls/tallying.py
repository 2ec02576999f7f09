"""What a TLS session, or the lack of one, counts as in the reports that domains ask for (TLS-RPT). Pure.

RFC 8460 §4.3 (result types), §4.4 (what a report holds), §1.1 (the policy domain: of MTA-STS that of the recipients, of
DANE the TLSA base domain of the host). One session counts under each policy that was looked at: unusable TLSA records
are a failure of DANE, and the rules that apply instead have their own say.
"""

from typing import Final

from crockery.delivery.tls import dane, mta_sts
from crockery.delivery.tls.faults import Fault
from crockery.delivery.tls.lookup import Sts
from crockery.delivery.tls.verify import HostPolicy, Verdict
from crockery.events.types.trust import TLSSession
from crockery.limits import TLS_TALLY_STRINGS, TLS_TALLY_TEXT
from crockery.net.resolver import TLSA

TLSA_POLICY: Final = "tlsa"
STS_POLICY: Final = "sts"
NO_POLICY: Final = "no-policy-found"


def judged(
    policy: HostPolicy, verdict: Verdict, *, address: str, own: str, offers_tls: bool, now: int
) -> list[TLSSession]:
    """A connection to `address` from `own` at `now` (Unix seconds).

    `offers_tls`: the server said that it has TLS, whatever came of it.
    """
    where: TLSSession = {"policy": NO_POLICY, "of": policy.domain, "host": policy.host, "address": address, "own": own}
    found = policy.dane
    if found.state is dane.State.USABLE:
        strings = sorted(_tlsa_string(record) for record in found.records)[:TLS_TALLY_STRINGS]  # they come in any order
        session: TLSSession = {**where, "policy": TLSA_POLICY, "of": found.base, "strings": strings}
        return [_with_result(session, verdict.fault, verdict, offers_tls=offers_tls, now=now)]
    counted: list[TLSSession] = []
    if found.state is dane.State.UNUSABLE:
        session = {**where, "policy": TLSA_POLICY, "of": found.base, "result": "tlsa-invalid", "reason": found.why}
        counted.append(session)
    sts = policy.sts
    if sts is None or sts.mode is mta_sts.Mode.NONE:
        return [*counted, _with_result(where, verdict.fault, verdict, offers_tls=offers_tls, now=now)]
    session = {**where, "policy": STS_POLICY, "strings": _sts_strings(sts), "mx": list(sts.mx[:TLS_TALLY_STRINGS])}
    fault = verdict.sts_failure if sts.mode is mta_sts.Mode.TESTING else verdict.fault
    return [*counted, _with_result(session, fault, verdict, offers_tls=offers_tls, now=now)]


def skipped(policy: HostPolicy) -> TLSSession:
    """A host whose TLSA records could not be had: nobody connects to it (RFC 7672 §2.1)."""
    return {
        "policy": TLSA_POLICY, "of": policy.dane.base or policy.host, "host": policy.host,
        "result": "dnssec-invalid", "reason": policy.dane.why[:TLS_TALLY_TEXT],
    }  # fmt: skip


def not_fetched(domain: str, found: Sts) -> TLSSession:
    """A domain's MTA-STS policy could not be had."""
    return {"policy": STS_POLICY, "of": domain, "result": found.failure, "reason": found.why[:TLS_TALLY_TEXT]}


def _with_result(
    session: TLSSession, fault: Fault | None, verdict: Verdict, *, offers_tls: bool, now: int
) -> TLSSession:
    if fault is None:
        return session
    result = fault.result_type
    reason = verdict.why if fault is Fault.NO_TLS else fault.value
    if fault is Fault.NO_TLS and offers_tls:
        result = "validation-failure"  # there is TLS, and it did not come about
    elif fault is Fault.EXPIRED and verdict.certificate is not None and now < verdict.certificate.not_before:
        result, reason = "certificate-not-trusted", "not-yet-valid"
    return {**session, "result": result, "reason": reason[:TLS_TALLY_TEXT]}


def _tlsa_string(record: TLSA) -> str:
    """As in a zone file (RFC 6698 §2.2)."""
    return f"{record.usage} {record.selector} {record.matching} {record.data.hex()}"[:TLS_TALLY_TEXT]


def _sts_strings(policy: mta_sts.Policy) -> list[str]:
    lines = [f"mx: {pattern}" for pattern in policy.mx[:TLS_TALLY_STRINGS]]
    return ["version: STSv1", f"mode: {policy.mode.value}", *lines, f"max_age: {policy.max_age}"]
