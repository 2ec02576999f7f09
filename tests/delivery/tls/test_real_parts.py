"""The whole way to a verdict with real parts: NSD and libunbound, TLS servers, an HTTPS server with its policy."""

import functools
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio

from crockery.delivery.routes import Ourselves, find_route
from crockery.delivery.tls.certificates import Roots
from crockery.delivery.tls.dane import State
from crockery.delivery.tls.faults import Fault
from crockery.delivery.tls.lookup import find_dane, find_sts
from crockery.delivery.tls.verify import HostPolicy, How, Question, Verdict, judge
from crockery.net import https
from crockery.net.https import Page
from crockery.net.resolver import Resolver, open_resolver
from crockery.net.tls_client import connect, handshake, unverified_context
from tests.support.certificates import DAY, Made, make, tlsa
from tests.support.dns_server import SignedDNS, signed_dns, skip_without_dnssec
from tests.support.tls_server import tls_server
from tests.support.waiting import PATIENCE

NOW = int(time.time())
make_now = functools.partial(make, begin=NOW - DAY, end=NOW + DAY)
ROOT = make_now(ca=True, common_name="Root")
MIDDLE = make_now(ca=True, common_name="Middle", signer=ROOT)
ROOTS = Roots.of([ROOT.der])
US = Ourselves(loopback=False)


def mx(name: str, signer: Made | None = MIDDLE) -> Made:
    return make_now(name, signer=signer)


GOOD = mx("good.signed.test", None)
HOSTS = {
    "good": GOOD,
    "ta": mx("ta.signed.test"),
    "wrong": mx("wrong.signed.test"),
    "unusable": mx("unusable.signed.test"),
    "none": mx("none.signed.test"),
    "forged": mx("forged.signed.test"),
}


def record(name: str, usage: int, of: Made, mark: str = "") -> str:
    found = tlsa(of.der, usage)
    return f"_25._tcp.{name} IN TLSA {usage} 1 1 {found.data.hex()} {mark}"


SIGNED = "\n".join(
    [
        *(f"{name} IN A 127.0.0.1\nto-{name} IN MX 10 {name}" for name in HOSTS),
        record("good", 3, GOOD),
        record("ta", 2, MIDDLE),
        record("wrong", 3, GOOD),
        record("unusable", 1, HOSTS["unusable"]),
        record("forged", 3, HOSTS["forged"], ";tamper"),
    ]
)
PLAIN = """
@ IN MX 10 mx
mx IN A 127.0.0.1
hosted IN MX 10 good.signed.test.
_mta-sts IN TXT "v=STSv1; id=1"
mta-sts IN A 127.0.0.1
"""


@pytest.fixture(scope="module")
def zones(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SignedDNS]:
    skip_without_dnssec()
    with signed_dns(tmp_path_factory.mktemp("dns"), {"signed.test": SIGNED}, {"plain.test": PLAIN}) as served:
        yield served


async def verdict(domain: str, shown: Made, resolver: Resolver, folder: Path) -> Verdict | State:
    """The verdict on the first host of `domain`, which shows this chain."""
    route = await find_route(domain, resolver, US, random.Random(1))
    host = route.hosts[0]
    found = await find_dane(host, resolver)
    if found.state is State.FAILED:
        return found.state
    policy = HostPolicy(domain=domain, host=host.name, mx_secure=route.secure, dane=found)
    async with tls_server(shown.server_context(folder)) as served:
        connection = await connect(host.addresses[0], served.port)
        peer = await handshake(connection, policy.server_name, unverified_context())
        connection.hang_up()
    return judge(policy, peer, ROOTS, NOW)


@pytest.mark.parametrize(
    ("domain", "host", "expected", "mx_proven"),
    [
        ("to-good.signed.test", "good", How.DANE, True),
        ("hosted.plain.test", "good", How.DANE, False),
        ("to-ta.signed.test", "ta", How.DANE, True),
        ("to-wrong.signed.test", "wrong", Question.POLICY, True),
        ("to-unusable.signed.test", "unusable", How.PKIX, True),
        ("to-none.signed.test", "none", How.PKIX, True),
        ("to-none.signed.test", "good", Question.UNVERIFIED, True),
        ("to-forged.signed.test", "forged", State.FAILED, True),
    ],
)
async def test_dane(
    zones: SignedDNS, tmp_path: Path, domain: str, host: str, expected: How | Question | State, mx_proven: bool
) -> None:
    with trio.fail_after(PATIENCE):
        async with open_resolver([zones.server], anchors=zones.anchors) as resolver:
            found = await verdict(domain, HOSTS[host], resolver, tmp_path)
    if isinstance(found, State):
        assert found is expected
    else:
        assert (found.how or found.question, found.mx_proven) == (expected, mx_proven)


@pytest.mark.parametrize(
    ("pattern", "signer", "expected"),
    [
        ("*.plain.test", MIDDLE, How.MTA_STS),
        ("*.plain.test", None, Fault.SELF_SIGNED),
        ("mx.elsewhere.test", MIDDLE, Fault.MX_NOT_NAMED),
    ],
)
async def test_mta_sts(
    zones: SignedDNS, tmp_path: Path, pattern: str, signer: Made | None, expected: How | Fault
) -> None:
    body = f"version: STSv1\nmode: enforce\nmx: {pattern}\nmax_age: 1000\n".encode()
    answer = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
    trusting = https.verifying_context(ROOT.der)
    with trio.fail_after(PATIENCE):
        async with (
            open_resolver([zones.server], anchors=zones.anchors) as resolver,
            tls_server(mx("mta-sts.plain.test").server_context(tmp_path), [answer]) as web,
            tls_server(mx("mx.plain.test", signer).server_context(tmp_path)) as mail,
        ):

            async def fetch(host: str, path: str) -> Page:
                return await https.get(
                    host, path, resolver=resolver, context=trusting, port=web.port, allow_private=True
                )

            sts = await find_sts("plain.test", None, resolver, fetch, NOW)
            route = await find_route("plain.test", resolver, US, random.Random(1))
            connection = await connect("127.0.0.1", mail.port)
            peer = await handshake(connection, route.hosts[0].name, unverified_context())
            connection.hang_up()
    policy = HostPolicy(domain="plain.test", host=route.hosts[0].name, sts=sts.policy)
    found = judge(policy, peer, ROOTS, NOW)
    assert (found.how or found.fault) is expected
    assert found.question is (None if found.how else Question.POLICY)
