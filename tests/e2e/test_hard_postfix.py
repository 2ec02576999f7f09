"""Debian's Postfix as a peer that is hard to please: greylisting, refusals, extensions that it lacks, odd DNS."""

import time
from collections.abc import Iterator
from pathlib import Path

import dns.message
import dns.rcode
import pytest

from crockery.actions.queue import Terms
from crockery.delivery.sending import scheduler
from tests.e2e.test_far_postfix import ROOT, make_now, ours, submit, tried
from tests.support.dns_server import Responder
from tests.support.far_postfix import FarHost, FarPostfix, far_postfix
from tests.support.queue import enqueue
from tests.support.waiting import until


def host(domain: str, **settings: str) -> FarHost:
    return FarHost(domain, make_now(f"mx.{domain}", signer=ROOT), settings)


HOSTS = [
    host("good.test"),
    host("grey.test", max_use="1"),  # what it refuses is read anew for each connection
    host("barred.test", smtpd_client_restrictions="static:{554 5.7.1 we do not know you}"),
    host("rude.test", smtpd_helo_restrictions="static:{450 4.7.1 not by that name}"),
    host("small.test", message_size_limit="1000"),
    host("poor.test", smtpd_discard_ehlo_keywords="pipelining, chunking, size, dsn, 8bitmime, smtputf8"),
    host("plain-data.test", smtpd_discard_ehlo_keywords="chunking, smtputf8"),
    host("alias.test"),
    host("six.test"),
    host("second.test"),
]
ACCESS = {
    "at_rcpt": {
        "ben@grey.test": "450 4.2.0 greylisted, come again",
        "later@good.test": "450 4.2.0 not today",
        "gone@good.test": "550 5.1.1 no such person",
    }
}


@pytest.fixture(scope="module")
def far() -> Iterator[FarPostfix]:
    with far_postfix(HOSTS, ACCESS) as running:
        yield running


async def test_greylisted_and_taken_when_it_is_tried_again(
    far: FarPostfix, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock is moved on, as far as the back-off says."""
    monkeypatch.setattr(scheduler, "QUEUE_CONNECTION_IDLE", 0.0)  # the next connection is a new one
    moved = [0]
    async with ours(far, tmp_path, clock=lambda: time.time_ns() // 1000 + moved[0] * 1_000_000) as here:
        recipient = await tried(here, await submit(here, "ben@grey.test"))
        assert (recipient.state.name, recipient.story[0].code) == ("DUE", 450)
        wait = recipient.next - recipient.story[0].time // 1_000_000
        assert 60 * 0.8 - 1 <= wait <= 60 * 1.2 + 1
        left = {to: action for to, action in ACCESS["at_rcpt"].items() if to != "ben@grey.test"}
        (far.folder / "at_rcpt").write_text("".join(f"{to} {action}\n" for to, action in left.items()))
        moved[0] = wait + 2
        await submit(here, "ben@good.test")  # whatever happens wakes the scheduler
        await until(lambda: far.mails("ben@grey.test"))
        await until(lambda: recipient.is_final)
        assert [attempt.result for attempt in recipient.story] == ["deferred", "delivered"]
        assert not here.inbox("anna")


@pytest.mark.parametrize(
    ("domain", "result", "code", "words"),
    [
        ("barred.test", "deferred", 554, "we do not know you"),
        ("rude.test", "deferred", 450, "not by that name"),
    ],
    ids=["the greeting", "EHLO and HELO"],
)
async def test_refused(far: FarPostfix, tmp_path: Path, domain: str, result: str, code: int, words: str) -> None:
    async with ours(far, tmp_path) as here:
        attempt = (await tried(here, await submit(here, f"ben@{domain}"))).story[0]
        assert (attempt.result, attempt.code) == (result, code)
        assert words in attempt.text
        assert not far.mails(f"ben@{domain}")


async def test_the_size_that_it_takes_is_heeded(far: FarPostfix, tmp_path: Path) -> None:
    async with ours(far, tmp_path) as here:
        data = b"From: anna@example.test\r\n\r\n" + b"Hello.\r\n" * 200
        (attempt,) = (await tried(here, enqueue(here.store, "ben@small.test", data=data))).story
        assert (attempt.result, attempt.code, attempt.enhanced) == ("failed", 0, "5.3.4")
        assert attempt.text == "The receiving server takes messages of at most 1000 octets"


async def test_each_recipient_has_its_own_answer(far: FarPostfix, tmp_path: Path) -> None:
    async with ours(far, tmp_path) as here:
        number = await submit(here, "one@good.test", "gone@good.test", "later@good.test", "two@good.test")
        message = here.store.state.queue.find(number)
        assert message is not None
        await until(lambda: all(recipient.story for recipient in message.recipients))
        states = {recipient.address: recipient.state.name for recipient in message.recipients}
        assert states == {
            "one@good.test": "DELIVERED", "gone@good.test": "FAILED", "later@good.test": "DUE",
            "two@good.test": "DELIVERED",
        }  # fmt: skip
        await until(lambda: far.mails("one@good.test") and far.mails("two@good.test"))


@pytest.mark.parametrize("domain", ["good.test", "plain-data.test", "poor.test"], ids=["BDAT", "DATA", "one by one"])
async def test_content_arrives_as_it_is(far: FarPostfix, tmp_path: Path, domain: str) -> None:
    """Dots at the beginning of lines, 8-bit text, and more than fits into one piece."""
    lines = [b".", b"..", b".x", "grüße".encode(), b"", *(b"%07d" % number * 10 for number in range(20_000)), b"."]
    data = b"From: anna@example.test\r\n\r\n" + b"\r\n".join(lines) + b"\r\n"
    async with ours(far, tmp_path) as here:
        recipient = await tried(here, enqueue(here.store, f"octets@{domain}", data=data, body="8BITMIME"))
        assert recipient.story[0].result == ("relayed" if domain == "poor.test" else "delivered")
        await until(lambda: far.mails(f"octets@{domain}"))
        (mail,) = far.mails(f"octets@{domain}")
        assert mail.partition(b"\n\n")[2] == b"\n".join(lines) + b"\n"


async def test_smtputf8_is_refused_clearly(far: FarPostfix, tmp_path: Path) -> None:
    async with ours(far, tmp_path) as here:
        (attempt,) = (await tried(here, enqueue(here.store, "bän@plain-data.test", smtputf8=True))).story
        assert (attempt.result, attempt.enhanced) == ("failed", "5.6.7")
        assert attempt.text == "The receiving server does not take addresses or headers beyond ASCII"


def servfail(query: dns.message.Message) -> dns.message.Message:
    response = dns.message.make_response(query)
    response.set_rcode(dns.rcode.SERVFAIL)
    return response


@pytest.mark.parametrize(
    ("domain", "result", "words"),
    [
        ("null.test", "failed", "accepts no mail (null MX)"),
        ("nowhere.test", "failed", "does not exist"),
        ("servfail.test", "deferred", "cannot be found at the moment"),
        ("alias.test", "delivered", ""),
        ("six.test", "delivered", ""),
        ("second.test", "delivered", ""),
    ],
)
async def test_routes(far: FarPostfix, tmp_path: Path, domain: str, result: str, words: str) -> None:
    """An MX that is an alias, one whose IPv6 address is dead, and a best MX where nobody listens, among others."""
    more: dict[tuple[str, str], list[str] | Responder] = {
        ("null.test", "MX"): ["0 ."],
        ("servfail.test", "MX"): servfail,
        ("alias.test", "MX"): ["10 other.test."],
        ("other.test", "CNAME"): ["mx.alias.test."],
        ("mx.six.test", "AAAA"): ["::1"],
        ("second.test", "MX"): ["10 dead.test.", "20 mx.second.test."],
        ("dead.test", "A"): ["127.0.0.250"],
    }
    async with ours(far, tmp_path, more) as here:
        attempt = (await tried(here, enqueue(here.store, f"ben@{domain}", terms=Terms(tls_optional=True)))).story[0]
        assert attempt.result == result and words in attempt.text
        if result == "delivered":
            assert attempt.place.address == far.addresses[domain]
            await until(lambda: far.mails(f"ben@{domain}"))
