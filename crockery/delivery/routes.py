"""Where mail for a domain goes: its MX hosts, best first, with their addresses.

RFC 5321 §5.1 (MX, and address records where there is none; never back to ourselves), §4.1.3 (address literals), RFC
7505 (null MX), RFC 3974 §3 (IPv6 and IPv4). Invariant: a route has at least one host, every host at least one address,
and none of them is ourselves or is preferred less than we are, so that no mail goes round in circles.
"""

import dataclasses
import ipaddress
import itertools
import random
from typing import Final, Protocol

import trio

from crockery import limits
from crockery.net.resolver import MX, Answer, Status
from crockery.smtp.wire import AddressError, Reply, normalise_domain

NULL_MX: Final = Reply(556, "5.1.10", "The domain accepts no mail (null MX)")
NO_DOMAIN: Final = Reply(550, "5.1.2", "The domain does not exist")
NO_ROUTE: Final = Reply(550, "5.4.4", "The domain has no mail server")
LOOP: Final = Reply(550, "5.4.6", "The domain's mail comes back to this server, which does not know it")
DNS_FAILED: Final = Reply(451, "4.4.3", "The domain's mail servers cannot be found at the moment")
BAD_LITERAL: Final = Reply(550, "5.1.2", "The address is not one that mail can be sent to")


class Unroutable(Exception):
    """There is no way now, or for ever: `reply` says which, in our own words; `detail` what the DNS said."""

    def __init__(self, reply: Reply, detail: str = "") -> None:
        super().__init__(f"{reply.text}{': ' if detail else ''}{detail}")
        self.reply = reply
        self.detail = detail

    @property
    def is_permanent(self) -> bool:
        """Whether trying again makes no sense."""
        return self.reply.code >= 500


class Resolver(Protocol):
    """The part of the resolver that is needed."""

    async def mx(self, name: str) -> Answer[MX]:
        """MX records."""

    async def addresses(self, name: str) -> Answer[str]:
        """IPv6 and IPv4 addresses as text."""


@dataclasses.dataclass(frozen=True, slots=True)
class Host:
    """A mail server: `name` in A-labels, or an address for an address literal; `addresses` in the order to try.

    `secure`: the addresses are validated by DNSSEC; `canonical` is the name behind aliases.
    """

    name: str
    preference: int
    addresses: tuple[str, ...]
    secure: bool = False
    canonical: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Route:
    """`hosts` in the order to try; `secure`: DNSSEC has validated that these are the domain's; `ttl` in seconds."""

    domain: str
    hosts: tuple[Host, ...]
    secure: bool
    ttl: int


@dataclasses.dataclass(frozen=True, slots=True)
class Ourselves:
    """Names (A-labels) and addresses under which we get mail. `loopback`: addresses of this machine lead to us too;
    not so where mail goes out to another port, or for trials."""

    names: frozenset[str] = frozenset()
    addresses: frozenset[str] = frozenset()
    loopback: bool = True

    def has(self, host: Host) -> bool:
        """Whether `host` is ourselves, by name or by any address."""
        return host.name in self.names or any(self._has_address(address) for address in host.addresses)

    def _has_address(self, text: str) -> bool:
        address = ipaddress.ip_address(text)
        return text in self.addresses or address.is_unspecified or (self.loopback and address.is_loopback)


async def find_route(domain: str, resolver: Resolver, ourselves: Ourselves, source: random.Random) -> Route:
    """The route to `domain`: A-labels, or an address literal with its brackets. Raises Unroutable.

    Hosts of equal preference come in an order that `source` makes, and so do the addresses of each host.
    """
    if domain.startswith("["):
        return _literal_route(domain, ourselves)
    answer = await resolver.mx(domain)
    if answer.is_temporary:
        raise Unroutable(DNS_FAILED, answer.why or answer.status.value)
    if answer.status is Status.NXDOMAIN:
        raise Unroutable(NO_DOMAIN, answer.why)
    if answer.is_found:
        wanted = _wanted(answer.records)
    else:
        wanted = [MX(0, answer.canonical or domain)]  # RFC 5321 section 5.1: the implicit MX
    hosts, failures = await _resolve(wanted, resolver, source)
    ours = _our_preference(wanted, hosts, ourselves)
    kept = tuple(host for host in hosts if ours is None or host.preference < ours)
    if ours is not None and not kept and not any(answer.is_temporary for answer in failures):
        raise Unroutable(LOOP)
    if not kept:
        temporary = next((failure for failure in failures if failure.is_temporary), None)
        raise Unroutable(DNS_FAILED if temporary else NO_ROUTE, temporary.why if temporary else "")
    return Route(domain, kept, answer.secure, answer.ttl)


async def smart_host_route(name: str, resolver: Resolver, source: random.Random) -> Route:
    """The route by a smart host, a domain or an address, which is asked for no MX. Raises Unroutable."""
    try:
        return Route(name, (Host(name, 0, (str(ipaddress.ip_address(name)),)),), False, limits.DNS_MAX_TTL)
    except ValueError:
        hosts, failures = await _resolve([MX(0, name)], resolver, source)
    if not hosts:
        temporary = any(failure.is_temporary for failure in failures)
        raise Unroutable(DNS_FAILED if temporary else NO_ROUTE, f"smart host {name}")
    return Route(name, tuple(hosts), False, limits.DNS_MAX_TTL)


def _literal_route(domain: str, ourselves: Ourselves) -> Route:
    try:
        address = ipaddress.ip_address(domain[1:-1].removeprefix("IPv6:"))
    except ValueError as error:
        raise Unroutable(BAD_LITERAL) from error
    host = Host(str(address), 0, (str(address),))
    if ourselves.has(host):
        raise Unroutable(LOOP)
    if address.is_multicast or str(address) == "255.255.255.255":
        raise Unroutable(BAD_LITERAL)
    return Route(domain, (host,), False, limits.DNS_MAX_TTL)


def _wanted(records: tuple[MX, ...]) -> list[MX]:
    """The hosts to look up, best first, each name once. Raises Unroutable for a null MX (RFC 7505 section 3)."""
    if all(not record.host for record in records):
        raise Unroutable(NULL_MX)
    best: dict[str, MX] = {}
    for record in sorted(records):
        try:
            name = normalise_domain(record.host)
        except AddressError:
            continue  # the root beside others, and names that no host can have
        best.setdefault(name, MX(record.preference, name))
    return list(best.values())[: limits.MAX_MX_HOSTS]


async def _resolve(wanted: list[MX], resolver: Resolver, source: random.Random) -> tuple[list[Host], list[Answer[str]]]:
    """The hosts that have addresses, in the order to try, and the answers that had none."""
    answers: dict[str, Answer[str]] = {}

    async def look_up(name: str) -> None:
        answers[name] = await resolver.addresses(name)

    async with trio.open_nursery() as nursery:
        for mx in wanted:
            nursery.start_soon(look_up, mx.host)
    hosts = []
    for mx in wanted:
        answer = answers[mx.host]
        addresses = _order(answer.records, source)
        if addresses:
            hosts.append(Host(mx.host, mx.preference, addresses, answer.secure, answer.canonical or mx.host))
    source.shuffle(hosts)
    hosts.sort(key=lambda host: host.preference)
    return hosts, [answer for answer in answers.values() if not answer.is_found]


def _order(addresses: tuple[str, ...], source: random.Random) -> tuple[str, ...]:
    """IPv6 and IPv4 by turns, so that a broken one of the two costs one attempt and not all; each kind shuffled."""
    usable = [address for address in addresses if not ipaddress.ip_address(address).is_multicast]
    source.shuffle(usable)
    six = [address for address in usable if ":" in address]
    four = [address for address in usable if ":" not in address]
    turns = itertools.chain.from_iterable(itertools.zip_longest(six, four))
    return tuple(address for address in turns if address)[: limits.MAX_HOST_ADDRESSES]


def _our_preference(wanted: list[MX], hosts: list[Host], ourselves: Ourselves) -> int | None:
    """The best preference under which we are listed; only better hosts may be used (RFC 5321 section 5.1)."""
    named = [mx.preference for mx in wanted if mx.host in ourselves.names]
    return min([*named, *(host.preference for host in hosts if ourselves.has(host))], default=None)
