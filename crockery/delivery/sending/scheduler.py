"""Which message when, over how many connections.

A task for each connection: it sends message after message to one destination while there are any, waits a moment for
more, and ends. The loop hands out what is due: to a connection that waits, else to a new one. The loop acts on durable
events alone: it is a listener of the writer.
"""

import logging
import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import trio

from crockery.actions.store import Store
from crockery.delivery.recipients import is_local_domain
from crockery.delivery.sending.agenda import Agenda, Destination, Work
from crockery.delivery.sending.here import deliver_here
from crockery.delivery.sending.outcomes import Chance
from crockery.delivery.sending.sender import UNREADABLE, Sender, Sign, Unsigned
from crockery.delivery.sending.smart_host import destination_of
from crockery.delivery.sending.timetable import NEVER
from crockery.delivery.sending.ways import Dialer, Exchange, NoWay, Obstacle, Wanted
from crockery.events.errors import LogFailed, LogFull
from crockery.events.log import Appended
from crockery.events.types.queue import (
    MESSAGE_QUEUED,
    QUEUE_RELEASED,
    RECIPIENTS_ATTEMPTED,
    RECIPIENTS_RESCHEDULED,
    RECIPIENTS_RESTORED,
)
from crockery.events.types.server import SMART_HOST_SET
from crockery.events.writer import Writer
from crockery.limits import QUEUE_CONNECTION_IDLE, QUEUE_CONNECTION_MAILS, QUEUE_FULL_RETRY, QUEUE_LOOK, QUEUE_SLOW
from crockery.projections.queue import Leave, QueuedMessage

logger: Final = logging.getLogger(__name__)

OUR_FAULT: Final = Obstacle("deferred", enhanced="4.3.0", why="internal", text="something went wrong at our side")


@dataclass(slots=True, eq=False)
class _Connection:
    """A connection that there is or is to be."""

    destination: Destination
    since: float = math.inf
    """Trio's time when the message at hand was begun."""
    is_slow: bool = False
    """It was set aside."""


@dataclass(slots=True)
class _Idle:
    """A connection that waits for another message."""

    work: Work | None = None
    woken: trio.Event = field(default_factory=trio.Event)


class Scheduler:
    """Sends what is due."""

    def __init__(
        self,
        store: Store,
        writer: Writer,
        dialer: Dialer,
        stopping: trio.Event,
        *,
        sign: Sign = Unsigned,
        is_clock_proven: Callable[[], bool] = lambda: True,
        chance: Chance = random.random,
    ) -> None:
        self._store = store
        self._dialer = dialer
        self._stopping = stopping
        self._is_clock_proven = is_clock_proven
        self._sender = Sender(store, writer, chance, sign)
        self._queue = store.state.queue
        self.agenda = Agenda(self._queue, destination_of(store.state))
        self._wake = trio.Event()
        self._idle: dict[str, list[_Idle]] = {}
        self._connections: set[_Connection] = set()
        self._paused_until = 0
        writer.listeners.append(self.on_durable)

    def on_durable(self, batch: Sequence[Appended]) -> None:
        """A listener of the writer."""
        for event in batch:
            facts, kind = event.facts, event.type
            if kind is MESSAGE_QUEUED:
                self._note(event.sequence, None)
            elif kind is RECIPIENTS_ATTEMPTED:
                continue  # who noted it releases the message
            elif kind is RECIPIENTS_RESCHEDULED or kind is RECIPIENTS_RESTORED:
                domains = {self.agenda.destination_of(address.rpartition("@")[2]) for address in facts["recipients"]}
                self._note(facts["message"], domains)
                self.agenda.try_now(domains)
            elif kind is QUEUE_RELEASED or kind is SMART_HOST_SET:
                for message in self._queue.by_id.values():
                    self.agenda.note(message)
        self._wake.set()

    def _note(self, number: int, domains: set[str] | None) -> None:
        message = self._queue.by_id.get(number)
        if message is not None:
            self.agenda.note(message, domains)

    async def run(self) -> None:
        """Send until `stopping` is set; then finish what is in hand. Raises LogFailed."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._watch_stop)
            while not self._stopping.is_set():
                self._wake = trio.Event()
                self._hand_out(nursery)
                with trio.move_on_after(self._pause()):
                    await self._wake.wait()

    async def _watch_stop(self) -> None:
        await self._stopping.wait()
        self._wake.set()
        self._let_go()

    def _pause(self) -> float:
        if self.agenda.is_full:
            oldest = min((one.since for one in self._connections if not one.is_slow), default=math.inf)
            return min(QUEUE_LOOK, max(oldest + QUEUE_SLOW - trio.current_time(), 0.1))
        due = max(self.agenda.next_time(), self._paused_until)
        return min(QUEUE_LOOK, max(due - self._store.clock() / 1e6, 0.0)) if due < NEVER else QUEUE_LOOK

    def _hand_out(self, nursery: trio.Nursery) -> None:
        now = self._store.now
        if now < self._paused_until:
            return
        self._feed_idle(now)
        self._take_up(nursery, now)
        if self.agenda.is_full:
            self._let_go()
            if self._set_slow_aside():
                self._take_up(nursery, now)

    def _take_up(self, nursery: trio.Nursery, now: int) -> None:
        while (work := self.agenda.take(now)) is not None:
            nursery.start_soon(self._serve, work, work.destination.is_suspect)

    def _set_slow_aside(self) -> bool:
        """Servers that are slow, or do not answer at all, take no place from others for long."""
        before = trio.current_time() - QUEUE_SLOW
        slow = [one for one in self._connections if one.since <= before and not one.is_slow]
        for one in slow:
            one.is_slow = self.agenda.set_aside()
        return any(one.is_slow for one in slow)

    def _feed_idle(self, now: int) -> None:
        """Connections that are open already come first."""
        for domain, waiting in list(self._idle.items()):
            destination = self.agenda.find(domain)
            while destination is not None and waiting and (work := self.agenda.take_for(destination, now)) is not None:
                idle = waiting.pop()
                idle.work = work
                idle.woken.set()
            if not waiting:
                del self._idle[domain]

    def _let_go(self) -> None:
        """Connections that wait take the place of others: they end."""
        for idle in [idle for waiting in self._idle.values() for idle in waiting]:
            idle.woken.set()
        self._idle.clear()

    async def _serve(self, first: Work, was_suspect: bool) -> None:
        """One connection, from its first message to its end."""
        destination = first.destination
        exchange: Exchange | None = None
        work: Work | None = first
        sent = 0
        connection = _Connection(destination)
        self._connections.add(connection)
        try:
            while work is not None:
                connection.since = trio.current_time()
                exchange = await self._carry_out(work, exchange)
                connection.since = math.inf
                sent += 1
                work = None
                if exchange is not None and sent < QUEUE_CONNECTION_MAILS and not self._stopping.is_set():
                    work = self.agenda.take_for(destination, self._store.now) or await self._wait_idle(destination)
        finally:
            if exchange is not None:
                exchange.close()
            self._connections.remove(connection)
            self.agenda.ended(destination, was_suspect=was_suspect, was_slow=connection.is_slow)
            self._wake.set()

    async def _wait_idle(self, destination: Destination) -> Work | None:
        """The next message within a moment, if there is one."""
        idle = _Idle()
        waiting = self._idle.setdefault(destination.domain, [])
        waiting.append(idle)
        with trio.move_on_after(QUEUE_CONNECTION_IDLE):
            await idle.woken.wait()
        if idle in waiting:
            waiting.remove(idle)
        return idle.work

    async def _carry_out(self, work: Work, exchange: Exchange | None) -> Exchange | None:
        """Send one message; the connection, if it can be used again."""
        if work.message.hold_until and not work.recipients[0].attempts and not self._is_clock_proven():
            self.agenda.postpone(work, self._store.now + round(QUEUE_LOOK))  # its time may not have come in truth
            return exchange
        try:
            return await self._send(work, exchange)
        except LogFull as error:
            logger.error("nothing is sent for a while: %s", error)
            self._paused_until = self._store.now + round(QUEUE_FULL_RETRY)
        except LogFailed:
            raise
        except Exception:
            logger.exception("message %d could not be sent; this is a defect of Crockery", work.message.id)
            await self._sender.note_obstacle(work, OUR_FAULT)
        finally:
            self.agenda.release(work)
        if exchange is not None:
            exchange.close()
        return None

    async def _send(self, work: Work, exchange: Exchange | None) -> Exchange | None:
        message = work.message
        facts = self._sender.facts(message)
        if facts is None:
            await self._sender.note_obstacle(work, UNREADABLE)
            return exchange
        if is_local_domain(self._store.state.settings, work.destination.domain):
            if not await self._sender.is_readable(message):
                await self._sender.note_obstacle(work, UNREADABLE)
                return exchange
            waiting = [recipient for recipient in work.recipients if recipient.is_waiting]
            if waiting:
                deliver_here(self._store, message, waiting, facts)
            return exchange
        if self.agenda.destination_of(work.recipients[0].domain) != work.destination.domain:
            return exchange  # the owner has set another smart host just now: it is due there
        wanted = wanted_way(message, requiretls=facts.get("requiretls", False), insecure=work.recipients[0].insecure)
        work.recipients[:] = [r for r in work.recipients if r.insecure == work.recipients[0].insecure]
        if exchange is not None and (wanted not in exchange.serves or not exchange.client.may_send_more):
            exchange.close()
            exchange = None
        if exchange is None:
            try:
                exchange = await self._dialer.dial(work.destination.domain, wanted)
            except NoWay as error:
                if error.obstacle.is_down:
                    self.agenda.failed(work.destination, self._store.now)
                await self._sender.note_obstacle(work, error.obstacle)
                return None
        work.recipients[:] = [r for r in work.recipients if r.is_waiting]  # some may have been cancelled meanwhile
        try:
            if work.recipients and await self._sender.send(work, exchange, facts):
                self.agenda.succeeded(work.destination)
        except BaseException:
            exchange.close()
            raise
        if exchange.client.may_send_more:
            return exchange
        exchange.close()
        return None


def wanted_way(message: QueuedMessage, *, requiretls: bool, insecure: Leave) -> Wanted:
    """What a message's way must be like. No bounce is lost for want of REQUIRETLS (RFC 8689 §5)."""
    if requiretls and (message.reverse_path or message.origin == "submitted"):
        return Wanted.REQUIRETLS
    if insecure is Leave.ANY or (message.tls_optional and message.origin == "submitted"):
        return Wanted.ANY  # RFC 8689 §5: TLS-Required: No speaks of policies
    if insecure:
        return Wanted.UNVERIFIED
    if message.origin in ("notice", "report") or not message.reverse_path:
        return Wanted.BEST
    return Wanted.SECURE
