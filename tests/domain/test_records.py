"""The records to publish, as zone files and forms want them, and what is said of those that are there."""

import dns.zone
import pytest
import trio

from crockery.domain.checking import Verdict, check_records, judge
from crockery.domain.records import Kind, Record, form_name, public_addresses, wanted_records, zone_line
from crockery.net.resolver.resolver import open_resolver
from crockery.projections.settings import Settings
from crockery.projections.signing import Signing
from tests.support.dns_server import scripted_dns
from tests.support.waiting import PATIENCE

RSA = "v=DKIM1; k=rsa; p=" + "MIIB" * 98
ED = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
SPF = Record(Kind.SPF, "example.test", "TXT", "v=spf1 mx -all", "")
BY_SMART_HOST = SPF._replace(value="v=spf1 mx a:smtp.relay.test ~all")
DMARC = Record(Kind.DMARC, "_dmarc.example.test", "TXT", "v=DMARC1; p=quarantine", "")
KEY = Record(Kind.DKIM, "ed1._domainkey.example.test", "TXT", ED, "")
MX = Record(Kind.MX, "example.test", "MX", "10 mail.example.test.", "")
A = Record(Kind.ADDRESS, "mail.example.test", "A", "192.0.2.10", "")
UNSURE = Record(Kind.ADDRESS, "mail.example.test", "A", "", "")


def wanted(*addresses: str) -> list[Record]:
    settings, signing = Settings(), Signing()
    settings.values |= {"domain": "example.test", "hostname": "mail.example.test"}
    for number, (selector, record) in enumerate((("rsa1", RSA), ("ed1", ED)), 1):
        signing.dkim_key_added(number, 0, {"domain": "example.test", "selector": selector, "record": record})
    signing.dkim_key_added(3, 0, {"domain": "old.test", "selector": "x", "record": ED})
    return wanted_records(settings, signing, addresses)


def test_all_records_are_lines_of_a_zone_file() -> None:
    records = wanted("192.0.2.10", "2001:db8::10")
    assert [(record.name, record.type) for record in records] == [
        ("example.test", "MX"),
        ("mail.example.test", "A"),
        ("mail.example.test", "AAAA"),
        ("example.test", "TXT"),
        ("rsa1._domainkey.example.test", "TXT"),
        ("ed1._domainkey.example.test", "TXT"),
        ("_dmarc.example.test", "TXT"),
    ]
    text = "\n".join(zone_line(record) for record in records)
    zone = dns.zone.from_text(text, "example.test.", relativize=False, check_origin=False)
    key = zone.find_rdataset("rsa1._domainkey.example.test.", "TXT")[0]
    assert b"".join(key.strings).decode() == RSA and len(key.strings) == 2
    assert [form_name(record, "example.test") for record in records] == [
        "@", "mail", "mail", "@", "rsa1._domainkey", "ed1._domainkey", "_dmarc",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("host", "policy"),
    [
        ("smtp.relay.test", "v=spf1 mx a:smtp.relay.test ~all"),
        ("192.0.2.7", "v=spf1 mx ip4:192.0.2.7 ~all"),
        ("2001:db8::7", "v=spf1 mx ip6:2001:db8::7 ~all"),
    ],
)
def test_a_smart_host_sends_too(host: str, policy: str) -> None:
    settings = Settings()
    settings.values["domain"] = "example.test"
    (record,) = (r for r in wanted_records(settings, Signing(), (), host) if r.kind is Kind.SPF)
    assert record.value == policy and host in record.why


def test_an_unknown_address_is_a_comment() -> None:
    (line,) = [zone_line(record) for record in wanted() if record.kind is Kind.ADDRESS]
    assert line == "; mail.example.test. 3600 IN A <the public address of this machine>"


def test_public_addresses() -> None:
    assert public_addresses(["10.0.0.1", "9.9.9.9", "::1", "2620:fe::fe", "fe80::1"]) == ["9.9.9.9", "2620:fe::fe"]


@pytest.mark.parametrize(
    ("record", "values", "verdict", "part"),
    [
        (MX, ["10 mail.example.test."], "found", "is there"),
        (MX, ["5 MAIL.example.test."], "found", ""),
        (MX, [], "missing", "There is no mail server (MX) at example.test: it should be 10 mail.example.test."),
        (MX, ["10 mx.old.test."], "differs", "is 10 mx.old.test; it should be 10 mail.example.test."),
        (MX, ["10 mail.example.test.", "20 mx.old.test."], "differs", " and 20 mx.old.test; it"),
        (A, ["192.0.2.10"], "found", ""),
        (A, ["192.0.2.11"], "differs", "is 192.0.2.11; it should be 192.0.2.10"),
        (A, ["192.0.2.10", "192.0.2.11"], "differs", ""),
        (A, [], "missing", ""),
        (UNSURE, ["192.0.2.11"], "found", ""),
        (UNSURE, [], "missing", "it should be the public address of this machine"),
        (SPF, ["v=spf1 mx -all", "google-site-verification=1"], "found", ""),
        (SPF, ["v=spf1 +mx include:_spf.news.test ~all"], "found", ""),
        (SPF, ["v=spf1 ip4:192.0.2.1 -all"], "differs", "is v=spf1 ip4:192.0.2.1 -all; it should be v=spf1 mx -all"),
        (SPF, ["v=spf1 mx +all"], "differs", ""),
        (BY_SMART_HOST, ["v=spf1 mx -all"], "differs", "it should be v=spf1 mx a:smtp.relay.test ~all"),
        (BY_SMART_HOST, ["v=spf1 mx a:smtp.relay.test ~all"], "found", ""),
        (BY_SMART_HOST, ["v=spf1 mx include:_spf.relay.test -all"], "found", ""),
        (SPF, ["v=spf1 mx -all", "V=SPF1 -all"], "differs", "none counts"),
        (SPF, ["v=spf10 mx -all"], "missing", ""),
        (KEY, [ED], "found", ""),
        (KEY, ["p=11qYAYKxCrfVS/7TyWQH Og7hcvPapiMlrwIaaPcHURo= ; k=ed25519; v=DKIM1;"], "found", ""),
        (KEY, [ED.replace("11qY", "22qY")], "differs", "22qY"),
        (KEY, [], "missing", "ed1._domainkey"),
        (DMARC, ["v=DMARC1; p=reject; rua=mailto:x@example.test"], "found", ""),
        (DMARC, ["v=DMARC1; p=none"], "differs", ""),
        (DMARC, ["hello"], "missing", ""),
    ],
)  # fmt: skip
def test_what_is_said(record: Record, values: list[str], verdict: str, part: str) -> None:
    finding = judge(record, values, same=[record])
    assert finding.verdict == verdict
    assert part in finding.sentence and finding.sentence.endswith(".")


def test_no_answer_is_no_verdict() -> None:
    finding = judge(SPF, [], "no answer in time")
    assert (finding.verdict, finding.sentence) == (
        Verdict.UNKNOWN,
        "Nobody could say what the sender policy (SPF) of example.test is: no answer in time.",
    )


async def test_the_dns_is_asked() -> None:
    there = {
        ("example.test", "MX"): ["10 mail.example.test."],
        ("example.test", "TXT"): ['"v=spf1 mx " "-all"'],
        ("mail.example.test", "A"): ["192.0.2.10"],
        ("rsa1._domainkey.example.test", "TXT"): [f'"{RSA[:200]}" "{RSA[200:]}"'],
    }
    with trio.fail_after(PATIENCE):
        async with scripted_dns(there) as server, open_resolver((server.server,), validate=False) as resolver:
            findings = await check_records(wanted("192.0.2.10", "2001:db8::10"), resolver)
    assert [finding.verdict.value for finding in findings] == [
        "found", "found", "missing", "found", "found", "missing", "missing",
    ]  # fmt: skip
