"""Routes: MX and what stands in for it, order, and never back to ourselves."""

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crockery import limits
from crockery.delivery import routes
from crockery.delivery.routes import Host, Ourselves, Unroutable, find_route, smart_host_route
from crockery.net.resolver import MX, Answer, Status
from crockery.smtp.wire import Reply

US = Ourselves(frozenset({"us.test"}), frozenset({"192.0.2.99", "2001:db8::99"}))


class Table:
    """A resolver from dicts: MX as (preference, host), addresses as text; a Status where there is none."""

    def __init__(self, mx: dict[str, list[tuple[int, str]] | Status], addresses: dict[str, str | Status]) -> None:
        self._mx = mx
        self._addresses = addresses

    async def mx(self, name: str) -> Answer[MX]:
        found = self._mx.get(name, Status.NODATA if name in self._addresses else Status.NXDOMAIN)
        if isinstance(found, Status):
            return Answer(found, canonical=name, why="told")
        return Answer(Status.FOUND, tuple(MX(*record) for record in found), 300, name == "signed.test", name)

    async def addresses(self, name: str) -> Answer[str]:
        found = self._addresses.get(name, Status.NXDOMAIN)
        if isinstance(found, Status):
            return Answer(found, canonical=name, why="told")
        return Answer(Status.FOUND, tuple(found.split()), 300, name.startswith("signed"), name)


RESOLVER = Table(
    {
        "a.test": [(20, "two.test"), (10, "one.test"), (10, "other.test")],
        "signed.test": [(0, "signed-mx.test")],
        "null.test": [(0, "")],
        "null-too.test": [(0, ""), (10, "one.test")],
        "fail.test": Status.SERVFAIL,
        "bogus.test": Status.BOGUS,
        "gone.test": [(10, "nobody.test"), (20, "nothing.test")],
        "half.test": [(10, "nobody.test"), (20, "one.test")],
        "half-fail.test": [(10, "unsure.test"), (20, "nobody.test")],
        "fail-then-good.test": [(10, "unsure.test"), (20, "one.test")],
        "literal.test": [(10, "192.0.2.1"), (5, "a b"), (5, "x" * 64)],
        "twice.test": [(20, "ONE.test"), (10, "one.test")],
        "backup.test": [(10, "one.test"), (20, "us.test"), (20, "other.test"), (30, "two.test")],
        "backup-address.test": [(10, "one.test"), (20, "aka.test"), (30, "two.test")],
        "backup-unresolved.test": [(10, "one.test"), (20, "us.test"), (30, "two.test")],
        "loop.test": [(10, "us.test"), (20, "one.test")],
        "loop6.test": [(10, "us6.test")],
        "local.test": [(10, "localhost.test")],
        "any.test": [(10, "any-address.test")],
        "loop-unsure.test": [(10, "unsure.test"), (20, "us.test")],
        "multicast.test": [(10, "multicast-address.test")],
        "many.test": [(number, f"m{number}.test") for number in range(100)],
    },
    {
        "one.test": "192.0.2.1",
        "other.test": "192.0.2.2",
        "two.test": "192.0.2.3",
        "signed-mx.test": "192.0.2.4",
        "nothing.test": Status.NODATA,
        "unsure.test": Status.SERVFAIL,
        "implicit.test": "192.0.2.5 2001:db8::5",
        "implicit-us.test": "192.0.2.99",
        "aka.test": "192.0.2.7 192.0.2.99",
        "us6.test": "2001:db8::99",
        "localhost.test": "127.0.0.2",
        "any-address.test": "0.0.0.0",
        "multicast-address.test": "224.0.0.1",
        "many-addresses.test": " ".join(f"192.0.2.{number}" for number in range(90)),
        **{f"m{number}.test": f"198.51.100.{number}" for number in range(100)},
    },
)


def dice() -> random.Random:
    return random.Random(7)


async def names(domain: str, ourselves: Ourselves = US) -> list[str]:
    return [host.name for host in (await find_route(domain, RESOLVER, ourselves, dice())).hosts]


async def test_preference_and_shuffle() -> None:
    found: Counter[tuple[str, ...]] = Counter()
    source = random.Random(1)
    for _ in range(200):
        route = await find_route("a.test", RESOLVER, US, source)
        found[tuple(host.name for host in route.hosts)] += 1
    assert set(found) == {("one.test", "other.test", "two.test"), ("other.test", "one.test", "two.test")}
    assert min(found.values()) > 60


@pytest.mark.parametrize(
    ("domain", "hosts"),
    [
        ("implicit.test", ["implicit.test"]),
        ("null-too.test", ["one.test"]),
        ("half.test", ["one.test"]),
        ("fail-then-good.test", ["one.test"]),
        ("twice.test", ["one.test"]),
        ("backup.test", ["one.test"]),
        ("backup-address.test", ["one.test"]),
        ("backup-unresolved.test", ["one.test"]),
        ("many.test", [f"m{number}.test" for number in range(limits.MAX_MX_HOSTS)]),
        ("[192.0.2.1]", ["192.0.2.1"]),
        ("[IPv6:2001:db8::1]", ["2001:db8::1"]),
    ],
)
async def test_hosts(domain: str, hosts: list[str]) -> None:
    assert await names(domain) == hosts


@pytest.mark.parametrize(
    ("domain", "reply"),
    [
        ("nowhere.test", routes.NO_DOMAIN),
        ("null.test", routes.NULL_MX),
        ("nothing.test", routes.NO_ROUTE),
        ("gone.test", routes.NO_ROUTE),
        ("literal.test", routes.NO_ROUTE),
        ("multicast.test", routes.NO_ROUTE),
        ("fail.test", routes.DNS_FAILED),
        ("bogus.test", routes.DNS_FAILED),
        ("unsure.test", routes.DNS_FAILED),
        ("half-fail.test", routes.DNS_FAILED),
        ("loop-unsure.test", routes.DNS_FAILED),
        ("loop.test", routes.LOOP),
        ("loop6.test", routes.LOOP),
        ("local.test", routes.LOOP),
        ("any.test", routes.LOOP),
        ("implicit-us.test", routes.LOOP),
        ("[192.0.2.99]", routes.LOOP),
        ("[127.0.0.1]", routes.LOOP),
        ("[IPv6:::1]", routes.LOOP),
        ("[224.0.0.1]", routes.BAD_LITERAL),
        ("[255.255.255.255]", routes.BAD_LITERAL),
        ("[x]", routes.BAD_LITERAL),
    ],
)
async def test_no_way(domain: str, reply: Reply) -> None:
    with pytest.raises(Unroutable) as refused:
        await find_route(domain, RESOLVER, US, dice())
    assert refused.value.reply is reply
    assert refused.value.is_permanent is (reply is not routes.DNS_FAILED)


async def test_loopback_is_not_ourselves_where_mail_goes_to_another_port() -> None:
    elsewhere = Ourselves(frozenset({"us.test"}), loopback=False)
    assert await names("local.test", elsewhere) == ["localhost.test"]
    assert await names("[127.0.0.1]", elsewhere) == ["127.0.0.1"]


async def test_what_is_known_of_a_host_and_a_route() -> None:
    route = await find_route("signed.test", RESOLVER, US, dice())
    assert route.secure and route.ttl == 300
    assert route.hosts == (Host("signed-mx.test", 0, ("192.0.2.4",), True, "signed-mx.test"),)
    assert not (await find_route("a.test", RESOLVER, US, dice())).secure


async def test_both_families_by_turns() -> None:
    first = {(await find_route("implicit.test", RESOLVER, US, random.Random(n))).hosts[0].addresses for n in range(9)}
    assert first == {("2001:db8::5", "192.0.2.5")}
    many = (await find_route("many-addresses.test", RESOLVER, Ourselves(), dice())).hosts[0].addresses
    assert len(many) == limits.MAX_HOST_ADDRESSES


async def test_a_smart_host_is_asked_for_no_mx() -> None:
    assert (await smart_host_route("a.test", Table({}, {"a.test": "192.0.2.1"}), dice())).hosts[0].name == "a.test"
    assert (await smart_host_route("192.0.2.8", RESOLVER, dice())).hosts[0].addresses == ("192.0.2.8",)
    for name, reply in (("nobody.test", routes.NO_ROUTE), ("unsure.test", routes.DNS_FAILED)):
        with pytest.raises(Unroutable) as refused:
            await smart_host_route(name, RESOLVER, dice())
        assert refused.value.reply is reply


@given(
    preferences=st.lists(st.integers(0, 5), min_size=1, max_size=8),
    ours=st.sets(st.integers(0, 7), max_size=3),
    seed=st.integers(0, 100),
)
async def test_the_order_is_that_of_preference_and_nothing_is_behind_us(
    preferences: list[int], ours: set[int], seed: int
) -> None:
    hosts = [(preference, f"h{number}.test") for number, preference in enumerate(preferences)]
    addresses: dict[str, str | Status] = {name: f"192.0.2.{number}" for number, (_, name) in enumerate(hosts)}
    us = Ourselves(addresses=frozenset(f"192.0.2.{number}" for number in ours))
    best = min((preferences[number] for number in ours if number < len(preferences)), default=6)
    expected = sorted(preference for preference in preferences if preference < best)
    try:
        route = await find_route("x.test", Table({"x.test": hosts}, addresses), us, random.Random(seed))
    except Unroutable as refused:
        assert refused.reply is routes.LOOP and not expected
        return
    assert [host.preference for host in route.hosts] == expected
    assert len({host.name for host in route.hosts}) == len(expected)
