"""DNSSEC by libunbound against NSD: what is secure, what is not, and what is bogus."""

from collections.abc import AsyncIterator, Iterator

import pytest
import trio

from crockery.net.resolver import MX, TLSA, Resolver, Status, open_resolver
from tests.support.dns_server import SignedDNS, signed_dns, skip_without_dnssec
from tests.support.waiting import PATIENCE

SIGNED = """
@ IN MX 10 Mail
@ IN MX 20 elsewhere.plain.test.
mail IN A 192.0.2.1
mail IN AAAA 2001:db8::1
_25._tcp.mail IN TLSA 3 1 1 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
alias IN CNAME mail
away IN CNAME elsewhere.plain.test.
text IN TXT "v=one" "two"
forged IN A 192.0.2.66 ;tamper
_25._tcp.forged IN TXT forge ;tamper
"""
PLAIN = """
@ IN MX 10 elsewhere
elsewhere IN A 192.0.2.2
back IN CNAME mail.signed.test.
"""


@pytest.fixture(scope="module")
def zones(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SignedDNS]:
    skip_without_dnssec()
    with signed_dns(tmp_path_factory.mktemp("dns"), {"signed.test": SIGNED}, {"plain.test": PLAIN}) as served:
        yield served


@pytest.fixture
async def resolver(zones: SignedDNS) -> AsyncIterator[Resolver]:
    with trio.fail_after(PATIENCE):
        async with open_resolver([zones.server], anchors=zones.anchors) as opened:
            yield opened


async def test_a_signed_zone_is_secure(resolver: Resolver) -> None:
    mx = await resolver.mx("Signed.Test.")
    assert (mx.status, mx.secure, mx.canonical) == (Status.FOUND, True, "signed.test")
    assert sorted(mx.records) == [MX(10, "mail.signed.test"), MX(20, "elsewhere.plain.test")]
    assert 0 < mx.ttl <= 300
    addresses = await resolver.addresses("mail.signed.test")
    assert (addresses.records, addresses.secure) == (("2001:db8::1", "192.0.2.1"), True)
    tlsa = await resolver.tlsa("_25._tcp.mail.signed.test")
    assert (tlsa.records, tlsa.secure) == ((TLSA(3, 1, 1, bytes.fromhex("0123456789abcdef" * 4)),), True)
    text = await resolver.txt("text.signed.test")
    assert (text.records, text.secure) == ((b"v=onetwo",), True)


async def test_absence_is_proven(resolver: Resolver) -> None:
    nobody = await resolver.tlsa("_25._tcp.nobody.signed.test")
    assert (nobody.status, nobody.secure) == (Status.NXDOMAIN, True)
    nothing = await resolver.tlsa("mail.signed.test")
    assert (nothing.status, nothing.secure) == (Status.NODATA, True)


async def test_an_alias_is_as_secure_as_its_weakest_step(resolver: Resolver) -> None:
    near = await resolver.addresses("alias.signed.test")
    assert (near.secure, near.canonical) == (True, "mail.signed.test")
    away = await resolver.addresses("away.signed.test")
    assert (away.records, away.secure, away.canonical) == (("192.0.2.2",), False, "elsewhere.plain.test")
    assert (await resolver.addresses("back.plain.test")).secure is False
    alias = await resolver.alias("away.signed.test")
    assert (alias.records, alias.secure) == (("elsewhere.plain.test",), True)


async def test_an_unsigned_zone_is_found_and_not_secure(resolver: Resolver) -> None:
    mx = await resolver.mx("plain.test")
    assert (mx.status, mx.secure, len(mx.records)) == (Status.FOUND, False, 1)


async def test_what_was_changed_on_the_way_is_bogus(resolver: Resolver) -> None:
    for answer in (await resolver.addresses("forged.signed.test"), await resolver.txt("_25._tcp.forged.signed.test")):
        assert (answer.status, answer.records, answer.secure) == (Status.BOGUS, (), False)
        assert answer.is_temporary and answer.why


async def test_another_trust_anchor_makes_all_bogus(zones: SignedDNS) -> None:
    anchor = zones.anchors[0][:-4] + ("0000" if not zones.anchors[0].endswith("0000") else "1111")
    with trio.fail_after(PATIENCE):
        async with open_resolver([zones.server], anchors=[anchor]) as resolver:
            assert (await resolver.mx("signed.test")).status is Status.BOGUS


async def test_who_stops_waiting_and_who_closes_early(zones: SignedDNS) -> None:
    with trio.fail_after(PATIENCE):
        async with open_resolver([zones.server], anchors=zones.anchors) as resolver:
            with trio.move_on_after(0):
                await resolver.mx("signed.test")
            assert (await resolver.mx("signed.test")).secure
        async with open_resolver([zones.server], anchors=zones.anchors) as resolver, trio.open_nursery() as nursery:
            for number in range(20):
                nursery.start_soon(resolver.mx, f"x{number}.signed.test")
            await trio.lowlevel.checkpoint()
            nursery.cancel_scope.cancel()


async def test_without_the_library_a_server_that_does_not_validate_is_not_believed(zones: SignedDNS) -> None:
    with trio.fail_after(PATIENCE):
        async with open_resolver([zones.server], validate=False) as resolver:
            mx = await resolver.mx("signed.test")
            assert (mx.status, mx.secure) == (Status.FOUND, False)
            assert (await resolver.addresses("away.signed.test")).records == ("192.0.2.2",)
            assert (await resolver.addresses("nobody.signed.test")).status is Status.NXDOMAIN


async def test_while_the_root_cannot_be_validated_there_is_no_dnssec_and_mail_goes_on(zones: SignedDNS) -> None:
    with trio.fail_after(PATIENCE):
        async with open_resolver([zones.server]) as resolver:
            mx = await resolver.mx("signed.test")
            assert (mx.status, mx.secure) == (Status.FOUND, False)
