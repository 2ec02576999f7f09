"""A connection to a mail server of a domain, judged: `delivery.routes` says where, `delivery.tls` how good it is.

Each host is tried at each of its addresses, best first, until one will do. The first that speaks to us and will not do
is what the sender is asked about; a host whose own policy is broken counts more than that, since it may be an attack.
"""

import logging
import random
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from crockery import limits
from crockery.actions.store import Store
from crockery.actions.tallies import note_sessions
from crockery.actions.trust import cache_policy
from crockery.delivery.routes import Host, Ourselves, Route, Unroutable, find_route
from crockery.delivery.sending.connecting import Greeting, ServerRefused, Target, greet
from crockery.delivery.sending.exchange import StreamExchange
from crockery.delivery.sending.ways import Exchange, NoWay, Obstacle, Wanted
from crockery.delivery.tls import dane, mta_sts, tallying
from crockery.delivery.tls.certificates import Roots
from crockery.delivery.tls.lookup import Fetch, find_dane, find_sts
from crockery.delivery.tls.verify import HostPolicy, Pin, Question, Verdict, judge
from crockery.events.types.trust import TLSSession
from crockery.net.resolver import Resolver
from crockery.net.tls_client import TLSPeer
from crockery.projections.queue import NOWHERE, Place
from crockery.projections.trust import StsPolicy
from crockery.smtp.wire.client import Stage

logger: Final = logging.getLogger(__name__)

_KINDS: Final = {Question.NO_TLS: "no-tls", Question.UNVERIFIED: "certificate", Question.POLICY: "policy"}
_WILL_DO: Final = {
    None: frozenset((Wanted.SECURE, Wanted.BEST, Wanted.UNVERIFIED, Wanted.ANY)),
    Question.NO_TLS: frozenset((Wanted.BEST, Wanted.UNVERIFIED, Wanted.ANY)),
    Question.UNVERIFIED: frozenset((Wanted.BEST, Wanted.UNVERIFIED, Wanted.ANY)),
    Question.POLICY: frozenset((Wanted.ANY,)),
}
"""What may go over a connection, by what there would be to ask."""


@dataclass(frozen=True, slots=True)
class Outside:
    """What the dialer needs of the world."""

    resolver: Resolver
    context: ssl.SSLContext
    """From `net.tls_client.unverified_context`."""
    roots: Roots
    fetch: Fetch
    """Over HTTPS, for MTA-STS policies."""
    ourselves: Callable[[], Ourselves]
    port: int = 25


class NetDialer:
    """A `ways.Dialer` for the real world."""

    def __init__(self, store: Store, outside: Outside, source: random.Random | None = None) -> None:
        self._store = store
        self._outside = outside
        self._source = source or random.SystemRandom()
        self._no_fetch_before: dict[str, int] = {}

    async def dial(self, domain: str, wanted: Wanted) -> Exchange:
        """A connection that may be used for `wanted`. Raises NoWay. Notes how secure what it met was."""
        met: list[TLSSession] = []
        try:
            return await self._dial(domain, wanted, met)
        finally:
            note_sessions(self._store, domain, met)

    async def _dial(self, domain: str, wanted: Wanted, met: list[TLSSession]) -> Exchange:
        outside = self._outside
        try:
            route = await find_route(domain, outside.resolver, outside.ourselves(), self._source)
        except Unroutable as error:
            raise NoWay(no_route(error)) from error
        sts = await self._sts(domain, met)
        worst: Obstacle | None = None
        down: Obstacle | None = None
        for host in route.hosts:
            policy = await self._host_policy(route, host, sts)
            if policy.dane.state is dane.State.FAILED:
                met.append(tallying.skipped(policy))
                words = f"the DNS does not say whether {host.name} is protected by DANE ({policy.dane.why})"
                down = down or Obstacle("deferred", enhanced="4.7.5", text=words, why="dane", place=Place(host.name))
                continue
            for address in host.addresses:
                try:
                    found = await self._try(policy, address, wanted, met)
                except ServerRefused as error:
                    down = down or unreachable(error)
                    continue
                if not isinstance(found, Obstacle):
                    return found
                worst = _worse(worst, found)
                break  # the other addresses of the host would show the same
        if wanted is Wanted.REQUIRETLS and down is not None:
            worst = None  # it is that host, perhaps, which promises it
        raise NoWay(worst or down or _NOBODY)

    async def _sts(self, domain: str, met: list[TLSSession]) -> mta_sts.Policy | None:
        """The MTA-STS policy in force; one that was fetched is noted."""
        trust, now = self._store.state.trust, self._store.now
        kept = _kept(trust.policies.get(domain))
        if domain.startswith("["):
            return None
        if self._no_fetch_before.get(domain, 0) > now:
            return mta_sts.in_force(kept, now)
        found = await find_sts(domain, kept, self._outside.resolver, self._outside.fetch, now)
        if found.failure:
            met.append(tallying.not_fetched(domain, found))
            logger.info("the MTA-STS policy of %s could not be fetched: %s", domain, found.why)
            if len(self._no_fetch_before) > limits.STS_FAILURES_KEPT:
                self._no_fetch_before.clear()
            self._no_fetch_before[domain] = now + limits.STS_RETRY
        if found.kept is not None and found.kept != kept:
            policy = found.kept.policy
            cache_policy(
                self._store,
                StsPolicy(domain, found.kept.id, policy.mode.value, policy.mx, policy.max_age, found.kept.fetched),
            )
        return found.policy

    async def _host_policy(self, route: Route, host: Host, sts: mta_sts.Policy | None) -> HostPolicy:
        trust = self._store.state.trust
        return HostPolicy(
            domain=route.domain,
            host=host.name,
            mx_secure=route.secure,
            dane=await find_dane(host, self._outside.resolver, self._outside.port),
            sts=sts,
            pins=frozenset(Pin(g.host, g.spki) for g in trust.of_domain(route.domain) if g.spki),
            plain_granted=trust.allows_plain(route.domain),
        )

    async def _try(
        self, policy: HostPolicy, address: str, wanted: Wanted, met: list[TLSSession]
    ) -> StreamExchange | Obstacle:
        """The connection, if it will do, else why not. Raises ServerRefused."""
        target = Target(policy.host, address, self._outside.port, policy.server_name)
        found = await self._greet(target)
        exchange = found.exchange
        try:
            now = self._store.now
            verdict = judge(policy, found.shown, self._outside.roots, now, failure=found.failure)
            met += tallying.judged(
                policy, verdict, address=address, own=found.own_address, offers_tls=found.offers_tls, now=now
            )
            serves = _WILL_DO[verdict.question]
            if verdict.is_vouched_for and verdict.mx_proven and "REQUIRETLS" in exchange.client.capabilities:
                serves |= {Wanted.REQUIRETLS}
            place = Place(policy.host, address, tls_facts(found.shown, verdict))
            if wanted not in serves:
                exchange.close()
                return _obstacle(verdict, policy, wanted, place, has_tls=found.shown is not None)
            if exchange.client.stage is not Stage.READY:  # TLS broke, and it may go without
                exchange.close()
                exchange = (await self._greet(target, with_tls=False)).exchange
            exchange.place, exchange.serves = place, serves
            return exchange
        except BaseException:
            exchange.stream.hang_up()
            raise

    async def _greet(self, target: Target, *, with_tls: bool = True) -> Greeting:
        hostname = self._store.state.settings.hostname
        return await greet(hostname, target, self._outside.context, with_tls=with_tls)


def tls_facts(shown: TLSPeer | None, verdict: Verdict) -> Mapping[str, Any] | None:
    """The TLS of a connection as `events.types.queue.TLSFacts`."""
    certificate = verdict.certificate
    if shown is None or certificate is None:
        return None
    return {
        "version": shown.version,
        "cipher": shown.cipher,
        "fingerprint": certificate.fingerprint,
        "spki": certificate.spki,
        "names": list(certificate.names),
        "verified": verdict.how.value if verdict.how is not None and verdict.is_secure else "",
    }


def _obstacle(verdict: Verdict, policy: HostPolicy, wanted: Wanted, place: Place, *, has_tls: bool) -> Obstacle:
    """Why the connection will not do; for REQUIRETLS with the codes of RFC 8689 §4.2.1."""
    if wanted is Wanted.REQUIRETLS:
        words = f"{policy.host} does not promise to keep this message encrypted on its whole way"
        enhanced = "5.7.30" if has_tls else "5.7.10"
        return Obstacle("failed", enhanced=enhanced, text=words, why="requiretls", place=place)
    assert verdict.question is not None
    if wanted is Wanted.BEST:
        return Obstacle("deferred", enhanced="4.7.5", text=verdict.why, why="policy", place=place)
    certificate = verdict.certificate
    problem: dict[str, Any] = {
        "kind": "changed" if verdict.pin_changed else _KINDS[verdict.question],
        "host": policy.host,
        "reason": verdict.why,
        "fault": verdict.fault.value if verdict.fault is not None else "",
    }
    if verdict.question is Question.POLICY:
        problem["policy"] = "MTA-STS" if policy.dane.state is dane.State.NONE else "DANE"
    if certificate is not None:
        problem |= {
            "spki": certificate.spki,
            "names": list(certificate.names),
            "issuer": certificate.issuer,
            "not_before": certificate.not_before,
            "not_after": certificate.not_after,
        }
    return Obstacle("held", enhanced="4.7.5", text=verdict.why, why=problem["kind"], problem=problem, place=place)


def _worse(one: Obstacle | None, other: Obstacle) -> Obstacle:
    """The one to be told; a broken policy counts most, then what the better host showed."""
    return other if one is None or (other.why == "policy" and one.why != "policy") else one


def no_route(error: Unroutable) -> Obstacle:
    """There is no way at all."""
    result = "failed" if error.is_permanent else "deferred"
    text = f"{error.reply.text}: {error.detail}" if error.detail else error.reply.text
    return Obstacle(result, enhanced=error.reply.enhanced, text=text, why="no-route", is_down=not error.is_permanent)


def unreachable(error: ServerRefused) -> Obstacle:
    """Nobody answers, or not politely: it is tried again, even after a 5yz greeting, which is about this server now."""
    reply = error.reply
    enhanced = "4" + (reply.enhanced or "4.4.1")[1:]
    return Obstacle(
        "deferred", reply.code, enhanced, reply.text, "unreachable", place=error.place, is_down=True
    )  # fmt: skip


def _kept(policy: StsPolicy | None) -> mta_sts.Kept | None:
    if policy is None:
        return None
    return mta_sts.Kept(mta_sts.Policy(mta_sts.Mode(policy.mode), policy.mx, policy.max_age), policy.id, policy.fetched)


_NOBODY: Final = Obstacle(
    "deferred", enhanced="4.4.1", text="no mail server answers", why="unreachable", place=NOWHERE, is_down=True
)
