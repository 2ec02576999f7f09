"""The smart host: one server that all outgoing mail is handed to, with a login, if the owner says so.

What counts as secure then: TLS to the smart host with a certificate valid for its name under the system's CAs, or
nothing is sent, whatever a sender allowed, for the login goes over the same connection. How the mail goes on from there
is for the smart host to see to: DANE and MTA-STS of the recipients' domains are its business, no question is asked, and
`queue show` says so. REQUIRETLS is kept if the smart host promises it (RFC 8689 §4.2.1: it is reached by a name that
the owner gave, not by MX records, so there is nothing else to prove).

What is wrong with the smart host is the owner's to know: mail stays in the queue, whatever it says.
"""

import random
from collections.abc import Callable
from typing import Final

from crockery.actions.store import Store
from crockery.actions.tallies import note_sessions
from crockery.delivery.recipients import is_local_domain
from crockery.delivery.routes import Unroutable, smart_host_route
from crockery.delivery.sending.connecting import ServerRefused, Target, greet, reply_of
from crockery.delivery.sending.dial import Outside, tls_facts, unreachable
from crockery.delivery.sending.exchange import StreamExchange
from crockery.delivery.sending.ways import Dialer, Exchange, NoWay, Obstacle, Wanted
from crockery.delivery.tls import tallying
from crockery.delivery.tls.faults import Fault
from crockery.delivery.tls.verify import HostPolicy, Verdict, judge
from crockery.events.errors import BodyUnreadable
from crockery.projections.queue import NOWHERE, Place
from crockery.projections.smart_host import LOGIN, TLS, UNKNOWN, VERIFIED, SmartHost
from crockery.projections.state import State
from crockery.smtp.wire.client_events import AuthAnswered


def destination_of(state: State) -> Callable[[str], str]:
    """A function that says where mail for a domain is handed in: the domain itself, or the smart host.

    What it gives for the smart host is no domain, and is another once the setting changes.
    """

    def destination(domain: str) -> str:
        current = state.smart_host.current
        if current is None or is_local_domain(state.settings, domain):
            return domain
        return f"{current.name} #{current.id}"

    return destination


class SmartHostDialer:
    """A `ways.Dialer`: to the smart host if there is one, else as `otherwise` does."""

    def __init__(self, store: Store, outside: Outside, otherwise: Dialer, source: random.Random | None = None) -> None:
        self._store = store
        self._outside = outside
        self._otherwise = otherwise
        self._source = source or random.SystemRandom()

    async def dial(self, domain: str, wanted: Wanted) -> Exchange:
        """A connection, logged in, that may be used for `wanted`. Raises NoWay."""
        smart = self._store.state.smart_host.current
        if smart is None:
            return await self._otherwise.dial(domain, wanted)
        try:
            route = await smart_host_route(smart.host, self._outside.resolver, self._source)
        except Unroutable as error:
            raise NoWay(_unknown(smart, error)) from error
        down: Obstacle | None = None
        for address in route.hosts[0].addresses:
            target = Target(smart.host, address, smart.port, smart.host, implicit_tls=smart.tls == "implicit")
            try:
                return await self._log_in(smart, target, wanted)
            except ServerRefused as error:
                down = down or (_not_tls(smart, error) if error.reply.enhanced == "4.7.5" else unreachable(error))
        raise NoWay(down or Obstacle("deferred", why="unreachable", is_down=True))

    async def _log_in(self, smart: SmartHost, target: Target, wanted: Wanted) -> Exchange:
        """Raises NoWay, ServerRefused."""
        found = await greet(self._store.state.settings.hostname, target, self._outside.context)
        exchange = found.exchange
        try:
            policy = HostPolicy(domain=smart.host, host=smart.host)
            now = self._store.now
            verdict = judge(policy, found.shown, self._outside.roots, now, failure=found.failure)
            own, offers = found.own_address, found.offers_tls
            met = tallying.judged(policy, verdict, address=target.address, own=own, offers_tls=offers, now=now)
            note_sessions(self._store, smart.host, met)
            if not verdict.is_secure:
                raise NoWay(_insecure(smart, verdict, exchange.place))
            exchange.place = Place(smart.host, target.address, {**(tls_facts(found.shown, verdict) or {}),
                                                               "verified": VERIFIED})  # fmt: skip
            if smart.user:
                await self._authenticate(smart, exchange)
            exchange.serves = frozenset(Wanted) - {Wanted.REQUIRETLS}
            if "REQUIRETLS" in exchange.client.capabilities:
                exchange.serves |= {Wanted.REQUIRETLS}
            if wanted not in exchange.serves:
                words = f"the smart host {smart.host} does not promise to keep this message encrypted on its whole way"
                raise NoWay(Obstacle("failed", enhanced="5.7.30", text=words, why="requiretls", place=exchange.place))
            return exchange
        except BaseException:
            exchange.stream.hang_up()
            raise

    async def _authenticate(self, smart: SmartHost, exchange: StreamExchange) -> None:
        """Raises NoWay, ServerRefused."""
        try:
            password = self._store.log.read_body(smart.id).decode()
        except BodyUnreadable as error:
            text = f"the password for the smart host {smart.name} cannot be read from the log: set it again"
            raise NoWay(Obstacle("deferred", enhanced="4.7.8", text=text, why=LOGIN, is_down=True)) from error
        exchange.client.authenticate(smart.user, password)
        answered = await exchange.next_event()
        if not isinstance(answered, AuthAnswered):
            raise ServerRefused(reply_of(answered), exchange.place)
        reply = answered.reply
        if reply.is_positive:
            return
        if reply.code < 500:
            raise ServerRefused(reply, exchange.place)
        enhanced = "4" + (reply.enhanced or "5.7.8")[1:]
        raise NoWay(Obstacle("deferred", reply.code, enhanced, reply.text, LOGIN, place=exchange.place, is_down=True))


def _unknown(smart: SmartHost, error: Unroutable) -> Obstacle:
    text = f"the name of the smart host {smart.host} leads nowhere: {error.reply.text}"
    why = UNKNOWN if error.is_permanent else "unreachable"
    return Obstacle("deferred", enhanced="4.4.4", text=text, why=why, place=NOWHERE, is_down=True)


def _not_tls(smart: SmartHost, error: ServerRefused) -> Obstacle:
    """TLS from the first octet did not come about."""
    return Obstacle("deferred", 0, "4.7.5", error.reply.text, TLS, place=error.place, is_down=True)


def _insecure(smart: SmartHost, verdict: Verdict, place: Place) -> Obstacle:
    text = f"there is no verified TLS to the smart host {smart.name}: {_FAULTS.get(verdict.fault, verdict.why)}"
    return Obstacle("deferred", enhanced="4.7.5", text=text, why=TLS, place=place, is_down=True)


_FAULTS: Final[dict[Fault | None, str]] = {
    Fault.SELF_SIGNED: "its certificate is self-signed",
    Fault.WRONG_NAME: "its certificate is for another name",
    Fault.EXPIRED: "its certificate is not valid at this time",
    Fault.UNTRUSTED: "its certificate is signed by nobody who is known",
    Fault.UNREADABLE: "its certificate cannot be read",
}
