"""The one resolver of the server: typed answers, cached, asked once however many want them.

Invariant: no question raises or outlasts `limits.DNS_TIMEOUT`; whoever stops waiting does not disturb the others who
wait for the same answer, for the question is asked by a task of the resolver's own.
"""

import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, Final, Protocol, TypeVar

import dns.exception
import dns.name
import dns.rdata
import dns.rdatatype
import idna
import trio

from crockery import limits
from crockery.net.resolver.answers import MX, TLSA, Answer, Status, failed
from crockery.net.resolver.cache import Cache, bounded_ttl
from crockery.net.resolver.forwarder import Forwarder, Raw
from crockery.net.resolver.servers import Server, system_servers
from crockery.net.resolver.unbound import ROOT_ANCHORS, Unbound, UnboundMissing

logger: Final = logging.getLogger(__name__)
T = TypeVar("T")


class Backend(Protocol):
    """Whoever finds answers."""

    async def ask(self, name: dns.name.Name, rdtype: dns.rdatatype.RdataType) -> Raw:
        """The answer, aliases followed. The caller has a deadline."""


class _Flight:
    """A question under way."""

    __slots__ = ("answer", "done")

    def __init__(self) -> None:
        self.done = trio.Event()
        self.answer: Raw = failed("the resolver was stopped")


class Resolver:
    """Ask by `mx`, `addresses`, `txt`, `tlsa`, `alias`. Names are domains in any form: with or without final dot,
    U-labels or A-labels; what is no domain name does not exist."""

    def __init__(
        self,
        backend: Backend,
        nursery: trio.Nursery,
        *,
        now: Callable[[], float] = trio.current_time,
        cache_size: int = limits.DNS_CACHE_SIZE,
    ) -> None:
        """Questions run in `nursery`. `now` is a clock in seconds that does not go back."""
        self._backend = backend
        self._nursery = nursery
        self._now = now
        self._limiter = trio.CapacityLimiter(limits.DNS_QUERIES)
        self._cache: Cache[tuple[dns.name.Name, int], dns.rdata.Rdata] = Cache(cache_size)
        self._flights: dict[tuple[dns.name.Name, int], _Flight] = {}

    async def mx(self, name: str) -> Answer[MX]:
        """The MX records, as they came (RFC 5321 section 5.1)."""
        return _typed(await self._ask(name, dns.rdatatype.MX), lambda mx: MX(mx.preference, _host(mx.exchange)))

    async def addresses(self, name: str) -> Answer[str]:
        """IPv6 and IPv4 addresses as text. Where one of the two questions fails, the other's answer counts."""
        found: dict[dns.rdatatype.RdataType, Raw] = {}

        async def ask(rdtype: dns.rdatatype.RdataType) -> None:
            found[rdtype] = await self._ask(name, rdtype)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(ask, dns.rdatatype.AAAA)
            nursery.start_soon(ask, dns.rdatatype.A)
        six, four = (
            _typed(found[rdtype], lambda a: str(a.address)) for rdtype in (dns.rdatatype.AAAA, dns.rdatatype.A)
        )
        return joined(six, four)

    async def txt(self, name: str) -> Answer[bytes]:
        """TXT records, the strings of each joined without anything between them."""
        return _typed(await self._ask(name, dns.rdatatype.TXT), lambda txt: b"".join(txt.strings))

    async def tlsa(self, name: str) -> Answer[TLSA]:
        """TLSA records of a name as `_25._tcp.mx.example.com`."""
        return _typed(
            await self._ask(name, dns.rdatatype.TLSA),
            lambda tlsa: TLSA(tlsa.usage, tlsa.selector, tlsa.mtype, bytes(tlsa.cert)),
        )

    async def alias(self, name: str) -> Answer[str]:
        """The CNAME record of `name` itself, which is validated even where its target's zone is not signed."""
        return _typed(await self._ask(name, dns.rdatatype.CNAME), lambda cname: _host(cname.target))

    async def _ask(self, name: str, rdtype: dns.rdatatype.RdataType) -> Raw:
        asked = _name(name)
        if asked is None:
            return Answer(Status.NXDOMAIN, why="not a domain name")
        key = asked, int(rdtype)
        answer = self._cache.get(key, self._now())
        if answer is not None:
            return answer
        flight = self._flights.get(key)
        if flight is None:
            flight = self._flights[key] = _Flight()
            self._nursery.start_soon(self._fetch, asked, rdtype, flight)
        await flight.done.wait()
        return flight.answer

    async def _fetch(self, name: dns.name.Name, rdtype: dns.rdatatype.RdataType, flight: _Flight) -> None:
        key = name, int(rdtype)
        try:
            async with self._limiter:
                flight.answer = failed("no answer in time")
                with trio.move_on_after(limits.DNS_TIMEOUT):
                    flight.answer = _bounded(await self._backend.ask(name, rdtype))
            self._cache.put(key, flight.answer, self._now())
        except Exception:
            logger.exception("resolver: a question failed by a defect of ours")
            flight.answer = failed("internal error")
        finally:
            del self._flights[key]
            flight.done.set()


def _bounded(answer: Raw) -> Raw:
    records = answer.records[: limits.DNS_MAX_RECORDS]
    return Answer(answer.status, records, bounded_ttl(answer), answer.secure, answer.canonical, answer.why)


def _typed(answer: Raw, convert: Callable[[Any], T]) -> Answer[T]:
    return answer.of(tuple(convert(record) for record in answer.records))


def joined(first: Answer[T], second: Answer[T]) -> Answer[T]:
    """One answer of two for the same name: records count more than failures, failures more than absence."""
    found = [answer for answer in (first, second) if answer.is_found]
    if found:
        records = tuple(record for answer in found for record in answer.records)
        ttl, secure = min(answer.ttl for answer in found), all(answer.secure for answer in found)
        return Answer(Status.FOUND, records, ttl, secure, found[-1].canonical)
    return first if first.is_temporary or (first.status is Status.NODATA and not second.is_temporary) else second


def _name(text: str) -> dns.name.Name | None:
    """The domain name in `text`, absolute and in lower case; None if it is none."""
    try:
        if not text.isascii():
            text = idna.encode(text, uts46=True).decode("ascii")
        return dns.name.from_text(text.lower() or ".", idna_codec=None)
    except (dns.exception.DNSException, idna.IDNAError, UnicodeError, ValueError):
        return None


def _host(name: dns.name.Name) -> str:
    return name.to_text(omit_final_dot=True).lower().removesuffix(".")


class Validated:
    """Answers of libunbound, once it has seen that the servers let DNSSEC through; before that, of the servers.

    Behind a server that drops signatures, every signed name would be bogus, and no mail would go out. From the first
    validated root on there is no way back: whoever drops signatures then stops our mail, and reads none of it.
    """

    def __init__(self, unbound: Unbound, forwarder: Forwarder, now: Callable[[], float] = trio.current_time) -> None:
        self._unbound = unbound
        self._forwarder = forwarder
        self._now = now
        self._is_proven = False
        self._next_probe = float("-inf")
        self._lock = trio.Lock()

    async def ask(self, name: dns.name.Name, rdtype: dns.rdatatype.RdataType) -> Raw:
        """The answer of whoever is fit for it."""
        if not self._is_proven:
            await self._probe()
        return await (self._unbound if self._is_proven else self._forwarder).ask(name, rdtype)

    async def _probe(self) -> None:
        async with self._lock:
            if self._is_proven or self._now() < self._next_probe:
                return
            root: Raw = failed("no answer in time")
            with trio.move_on_after(limits.DNS_TIMEOUT / 2):
                root = await self._unbound.ask(dns.name.root, dns.rdatatype.DNSKEY)
            self._is_proven = root.secure
            self._next_probe = self._now() + limits.DNS_PROBE_INTERVAL
            if not root.secure:
                logger.warning("DNSSEC is not to be had from the DNS servers (%s): no DANE", root.why or "not signed")


@contextlib.asynccontextmanager
async def open_resolver(
    servers: Sequence[Server] = (), *, anchors: Sequence[str] = ROOT_ANCHORS, validate: bool = True
) -> AsyncIterator[Resolver]:
    """A resolver that asks `servers`, those of the system where none are given.

    Validates by libunbound from `anchors` if the library is there and `validate` is set; else trusted servers are
    believed. Resource handling: everything ends with the context; who still waits then gets SERVFAIL.
    """
    servers = servers or system_servers()
    backend: Backend = Forwarder(servers)
    unbound: Unbound | None = None
    if validate:
        try:
            unbound = Unbound(servers, anchors)
            backend = Validated(unbound, Forwarder(servers)) if anchors is ROOT_ANCHORS else unbound
        except UnboundMissing as error:
            logger.info("libunbound is not used: %s", error)
    try:
        async with trio.open_nursery() as nursery:
            if unbound is not None:
                nursery.start_soon(unbound.run)
            try:
                yield Resolver(backend, nursery)
            finally:
                nursery.cancel_scope.cancel()
    finally:
        if unbound is not None:
            unbound.close()
