"""Mail submitted to us for domains that Debian's Postfix serves, securely or not: it is sent, or the sender asked."""

import contextlib
import functools
import smtplib
import ssl
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import trio

from crockery.actions.actor import the_server
from crockery.actions.queue import reschedule_recipients
from crockery.app.outgoing import World
from crockery.delivery.tls.certificates import Roots
from crockery.net.https import verifying_context
from crockery.projections.queue import Recipient
from tests.support.certificates import DAY, make, tlsa
from tests.support.dns_server import Responder, SignedDNS, scripted_dns, signed_dns, skip_without_dnssec
from tests.support.far_postfix import FarHost, FarPostfix, far_postfix
from tests.support.server import RunningServer, running_server
from tests.support.tls_server import tls_server
from tests.support.waiting import PATIENCE, until

NOW = int(time.time())
make_now = functools.partial(make, begin=NOW - DAY, end=NOW + DAY)
ROOT = make_now(ca=True, common_name="Root")

HOSTS = [
    FarHost("good.test", make_now("mx.good.test", signer=ROOT)),
    FarHost("wrong.test", make_now("mx.elsewhere.test", signer=ROOT)),
    FarHost("expired.test", make("mx.expired.test", signer=ROOT, begin=NOW - 9 * DAY, end=NOW - DAY)),
    FarHost("self.test", make_now("mx.self.test")),
    FarHost("plain.test"),
    FarHost("busy.test", settings={"smtpd_client_restrictions": "static:{421 4.3.2 too much to do}"}),
    FarHost(
        "picky.test",
        make_now("mx.picky.test", signer=ROOT),
        {"smtpd_sender_restrictions": "static:{550 5.7.1 not from you}"},
    ),
    FarHost("dane.signed.test", make_now("mx.dane.signed.test")),
    FarHost("other.signed.test", make_now("mx.other.signed.test", signer=ROOT)),
    FarHost("forged.signed.test", make_now("mx.forged.signed.test", signer=ROOT)),
    FarHost("unusable.signed.test", make_now("mx.unusable.signed.test", signer=ROOT)),
    FarHost("sts.strict.test", make_now("mx.sts.strict.test", signer=ROOT)),
    FarHost("self.strict.test", make_now("mx.self.strict.test")),
    FarHost("unnamed.strict.test", make_now("mx.unnamed.strict.test", signer=ROOT)),
]
STS = b"""\
version: STSv1
mode: enforce
mx: mx.sts.strict.test
mx: mx.self.strict.test
max_age: 1000
"""
ACCESS = {
    "at_rcpt": {"later@good.test": "450 4.2.0 greylisted, come again", "gone@good.test": "550 5.1.1 no such person"},
    "at_data": {"latedata@good.test": "451 4.3.0 not just now", "nodata@good.test": "554 5.7.1 no data from you"},
    "at_end": {"lateend@good.test": "452 4.3.1 full for now", "noend@good.test": "554 5.6.0 we do not like it"},
}


@pytest.fixture(scope="module")
def far() -> Iterator[FarPostfix]:
    with far_postfix(HOSTS, ACCESS) as running:
        yield running


@contextlib.asynccontextmanager
async def ours(
    far: FarPostfix, folder: Path, more: Mapping[tuple[str, str], list[str] | Responder] | None = None, **options: Any
) -> AsyncIterator[RunningServer]:
    """Our server, which finds the hosts and knows the CA. `more` records count before the usual ones."""
    records: dict[tuple[str, str], list[str] | Responder] = {
        (domain, "MX"): [f"10 mx.{domain}."] for domain in far.addresses
    }
    records |= {(f"mx.{domain}", "A"): [address] for domain, address in far.addresses.items()}
    with trio.fail_after(PATIENCE):
        async with scripted_dns({**records, **(more or {})}) as dns:
            world = World(
                f"127.0.0.1:{dns.server.port}", far.port, Roots.of([ROOT.der]),
                ssl.create_default_context(), validate=False,
            )  # fmt: skip
            async with running_server(folder, world=world, **options) as here:
                yield here


@pytest.fixture(scope="module")
def zones(far: FarPostfix, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SignedDNS]:
    """signed.test with TLSA records, of which `other` names another key; strict.test with MTA-STS."""
    skip_without_dnssec()
    shown = {host.domain: host.certificate.der for host in HOSTS if host.certificate is not None}
    zones: dict[str, list[str]] = {"signed.test": [], "strict.test": ["mta-sts IN A 127.0.0.1"]}
    for domain, address in far.addresses.items():
        name, _, origin = domain.partition(".")
        if origin in zones:
            zones[origin] += [f"{name} IN MX 10 mx.{name}", f"mx.{name} IN A {address}"]
        if origin == "strict.test":
            zones[origin] += [f'_mta-sts.{name} IN TXT "v=STSv1; id=1"', f"mta-sts.{name} IN A 127.0.0.1"]
    for name, usage, of, mark in (
        ("dane", 3, "dane", ""),
        ("other", 3, "dane", ""),
        ("forged", 3, "forged", ";tamper"),
        ("unusable", 1, "unusable", ""),
    ):
        digest = tlsa(shown[f"{of}.signed.test"]).data.hex()
        zones["signed.test"].append(f"_{far.port}._tcp.mx.{name} IN TLSA {usage} 1 1 {digest} {mark}")
    signed, plain = ({origin: "\n".join(zones[origin])} for origin in ("signed.test", "strict.test"))
    with signed_dns(tmp_path_factory.mktemp("dns"), signed, plain) as served:
        yield served


@contextlib.asynccontextmanager
async def ours_validating(far: FarPostfix, zones: SignedDNS, folder: Path) -> AsyncIterator[RunningServer]:
    """Our server, which validates the DNS and fetches policies."""
    answer = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%b" % (len(STS), STS)
    names = [f"mta-sts.{host.domain}" for host in HOSTS if host.domain.endswith(".strict.test")]
    with trio.fail_after(PATIENCE):
        async with tls_server(make_now(*names, signer=ROOT).server_context(folder), [answer]) as web:
            world = World(
                f"127.0.0.1:{zones.server.port}", far.port, Roots.of([ROOT.der]),
                verifying_context(ROOT.der), web.port, allow_private=True, anchors=zones.anchors,
            )  # fmt: skip
            async with running_server(folder, world=world) as here:
                yield here


async def submit(here: RunningServer, *recipients: str) -> int:
    """Anna sends a mail; its number."""

    def send() -> None:
        with smtplib.SMTP("127.0.0.1", here.ports["submission"], timeout=PATIENCE) as client:
            client.login("anna", "secret")
            text = f"From: anna@example.test\r\nTo: {', '.join(recipients)}\r\nSubject: hello\r\n\r\nHello.\r\n"
            client.sendmail("anna@example.test", recipients, text)

    known = set(here.store.state.queue.by_id) | set(here.store.state.queue.finished)
    await trio.to_thread.run_sync(send)
    queue = here.store.state.queue
    (number,) = (set(queue.by_id) | set(queue.finished)) - known
    return number


async def tried(here: RunningServer, number: int, times: int = 1) -> Recipient:
    """The first recipient, when it was tried so often."""
    message = here.store.state.queue.find(number)
    assert message is not None
    recipient = message.recipients[0]
    await until(lambda: len(recipient.story) >= times)
    return recipient


def tallied(here: RunningServer) -> set[tuple[str, str, str, int]]:
    """What is kept for TLS-RPT: policy domain, policy, "" or what was wrong, how often."""
    (day,) = here.store.state.tls_tallies.days.values()
    found = set()
    for key, tally in day.tallies.items():
        found |= {(key.domain, key.kind, failure.result, count) for failure, count in tally.failures.items()}
        found |= {(key.domain, key.kind, "", tally.successes)} if tally.successes else set()
        assert all(failure.host.startswith("mx.") for failure in tally.failures)
    return found


async def test_verified(far: FarPostfix, tmp_path: Path) -> None:
    async with ours(far, tmp_path) as here:
        recipient = await tried(here, await submit(here, "ben@good.test"))
        (attempt,) = recipient.story
        assert (attempt.result, attempt.code, attempt.place.host) == ("delivered", 250, "mx.good.test")
        assert attempt.place.tls is not None
        assert (attempt.place.tls["verified"], attempt.place.tls["version"]) == ("certificate", "TLSv1.3")
        await until(lambda: far.mails("ben@good.test"))
        (mail,) = far.mails("ben@good.test")
        assert b"using TLSv1.3" in mail and b"DKIM-Signature" in mail and mail.endswith(b"\n\nHello.\n")
        assert not here.inbox("anna")


_RESULT_TYPES = {
    "wrong-name": "certificate-host-mismatch", "expired": "certificate-expired",
    "self-signed": "certificate-not-trusted", "no-tls": "starttls-not-supported",
}  # fmt: skip


@pytest.mark.parametrize(
    ("domain", "kind", "fault"),
    [
        ("wrong.test", "certificate", "wrong-name"),
        ("expired.test", "certificate", "expired"),
        ("self.test", "certificate", "self-signed"),
        ("plain.test", "no-tls", "no-tls"),
    ],
)
async def test_held_asked_and_sent_at_the_senders_word(
    far: FarPostfix, tmp_path: Path, domain: str, kind: str, fault: str
) -> None:
    address = f"ben@{domain}"
    async with ours(far, tmp_path) as here:
        number = await submit(here, address)
        recipient = await tried(here, number)
        assert recipient.state.name == "HELD_INSECURE"
        assert recipient.problem is not None
        assert (recipient.problem["kind"], recipient.problem["host"]) == (kind, f"mx.{domain}")
        assert recipient.problem["fault"] == fault
        await until(lambda: here.inbox("anna"))
        (question,) = here.inbox("anna")
        assert domain.encode() in question and b"crockery+" in question
        assert not far.mails(address)
        reschedule_recipients(here.store, the_server(), number, insecure=True)
        await until(lambda: far.mails(address))
        assert (b"using TLSv1.3" in far.mails(address)[0]) is (domain != "plain.test")
        assert tallied(here) == {(domain, "no-policy-found", _RESULT_TYPES[fault], 2)}  # held, then sent all the same


@pytest.mark.parametrize(
    ("address", "result", "code", "words"),
    [
        ("later@good.test", "deferred", 450, "greylisted"),
        ("gone@good.test", "failed", 550, "no such person"),
        ("latedata@good.test", "deferred", 451, "not just now"),
        ("nodata@good.test", "failed", 554, "no data from you"),
        ("lateend@good.test", "deferred", 452, "full for now"),
        ("noend@good.test", "failed", 554, "do not like it"),
        ("ben@picky.test", "failed", 550, "not from you"),
        ("ben@busy.test", "deferred", 421, "too much to do"),
    ],
)
async def test_refused_at_each_stage(
    far: FarPostfix, tmp_path: Path, address: str, result: str, code: int, words: str
) -> None:
    async with ours(far, tmp_path) as here:
        recipient = await tried(here, await submit(here, address))
        attempt = recipient.story[0]
        assert (attempt.result, attempt.code) == (result, code)
        assert words in attempt.text
        if result == "failed":
            await until(lambda: here.inbox("anna"))
            (notice,) = here.inbox("anna")
            assert b"message/delivery-status" in notice and words in " ".join(notice.decode().split())
        assert not far.mails(address)


@pytest.mark.parametrize(
    ("domain", "verified", "policies"),
    [
        ("dane.signed.test", "dane", {("mx.dane.signed.test", "tlsa", "", 1)}),
        (
            "unusable.signed.test",
            "certificate",
            {
                ("mx.unusable.signed.test", "tlsa", "tlsa-invalid", 1),
                ("unusable.signed.test", "no-policy-found", "", 1),
            },
        ),
        ("sts.strict.test", "mta-sts", {("sts.strict.test", "sts", "", 1)}),
    ],
)
async def test_sent_by_the_domains_policy(
    far: FarPostfix, zones: SignedDNS, tmp_path: Path, domain: str, verified: str, policies: object
) -> None:
    async with ours_validating(far, zones, tmp_path) as here:
        (attempt,) = (await tried(here, await submit(here, f"ben@{domain}"))).story
        assert attempt.place.tls is not None
        assert (attempt.result, attempt.place.tls["verified"]) == ("delivered", verified)
        await until(lambda: far.mails(f"ben@{domain}"))
        assert tallied(here) == policies


@pytest.mark.parametrize(
    ("domain", "policy", "fault", "counted"),
    [
        (
            "other.signed.test", "DANE", "dane-mismatch",
            ("mx.other.signed.test", "tlsa", "certificate-host-mismatch", 2),
        ),
        ("self.strict.test", "MTA-STS", "self-signed", ("self.strict.test", "sts", "certificate-not-trusted", 2)),
        ("unnamed.strict.test", "MTA-STS", "mx-not-named", ("unnamed.strict.test", "sts", "validation-failure", 2)),
    ],
)  # fmt: skip
async def test_held_by_the_domains_policy(
    far: FarPostfix, zones: SignedDNS, tmp_path: Path, domain: str, policy: str, fault: str, counted: object
) -> None:
    async with ours_validating(far, zones, tmp_path) as here:
        number = await submit(here, f"ben@{domain}")
        recipient = await tried(here, number)
        assert (recipient.state.name, recipient.story[0].why) == ("HELD_INSECURE", "policy")
        assert recipient.problem is not None
        assert (recipient.problem["policy"], recipient.problem["fault"]) == (policy, fault)
        await until(lambda: here.inbox("anna"))
        assert b"crockery+" in here.inbox("anna")[0]
        assert not far.mails(f"ben@{domain}")
        reschedule_recipients(here.store, the_server(), number, insecure=True)
        await until(lambda: far.mails(f"ben@{domain}"))
        assert tallied(here) == {counted}


async def test_forged_records_let_nothing_through(far: FarPostfix, zones: SignedDNS, tmp_path: Path) -> None:
    async with ours_validating(far, zones, tmp_path) as here:
        number = await submit(here, "ben@forged.signed.test")
        recipient = await tried(here, number)
        assert (recipient.state.name, recipient.story[0].why) == ("DUE", "dane")
        reschedule_recipients(here.store, the_server(), number, insecure=True)
        await tried(here, number, 2)
        assert (recipient.state.name, recipient.story[1].why) == ("DUE", "dane")
        assert not far.mails("ben@forged.signed.test")
        assert tallied(here) == {("mx.forged.signed.test", "tlsa", "dnssec-invalid", 2)}
