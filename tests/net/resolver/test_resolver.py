"""The resolver over servers that follow a script: kinds of answer, failures, the cache, questions asked once."""

import socket
from collections.abc import AsyncIterator, Callable

import dns.edns
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import pytest
import trio
from trio.testing import MockClock

from crockery import limits
from crockery.net.resolver import MX, Answer, Resolver, Server, Status, open_resolver
from crockery.net.resolver.answers import failed
from crockery.net.resolver.cache import Cache
from crockery.net.resolver.forwarder import Raw
from tests.support.dns_server import Responder, ScriptedDNS, scripted_dns
from tests.support.waiting import PATIENCE


def rcode(code: dns.rcode.Rcode, ede: dns.edns.EDECode | None = None) -> Responder:
    """A server that fails with this code, and an extended one."""

    def respond(query: dns.message.Message) -> dns.message.Message:
        response = dns.message.make_response(query)
        response.set_rcode(code)
        if ede is not None:
            response.use_edns(0, options=[dns.edns.EDEOption(ede, "told")])
        return response

    return respond


def looped(query: dns.message.Message) -> dns.message.Message:
    response = dns.message.make_response(query)
    response.answer.append(dns.rrset.from_text("loop.test.", 300, "IN", "CNAME", "pool.test."))
    response.answer.append(dns.rrset.from_text("pool.test.", 300, "IN", "CNAME", "loop.test."))
    return response


RECORDS: dict[tuple[str, str], list[str] | Responder] = {
    ("a.test", "MX"): ["10 Mail.A.test.", "0 ."],
    ("a.test", "TXT"): ['"one" "two"', '"\\000\\255"'],
    ("mail.a.test", "A"): ["192.0.2.1"],
    ("half.test", "A"): ["192.0.2.3"],
    ("half.test", "AAAA"): rcode(dns.rcode.SERVFAIL),
    ("step.test", "CNAME"): ["mail.a.test."],
    ("loop.test", "A"): looped,
    ("loop.test", "AAAA"): looped,
    ("one.test", "CNAME"): ["two.test."],
    ("two.test", "CNAME"): ["one.test."],
    ("fail.test", "MX"): rcode(dns.rcode.SERVFAIL),
    ("refused.test", "MX"): rcode(dns.rcode.REFUSED),
    ("bogus.test", "MX"): rcode(dns.rcode.SERVFAIL, dns.edns.EDECode.DNSSEC_BOGUS),
    ("garbage.test", "MX"): lambda query: b"garbage",
    ("silent.test", "MX"): lambda query: None,
    ("big.test", "TXT"): [f'"{number:03}{"x" * 200}"' for number in range(60)],
    ("many.test", "TXT"): [f'"{number}"' for number in range(limits.DNS_MAX_RECORDS + 50)],
    ("xn--mller-kva.test", "MX"): ["10 mail.a.test."],
}


@pytest.fixture
async def served() -> AsyncIterator[ScriptedDNS]:
    with trio.fail_after(PATIENCE):
        async with scripted_dns(RECORDS) as dns_server:
            yield dns_server


@pytest.fixture
async def resolver(served: ScriptedDNS) -> AsyncIterator[Resolver]:
    async with open_resolver([served.server], validate=False) as opened:
        yield opened


async def test_records(resolver: Resolver) -> None:
    mx = await resolver.mx("A.test.")
    assert set(mx.records) == {MX(10, "mail.a.test"), MX(0, "")}
    assert (mx.status, mx.secure, mx.ttl) == (Status.FOUND, False, 300)
    assert set((await resolver.txt("a.test")).records) == {b"onetwo", b"\0\xff"}
    assert (await resolver.addresses("mail.a.test")).records == ("192.0.2.1",)
    assert (await resolver.mx("Müller.test")).is_found


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("mail.a.test", Status.NODATA),
        ("nobody.test", Status.NXDOMAIN),
        ("fail.test", Status.SERVFAIL),
        ("refused.test", Status.SERVFAIL),
        ("bogus.test", Status.BOGUS),
        ("a..test", Status.NXDOMAIN),
        ("x" * 64 + ".test", Status.NXDOMAIN),
        (".".join(["x" * 60] * 5), Status.NXDOMAIN),
        ("\ud800.test", Status.NXDOMAIN),
        ("a\\.test", Status.NXDOMAIN),
        ("", Status.NXDOMAIN),
    ],
)
async def test_kinds(resolver: Resolver, name: str, status: Status) -> None:
    answer = await resolver.mx(name)
    assert (answer.status, answer.records) == (status, ())
    assert answer.is_temporary is (status in (Status.SERVFAIL, Status.BOGUS))


async def test_aliases(resolver: Resolver, served: ScriptedDNS) -> None:
    answer = await resolver.addresses("step.test")
    assert (answer.records, answer.canonical) == (("192.0.2.1",), "mail.a.test")
    assert (await resolver.addresses("loop.test")).status is Status.SERVFAIL
    assert (await resolver.mx("one.test")).status is Status.SERVFAIL
    assert len(served.questions) < 40


async def test_one_family_failing_leaves_the_other(resolver: Resolver) -> None:
    assert (await resolver.addresses("half.test")).records == ("192.0.2.3",)


async def test_long_answers_come_over_tcp_and_are_bounded(resolver: Resolver) -> None:
    assert len((await resolver.txt("big.test")).records) == 60
    assert len((await resolver.txt("many.test")).records) == limits.DNS_MAX_RECORDS


async def test_silence_and_garbage_are_temporary(served: ScriptedDNS, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "DNS_SERVER_TIMEOUT", 0.05)
    async with open_resolver([served.server], validate=False) as resolver:
        for name in ("silent.test", "garbage.test"):
            assert (await resolver.mx(name)).status is Status.SERVFAIL
    assert served.questions == ["silent.test MX"] * 2 + ["garbage.test MX"] * 2


async def test_the_next_server_is_asked_where_one_fails(served: ScriptedDNS, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "DNS_SERVER_TIMEOUT", 0.5)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    failing: dict[tuple[str, str], list[str] | Responder] = {("a.test", "MX"): rcode(dns.rcode.SERVFAIL)}
    async with scripted_dns(failing) as bad:
        servers = [Server("127.0.0.1", port), bad.server, served.server]
        async with open_resolver(servers, validate=False) as resolver:
            assert (await resolver.mx("a.test")).is_found


@pytest.mark.parametrize(
    ("trusted", "flag", "secure"), [(True, True, True), (True, False, False), (False, True, False)]
)
async def test_the_ad_bit_counts_from_trusted_servers(trusted: bool, flag: bool, secure: bool) -> None:
    flags = int(dns.flags.AD) if flag else 0
    with trio.fail_after(PATIENCE):
        async with (
            scripted_dns(RECORDS, trusted=trusted, flags=flags) as dns_server,
            open_resolver([dns_server.server], validate=False) as resolver,
        ):
            assert (await resolver.mx("a.test")).secure is secure
            assert (await resolver.addresses("step.test")).secure is secure
            assert (await resolver.tlsa("nobody.test")).secure is secure


# --- the cache, and questions under way ---


class Counting:
    """A backend that counts, and waits to be let go on."""

    def __init__(self, answer: Callable[[], Raw]) -> None:
        self.asked = 0
        self.gate = trio.Event()
        self.answer = answer

    async def ask(self, name: dns.name.Name, rdtype: dns.rdatatype.RdataType) -> Raw:
        self.asked += 1
        await self.gate.wait()
        return self.answer()


FOUND: Raw = Answer(Status.FOUND, (dns.rdata.from_text("IN", "TXT", "x"),), 300, False, "x")


async def test_many_want_one_answer_and_one_question_is_asked(nursery: trio.Nursery) -> None:
    backend = Counting(lambda: FOUND)
    resolver = Resolver(backend, nursery)
    found: list[Answer[bytes]] = []

    async def want(scope: trio.CancelScope) -> None:
        with scope:
            found.append(await resolver.txt("x.test"))

    scopes = [trio.CancelScope() for _ in range(5)]
    async with trio.open_nursery() as wanting:
        for scope in scopes:
            wanting.start_soon(want, scope)
        await trio.testing.wait_all_tasks_blocked()
        scopes[0].cancel()  # whoever was first goes away: the others still get their answer
        await trio.testing.wait_all_tasks_blocked()
        backend.gate.set()
    assert (backend.asked, len(found)) == (1, 4)
    assert (await resolver.txt("X.TEST.")).records == (b"x",)
    assert backend.asked == 1


@pytest.mark.parametrize(
    ("answer", "kept"),
    [
        (FOUND, 300),
        (Answer(Status.FOUND, FOUND.records, 10**9), limits.DNS_MAX_TTL),
        (Answer(Status.FOUND, FOUND.records, 0), 0),
        (Answer(Status.NXDOMAIN, (), 10**6), limits.DNS_MAX_NEGATIVE_TTL),
        (Answer(Status.NODATA, (), 7), 7),
        (failed("x"), limits.DNS_FAILURE_TTL),
        (Answer(Status.BOGUS, (), 10**6), limits.DNS_FAILURE_TTL),
    ],
    ids=["found", "found for ever", "found for now", "no name", "no records", "failed", "bogus"],
)
async def test_answers_are_kept_for_their_time(nursery: trio.Nursery, answer: Raw, kept: int) -> None:
    now = 1000.0
    backend = Counting(lambda: answer)
    backend.gate.set()
    resolver = Resolver(backend, nursery, now=lambda: now)
    first = await resolver.txt("x.test")
    assert first.ttl == kept
    now += kept - 0.5
    assert await resolver.txt("x.test") == first
    assert backend.asked == (1 if kept else 2)
    now += 1
    await resolver.txt("x.test")
    assert backend.asked == (2 if kept else 3)


async def test_a_question_ends_in_time(nursery: trio.Nursery, autojump_clock: MockClock) -> None:
    backend = Counting(lambda: FOUND)
    start = trio.current_time()
    assert (await Resolver(backend, nursery).txt("x.test")).status is Status.SERVFAIL
    assert trio.current_time() - start == limits.DNS_TIMEOUT


async def test_a_defect_of_ours_is_one_failed_question(nursery: trio.Nursery, caplog: pytest.LogCaptureFixture) -> None:
    backend = Counting(lambda: 1 // 0)  # type: ignore[arg-type,return-value]
    backend.gate.set()
    assert (await Resolver(backend, nursery).txt("x.test")).status is Status.SERVFAIL
    assert "defect" in caplog.text


def test_the_cache_is_bounded_and_forgets_what_was_not_used() -> None:
    cache: Cache[int, str] = Cache(3)
    for number in range(3):
        cache.put(number, Answer(Status.FOUND, ("x",), 100), 0)
    assert cache.get(0, 1)
    cache.put(3, Answer(Status.FOUND, ("x",), 100), 1)
    assert [cache.get(number, 2) is not None for number in range(4)] == [True, False, True, True]
    assert cache.get(0, 100) is None
    assert len(cache) == 2
