"""What recipients' domains say of their TLS, against real servers: DANE records that fail or cannot be used, MTA-STS
policies through their life, REQUIRETLS, TLS-Required. Good and broken ones are in `test_far_postfix` and the stories.
"""

import contextlib
import json
import ssl
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from trio.testing import MockClock

from crockery.app.outgoing import World
from crockery.delivery.tls.certificates import Roots
from crockery.projections.queue import Attempt
from tests.support.dns_server import SignedDNS
from tests.support.far_postfix import FarPostfix
from tests.support.others import unsigned_world, validating_world
from tests.support.queue import enqueue
from tests.support.server import RunningServer, running_server, test_ca
from tests.support.story import Person, story, words_of
from tests.support.waiting import until

FIVE_MINUTES = 301 / 86_400
STRICT, SELF = "strict.sts.test", "self.sts.test"


async def last_attempt(anna: Person, number: int, times: int = 1) -> Attempt:
    """The last one, when there were so many."""
    await anna.tried(number, times)
    return anna.queued(number).recipients[0].story[-1]


async def verified(anna: Person, domain: str) -> str:
    """How the server was verified to which the next mail to the domain went; it must go."""
    attempt = await last_attempt(anna, await anna.write(f"ben@{domain}"))
    assert attempt.result == "delivered" and attempt.place.tls is not None, attempt
    await anna.days_pass(FIVE_MINUTES)  # no connection is kept, and no answer of the DNS
    return str(attempt.place.tls["verified"])


async def tallied(anna: Person, domain: str) -> dict[str, tuple[int, list[str]]]:
    """What `crockery queue tallies` has for a domain: by kind of policy, how often it went well, and what failed."""
    listed = json.loads(await anna.command("queue", "tallies", "--json"))
    found: dict[str, tuple[int, list[str]]] = {}
    for one in (one for day in listed["items"] for one in day["policies"] if one["domain"] == domain):
        good, failed = found.get(one["type"], (0, []))
        found[one["type"]] = (good + one["successes"], failed + [failure["result"] for failure in one["failures"]])
    return found


# --- DANE ---


async def test_a_host_whose_records_cannot_be_had_is_skipped(
    others: FarPostfix, zone: SignedDNS, clock: MockClock, tmp_path: Path
) -> None:
    async with story(tmp_path, clock, validating_world(others, zone)) as anna:
        attempt = await last_attempt(anna, await anna.write("ben@lame.signed.test"))
        assert attempt.place.host == "mx.spare.signed.test" and attempt.place.tls is not None
        assert (attempt.result, attempt.place.tls["verified"]) == ("delivered", "dane")
        number = await anna.write("ben@lame.signed.test", options=["REQUIRETLS"])
        assert (await last_attempt(anna, number)).why == "dane"  # nobody knows yet whether the other host promises it
        number = await anna.write("ben@silent.signed.test")
        attempt = await last_attempt(anna, number)
        assert (attempt.result, attempt.why, anna.state(number)) == ("deferred", "dane", "DUE")
        assert "the DNS does not say whether mx.silent.signed.test is protected by DANE" in attempt.text
        await anna.command("queue", "send-insecure", str(number))
        assert (await last_attempt(anna, number, 2)).why == "dane"
        assert anna.has_read_all and not others.mails("ben@silent.signed.test")
        assert await tallied(anna, "mx.silent.signed.test") == {"tlsa": (0, ["dnssec-invalid"])}
        assert await tallied(anna, "mx.spare.signed.test") == {"tlsa": (2, [])}


async def test_records_that_cannot_be_used_ask_for_tls(
    others: FarPostfix, zone: SignedDNS, clock: MockClock, tmp_path: Path
) -> None:
    async with story(tmp_path, clock, validating_world(others, zone)) as anna:
        await anna.write("ben@useless.signed.test")
        assert "trust useless.signed.test" in words_of(await anna.letter())
        await anna.write("ben@bare.signed.test")
        words = words_of(await anna.letter())
        assert "(DANE)" in words and "offers no encryption, and so no proof at all" in words
        assert "trust bare" not in words
        assert await tallied(anna, "mx.bare.signed.test") == {"tlsa": (0, ["tlsa-invalid"])}


async def test_a_broken_policy_counts_most_whichever_server_it_is_of(
    others: FarPostfix, zone: SignedDNS, clock: MockClock, tmp_path: Path
) -> None:
    async with story(tmp_path, clock, validating_world(others, zone)) as anna:
        await anna.write("ben@mixed.signed.test")
        words = words_of(await anna.letter())
        assert "(DANE)" in words and "trust mixed" not in words


# --- MTA-STS ---


async def test_policies_that_do_not_enforce(others: FarPostfix, clock: MockClock, tmp_path: Path) -> None:
    async with unsigned_world(others, tmp_path) as outside, story(tmp_path, clock, outside.world) as anna:
        outside.publish(STRICT, "enforce", "mx.strict.sts.test")
        assert await verified(anna, STRICT) == "mta-sts"
        outside.publish(STRICT, "testing", "mx.elsewhere.test")
        assert await verified(anna, STRICT) == "certificate"
        outside.publish(STRICT, "none")
        assert await verified(anna, STRICT) == "certificate"
        outside.publish(SELF, "testing", "mx.self.sts.test")
        await anna.write(f"ben@{SELF}")
        assert f"trust {SELF}" in words_of(await anna.letter())
        assert outside.fetched == [STRICT, STRICT, STRICT, SELF]
        assert await tallied(anna, STRICT) == {"sts": (1, ["validation-failure"]), "no-policy-found": (1, [])}
        assert await tallied(anna, SELF) == {"sts": (0, ["certificate-not-trusted"])}


async def test_a_policy_counts_until_its_age(others: FarPostfix, clock: MockClock, tmp_path: Path) -> None:
    async with unsigned_world(others, tmp_path) as outside, story(tmp_path, clock, outside.world) as anna:
        outside.publish(STRICT, "enforce", "*.strict.sts.test", max_age=86_400)
        assert [await verified(anna, STRICT), await verified(anna, STRICT)] == ["mta-sts", "mta-sts"]
        assert outside.fetched == [STRICT]
        await anna.days_pass(2)
        assert await verified(anna, STRICT) == "mta-sts"  # fetched again, under the same id
        assert outside.fetched == [STRICT, STRICT]
        outside.withdraw(STRICT, record=False)
        assert await verified(anna, STRICT) == "mta-sts"
        assert outside.fetched == [STRICT] * 3
        outside.withdraw(STRICT, record=True)
        assert await verified(anna, STRICT) == "mta-sts"
        await anna.days_pass(1)
        assert await verified(anna, STRICT) == "certificate"
        assert outside.fetched == [STRICT] * 3


async def test_nobody_gets_rid_of_a_policy_by_hiding_it(others: FarPostfix, clock: MockClock, tmp_path: Path) -> None:
    async with unsigned_world(others, tmp_path) as outside, story(tmp_path, clock, outside.world) as anna:
        outside.publish(SELF, "enforce", "mx.self.sts.test", max_age=86_400)
        number = await anna.write(f"ben@{SELF}")
        assert "(MTA-STS)" in words_of(await anna.letter())
        outside.withdraw(SELF, record=True)
        await anna.days_pass(FIVE_MINUTES)
        tries = anna.queued(number).recipients[0].attempts
        await anna.command("queue", "retry", str(number))
        assert (await last_attempt(anna, number, tries + 1)).why == "policy"
        await anna.days_pass(1)
        assert f"trust {SELF}" in words_of(await anna.letter())  # another question: the policy is too old


async def test_a_policy_that_never_came_changes_nothing(others: FarPostfix, clock: MockClock, tmp_path: Path) -> None:
    async with unsigned_world(others, tmp_path) as outside, story(tmp_path, clock, outside.world) as anna:
        outside.withdraw(STRICT, record=False)
        assert await verified(anna, STRICT) == "certificate"
        assert outside.fetched == [STRICT]
        assert await tallied(anna, STRICT) == {"no-policy-found": (1, []), "sts": (0, ["sts-policy-fetch-error"])}


# --- what the sender asks for ---


@contextlib.asynccontextmanager
async def promising_world(
    others: FarPostfix, zone: SignedDNS, folder: Path, proof: str
) -> AsyncIterator[tuple[RunningServer, World]]:
    """A server that offers REQUIRETLS, as Crockery does, and a world in which `proof` says that it is its domain's."""
    (folder / "there").mkdir()
    domain = "promising.signed.test" if proof == "DNSSEC" else STRICT
    async with contextlib.AsyncExitStack() as stack:
        there = await stack.enter_async_context(running_server(folder / "there", domain=domain))
        if proof == "DNSSEC":
            world = validating_world(others, zone)
        else:
            outside = await stack.enter_async_context(unsigned_world(others, folder))
            mail = {(domain, "MX"): [f"10 mail.{domain}."], (f"mail.{domain}", "A"): ["127.0.0.1"]}
            outside.dns.records = {**outside.dns.records, **mail}
            if proof == "MTA-STS":
                outside.publish(domain, "enforce", f"mail.{domain}")
            world = outside.world
        ca = ssl.PEM_cert_to_DER_cert(test_ca().cert_pem.bytes().decode())
        yield there, replace(world, port=there.ports["smtp"], roots=Roots.of([ca]))


@pytest.mark.parametrize("proof", ["DNSSEC", "MTA-STS", ""])
async def test_requiretls(others: FarPostfix, zone: SignedDNS, clock: MockClock, tmp_path: Path, proof: str) -> None:
    async with promising_world(others, zone, tmp_path, proof) as (there, world), story(tmp_path, clock, world) as anna:
        number = await anna.write(f"ben@{there.store.state.settings.domain}", options=["REQUIRETLS"])
        await anna.tried(number)
        if proof:
            assert anna.state(number) == "DELIVERED" and anna.has_read_all
            assert Person(there, clock, "ben").has_mail
        else:
            await _told_that_nobody_promised(anna, number)


async def test_requiretls_where_it_is_not_offered(others: FarPostfix, clock: MockClock, tmp_path: Path) -> None:
    async with unsigned_world(others, tmp_path) as outside, story(tmp_path, clock, outside.world) as anna:
        for domain, status in (("good.test", "5.7.30"), ("shady.test", "5.7.30"), ("plain.test", "5.7.10")):
            number = await anna.write(f"dora@{domain}", options=["REQUIRETLS", "RET=FULL"])
            await _told_that_nobody_promised(anna, number, status)
            assert not others.mails(f"dora@{domain}")


async def _told_that_nobody_promised(anna: Person, number: int, status: str = "5.7.30") -> None:
    """RFC 8689 §4.2.1: 5.7.10 where there is no TLS at all."""
    notice = await anna.letter()
    assert anna.state(number) == "FAILED" and notice.get_content_type() == "multipart/report"
    assert "You asked that this message travel over proven secure connections only" in words_of(notice)
    assert f"\nStatus: {status}\n" in notice.as_string()
    assert "this is letter" not in notice.as_string() and "text/rfc822-headers" in notice.as_string()
    assert anna.has_read_all


async def test_tls_required_no_is_the_answer_send(others: FarPostfix, clock: MockClock, tmp_path: Path) -> None:
    async with unsigned_world(others, tmp_path) as outside, story(tmp_path, clock, outside.world) as anna:
        before = len(others.mails("carol@shady.test"))
        await anna.write("carol@shady.test", fields=[("TLS-Required", "No")])
        await until(lambda: len(others.mails("carol@shady.test")) > before, "the mail")
        assert anna.has_read_all


async def test_nobody_is_asked_about_mail_of_our_own(others: FarPostfix, clock: MockClock, tmp_path: Path) -> None:
    async with unsigned_world(others, tmp_path) as outside, story(tmp_path, clock, outside.world) as anna:
        outside.publish(SELF, "enforce", f"mx.{SELF}")
        notices = [
            enqueue(anna.here.store, f"iris@{domain}", origin="notice", reverse_path="")
            for domain in ("shady.test", "plain.test", SELF)
        ]
        for number in notices:
            await anna.tried(number)
        assert [anna.state(number) for number in notices] == ["DELIVERED", "DELIVERED", "DUE"]
        assert anna.queued(notices[2]).recipients[0].story[-1].why == "policy"
        await anna.days_pass(8)
        await until(lambda: anna.state(notices[2]) == "FAILED", "the end of the third")
        assert anna.has_read_all
