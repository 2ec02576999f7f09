"""What senders are told of mail that waits or has ended, and giving up (RFC 3461, 3464, 2852).

One task looks at a message when something happened to it, and when its time has come: it gives up recipients whose time
is over, then tells of ends that are owed, and once of a delay. Failures of one message are gathered for a moment, so
that one notice tells them all. A notice goes to the reverse-path: into a mailbox of ours, or into the queue.
"""

import logging
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import trio

from crockery.actions.errors import Refused
from crockery.actions.mail import Delivery
from crockery.actions.notices import make_notice
from crockery.actions.queue import Outcome, Outgoing, Terms, record_outcomes
from crockery.actions.store import Store
from crockery.delivery.forwarding import sender_behind
from crockery.delivery.recipients import account_address, local_accounts
from crockery.delivery.sending.reports import own_reason, returns_at_deadline, status_of
from crockery.delivery.sending.timetable import Timetable
from crockery.events.errors import BodyUnreadable, LogFull
from crockery.events.log import Appended
from crockery.events.types.queue import MESSAGE_QUEUED, QUEUE_RELEASED
from crockery.events.types.queue import TYPES as QUEUE_TYPES
from crockery.events.writer import Writer
from crockery.limits import DSN_WHOLE_MAX, INTAKE_MAX_HEADER, QUEUE_DELAYED, QUEUE_FULL_RETRY, QUEUE_LOOK
from crockery.limits import QUEUE_NOTICE_WAIT as GATHER
from crockery.message.compose import Mailbox as Person
from crockery.message.dsn import Notice, render_dsn
from crockery.message.dsn_reasons import Reason
from crockery.message.dsn_status import RecipientStatus
from crockery.projections.queue import Notify, QueuedMessage, Recipient, RecipientState
from crockery.smtp.wire import AddressError, Mailbox, parse_mailbox
from crockery.smtp.wire.received import render_delivered_to, render_return_path

logger: Final = logging.getLogger(__name__)

Explain = Callable[[QueuedMessage, Recipient], Reason | None]
"""Why there was no secure way to a recipient that was given up while it was held, and what its sender can do; None:
that was not the reason."""

_SUPERFLUOUS: Final = 1000
"""Times that may be there without need: of messages that have left, or that are looked at before."""

_CODES: Final = frozenset(kind.code for kind in QUEUE_TYPES)


class Notices:
    """One task; a listener of the writer."""

    def __init__(
        self,
        store: Store,
        writer: Writer,
        is_claimed: Callable[[int, str], bool],
        *,
        is_clock_proven: Callable[[], bool] = lambda: True,
        explain: Explain = lambda message, recipient: None,
    ) -> None:
        """`is_claimed`: whether a message is just about to be sent to a domain."""
        self._store = store
        self._queue = store.state.queue
        self._is_claimed = is_claimed
        self._is_clock_proven = is_clock_proven
        self._explain = explain
        self._wake = trio.Event()
        self._touched: set[int] = set()
        self._all_touched = True
        self._times = Timetable()
        """When to look at which message."""
        writer.listeners.append(self.on_durable)

    def on_durable(self, batch: Sequence[Appended]) -> None:
        """A listener of the writer."""
        for event in batch:
            if event.type is QUEUE_RELEASED:
                self._all_touched = True
            elif event.type.code in _CODES:
                self._touched.add(event.sequence if event.type is MESSAGE_QUEUED else event.facts.get("message", 0))
        self._wake.set()

    async def run(self) -> None:
        """Look until cancelled. Raises LogFailed."""
        while True:
            self._wake = trio.Event()
            try:
                await self._look_at_all()
            except LogFull as error:
                logger.error("nobody is told anything for a while: %s", error)
                await trio.sleep(QUEUE_FULL_RETRY)
            with trio.move_on_after(self._pause()):
                await self._wake.wait()

    def _pause(self) -> float:
        if self._touched or self._all_touched:
            return 0
        return min(max(self._times.first - self._store.clock() / 1e6, 0.0), QUEUE_LOOK)

    async def _look_at_all(self) -> None:
        now = self._store.now
        while (number := self._times.take(now)) is not None:
            self._touched.add(number)
        everything, self._all_touched = self._all_touched, False
        try:
            await self._look_at(sorted(self._queue.by_id if everything else self._touched), now)
        except LogFull:
            self._all_touched |= everything
            raise
        if len(self._times) > 2 * len(self._queue.by_id) + _SUPERFLUOUS:
            self._times.keep(self._queue.by_id)

    async def _look_at(self, numbers: Iterable[int], now: int) -> None:
        for looked, number in enumerate(numbers):
            message = self._queue.by_id.get(number)
            if message is not None and not self._queue.stands_still(message):
                self._look(message, now)
                again = self._next_look(message, now)
                if again is not None:
                    self._times.add(again, number)
            self._touched.discard(number)
            if looked % 100 == 99:
                await trio.lowlevel.checkpoint()

    def _look(self, message: QueuedMessage, now: int) -> None:
        """Do what is due. Raises LogFull."""
        proven = self._is_clock_proven()
        if now >= message.expires and proven:
            self._give_up(message)
        owed = [recipient for recipient in message.recipients if recipient.owed]
        if owed and now >= _gathered(message, owed):
            self._tell(message, "final", owed)
        if message.id not in self._queue.by_id or not proven:
            return
        if message.deliver_by and now >= message.deliver_by:
            self._tell(message, "deadline", [r for r in message.waiting if r.notify & Notify.DELAY])
        elif now >= _late(message):
            late = [r for r in _untold(message) if r.next > now]  # those due now may get it in a moment
            if late:
                self._tell(message, "delayed", late)

    def _next_look(self, message: QueuedMessage, now: int) -> int | None:
        """When there will be something to do if nothing happens; None: never."""
        if message.id not in self._queue.by_id:
            return None
        times = [message.expires] if message.waiting else []
        owed = [recipient for recipient in message.recipients if recipient.owed]
        if owed:
            times.append(_gathered(message, owed))
        if message.deliver_by:
            times.append(message.deliver_by)
        if _untold(message):
            times.append(_late(message))
        return max(min(times), now + round(QUEUE_LOOK)) if times and min(times) <= now else min(times, default=None)

    def _give_up(self, message: QueuedMessage) -> None:
        """The time is over for those that wait and are not being sent to at this moment."""
        over: dict[str, list[Recipient]] = {}  # those that have a problem by domain, which it is of
        for recipient in message.waiting:
            if not self._is_claimed(message.id, recipient.domain):
                over.setdefault(recipient.domain if recipient.problem else "", []).append(recipient)
        words = "it could not be delivered in the time it had"
        status = "5.4.7" if returns_at_deadline(self._facts(message)) else "4.4.7"
        outcomes = [
            Outcome([r.address for r in them], "failed", 0, status, words, "expired", problem=them[0].problem)
            for them in over.values()
        ]
        if outcomes:
            record_outcomes(self._store, message, outcomes)

    def _tell(self, message: QueuedMessage, kind: str, recipients: Sequence[Recipient]) -> None:
        addresses = [recipient.address for recipient in recipients]
        try:
            deliveries, outgoing = self._way_back(message)
            message_id, text = "", b""
            if deliveries or outgoing is not None:
                message_id = f"{secrets.token_hex(16)}@{self._store.state.settings.domain}"
                text = self._render(message, kind, recipients, message_id)
                if outgoing is not None:
                    outgoing = outgoing._replace(smtputf8=not text.isascii(), body=_body_of(text))
            make_notice(self._store, message, kind, addresses, text, message_id, deliveries, outgoing)
        except (Refused, ValueError, AddressError) as error:
            logger.error("the sender of message %d cannot be told: %s", message.id, error)
            make_notice(self._store, message, kind, addresses)

    def _way_back(self, message: QueuedMessage) -> tuple[list[Delivery], Outgoing | None]:
        """Into which mailboxes a notice goes, or how it is queued; neither if there is nobody."""
        if not message.reverse_path:
            return [], None
        state = self._store.state
        sender = self._sender(message)
        accounts = local_accounts(state, sender)
        if accounts is None:
            terms = Terms(requiretls=self._facts(message).get("requiretls", False))  # RFC 8689 §5
            return [], Outgoing(0, "", [str(sender)], b"", origin="notice", terms=terms)
        deliveries = []
        for account in accounts:
            inbox = state.mailboxes.find(account.id, "INBOX")
            if inbox is not None:
                prefix = render_return_path(None) + render_delivered_to(account_address(state.settings, account))
                deliveries.append(Delivery(inbox, prefix))
        return deliveries, None

    def _render(self, message: QueuedMessage, kind: str, recipients: Sequence[Recipient], message_id: str) -> bytes:
        settings = self._store.state.settings
        facts = self._facts(message)
        whole = facts.get("ret") == "FULL"
        options = facts.get("options", {})
        statuses: list[RecipientStatus] = [
            status_of(
                recipient,
                message,
                kind,
                options.get(recipient.address, {}).get("orcpt", ""),
                self._explain(message, recipient) or own_reason(kind, recipient, facts),
            )
            for recipient in recipients
        ]
        return render_dsn(
            Notice(
                sender=Person(f"postmaster@{settings.domain}", "Mail delivery"),
                to=str(self._sender(message)),
                date=self._store.now,
                message_id=f"<{message_id}>",
                reporting_mta=settings.hostname,
                arrival=message.time // 1_000_000,
                envelope_id=facts.get("envid", ""),
                deliver_by=facts.get("return_by", 0) or facts.get("deliver_by", 0),
                hold=facts.get("hold", ""),
                original=self._original(message, whole),
                whole=whole,
                recipients=statuses,
            )
        )

    def _sender(self, message: QueuedMessage) -> Mailbox:
        """Of a forward, the sender before it."""
        return sender_behind(self._store, parse_mailbox(message.reverse_path))

    def _facts(self, message: QueuedMessage) -> Mapping[str, Any]:
        try:
            return self._store.log.read_facts(message.id)
        except BodyUnreadable:
            return {}

    def _original(self, message: QueuedMessage, whole: bool) -> bytes:
        """The message, or enough of it for its header; nothing of one that cannot be read."""
        length = DSN_WHOLE_MAX if whole and message.size <= DSN_WHOLE_MAX else INTAKE_MAX_HEADER
        try:
            return self._store.log.read_range(message.id, 0, min(length, message.size))
        except BodyUnreadable:
            return b""


def _gathered(message: QueuedMessage, owed: Sequence[Recipient]) -> int:
    """When what is owed is to be told: at once if nothing is under way for the first time, else after a moment."""
    busy = any(r.state is RecipientState.IN_FLIGHT or (r.is_waiting and not r.attempts) for r in message.recipients)
    since = min(recipient.story[-1].time for recipient in owed) // 1_000_000
    return since + GATHER if busy else since


def _late(message: QueuedMessage) -> int:
    return max(message.time // 1_000_000, message.hold_until) + QUEUE_DELAYED


def _untold(message: QueuedMessage) -> list[Recipient]:
    """Those whose delay the sender would be told of; of the held ones he was asked."""
    if not message.reverse_path:
        return []
    return [
        r for r in message.recipients
        if r.state is RecipientState.DUE and r.attempts and not r.told and r.notify & Notify.DELAY
    ]  # fmt: skip


def _body_of(text: bytes) -> str:
    return "7BIT" if text.isascii() else "8BITMIME"
