"""What is due when, by destination: an index over the queue, pure, kept up by whoever feeds it the queue's events.

A destination is a recipient domain, or what `destination_of` makes of it: a smart host takes the mail for all. Its
messages stand in a heap by the time of their next attempt; the destinations in another, by the time of the first that
can be begun. Entries are never looked for and removed: one that does not tell the truth any more is dropped when its
turn comes, and `note` adds the one that does. So each step costs the logarithm of what waits.

Who takes a message has claimed it for that destination, until `release`.
"""

import heapq
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from crockery.delivery.sending.timetable import NEVER, Timetable
from crockery.limits import (
    QUEUE_CONNECTIONS,
    QUEUE_DESTINATION_FIRST,
    QUEUE_DESTINATION_MOST,
    QUEUE_SLOW_CONNECTIONS,
    QUEUE_SUSPECT_CONNECTIONS,
)
from crockery.projections.queue import Queue, QueuedMessage, Recipient

_PAUSES: Final = (60, 300, 900, 1800)
"""Seconds that a destination is left alone after it could not be reached; the last one is repeated."""


@dataclass(slots=True)
class Destination:
    """What waits for it, and how it goes."""

    domain: str
    waiting: Timetable = field(default_factory=Timetable)
    """Messages by the time of their next attempt."""
    scheduled: int = NEVER
    """When its turn comes, as the agenda's heap has it."""
    busy: int = 0
    """Connections."""
    limit: int = QUEUE_DESTINATION_FIRST
    failures: int = 0
    """In a row, of reaching it at all."""
    not_before: int = 0

    @property
    def is_suspect(self) -> bool:
        """It could not be reached last time."""
        return self.failures > 0


@dataclass(frozen=True, slots=True)
class Work:
    """Recipients of one message at one destination, claimed."""

    destination: Destination
    message: QueuedMessage
    recipients: list[Recipient]


class Agenda:
    """All destinations that something waits for."""

    def __init__(
        self,
        queue: Queue,
        destination: Callable[[str], str] = str,
        *,
        most: int = QUEUE_CONNECTIONS,
        most_suspect: int = QUEUE_SUSPECT_CONNECTIONS,
    ) -> None:
        """`destination` says of a recipient domain where its mail is handed in."""
        self._queue = queue
        self.destination_of = destination
        self._most = most
        self._most_suspect = most_suspect
        self._destinations: dict[str, Destination] = {}
        self._heap: list[tuple[int, str]] = []
        self._claimed: set[tuple[int, str]] = set()
        self._parked: set[str] = set()
        """Destinations whose turn came when the connections to suspects were all in use."""
        self._busy = 0
        self._slow = 0
        """Connections that were set aside; they are not among the busy ones."""
        self._busy_suspect = 0
        for message in queue.by_id.values():
            self.note(message)

    def note(self, message: QueuedMessage, domains: Iterable[str] | None = None) -> None:
        """A message is new, or its recipients (at these destinations) changed."""
        if self._queue.stands_still(message):
            return
        earliest: dict[str, int] = {}
        for recipient in message.recipients:
            if recipient.is_waiting:
                place = self.destination_of(recipient.domain)
                earliest[place] = min(recipient.next, earliest.get(place, NEVER))
        for domain, due in earliest.items():
            if domains is not None and domain not in domains:
                continue
            destination = self._destinations.get(domain)
            if destination is None:
                destination = self._destinations[domain] = Destination(domain)
            destination.waiting.add(due, message.id)
            self._schedule(destination)

    def find(self, domain: str) -> Destination | None:
        """The destination, if something waits for it."""
        return self._destinations.get(domain)

    @property
    def is_full(self) -> bool:
        """No more connections can be opened."""
        return self._busy >= self._most

    def set_aside(self) -> bool:
        """A connection is slow: another one may be opened in its place. False: there are too many such already."""
        if self._slow >= QUEUE_SLOW_CONNECTIONS:
            return False
        self._slow += 1
        self._busy -= 1
        return True

    def is_claimed(self, message: int, domain: str) -> bool:
        """Whether somebody is about to send it to that recipient domain."""
        return (message, self.destination_of(domain)) in self._claimed

    def next_time(self) -> int:
        """Unix seconds of the next `take` that can give something; NEVER while all connections are in use."""
        return self._heap[0][0] if self._heap and self._busy < self._most else NEVER

    def take(self, now: int) -> Work | None:
        """The next message to be sent over a new connection, which is counted until `ended`; None: nothing now."""
        while self._heap and self._heap[0][0] <= now and self._busy < self._most:
            time, domain = heapq.heappop(self._heap)
            destination = self._destinations.get(domain)
            if destination is None or destination.scheduled != time:
                continue
            destination.scheduled = NEVER
            if destination.is_suspect and self._busy_suspect >= self._most_suspect:
                self._parked.add(domain)
                continue
            work = self.take_for(destination, now)
            if work is not None:
                destination.busy += 1
                self._busy += 1
                self._busy_suspect += destination.is_suspect
            self._schedule(destination)
            if work is not None:
                return work
        return None

    def take_for(self, destination: Destination, now: int) -> Work | None:
        """The next message for a destination that there is a connection to already."""
        while (number := destination.waiting.take(now)) is not None:
            message = self._queue.by_id.get(number)
            if message is None or (number, destination.domain) in self._claimed or self._queue.stands_still(message):
                continue
            recipients = [
                r for r in message.recipients
                if r.is_waiting and r.next <= now and self.destination_of(r.domain) == destination.domain
            ]  # fmt: skip
            if recipients:
                self._claimed.add((number, destination.domain))
                return Work(destination, message, recipients)
        return None

    def release(self, work: Work) -> None:
        """The claim is over; its recipients stand as the queue says."""
        self._claimed.discard((work.message.id, work.destination.domain))
        message = self._queue.by_id.get(work.message.id)
        if message is not None:
            self.note(message, (work.destination.domain,))

    def postpone(self, work: Work, until: int) -> None:
        """The claim is over, and nothing of it is to be looked at before `until` (unix seconds)."""
        self._claimed.discard((work.message.id, work.destination.domain))
        work.destination.waiting.add(until, work.message.id)
        self._schedule(work.destination)

    def ended(self, destination: Destination, *, was_suspect: bool, was_slow: bool = False) -> None:
        """A connection that `take` had counted is over; `was_slow`: it was set aside."""
        destination.busy -= 1
        self._busy -= not was_slow
        self._slow -= was_slow
        self._busy_suspect -= was_suspect
        while self._parked and self._busy_suspect < self._most_suspect:
            parked = self._destinations.get(self._parked.pop())
            if parked is not None:
                self._schedule(parked)
                break
        self._schedule(destination)
        self._forget(destination)

    def succeeded(self, destination: Destination) -> None:
        """A message went through: there may be one more connection."""
        destination.limit = min(destination.limit + 1, QUEUE_DESTINATION_MOST)
        destination.failures = 0
        destination.not_before = 0

    def failed(self, destination: Destination, now: int) -> None:
        """It cannot be reached: leave it alone for a while, and then try with one connection."""
        if now < destination.not_before:
            return  # another connection found out already
        pause = _PAUSES[min(destination.failures, len(_PAUSES) - 1)]
        destination.failures += 1
        destination.not_before = now + pause
        destination.limit = 1

    def try_now(self, domains: Iterable[str]) -> None:
        """Somebody asked for it: a pause is over."""
        for domain in domains:
            destination = self._destinations.get(domain)
            if destination is not None:
                destination.not_before = 0
                self._schedule(destination)

    def _schedule(self, destination: Destination) -> None:
        """See that the destination has a turn when it can use one."""
        if not destination.waiting or destination.busy >= destination.limit or destination.domain in self._parked:
            return
        time = max(destination.waiting.first, destination.not_before)
        if time < destination.scheduled:
            destination.scheduled = time
            heapq.heappush(self._heap, (time, destination.domain))

    def _forget(self, destination: Destination) -> None:
        if not destination.waiting and not destination.busy:
            self._destinations.pop(destination.domain, None)
