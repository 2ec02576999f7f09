"""One message over one connection, and what becomes of it.

The order is what matters: AttemptBegun, durable, before the end of the content leaves; then the answer; then the
outcome. Only a crash, or a lost connection, between the end and its answer may send a message twice.
"""

import logging
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, Protocol

import trio

from crockery.actions.queue import Outcome, begin_attempt, record_outcomes
from crockery.actions.store import Store
from crockery.delivery.sending import outcomes
from crockery.delivery.sending.agenda import Work
from crockery.delivery.sending.outcomes import Chance, addresses
from crockery.delivery.sending.ways import Exchange, Obstacle
from crockery.events.errors import BodyUnreadable, LogFull
from crockery.events.log import Log
from crockery.events.writer import Writer
from crockery.limits import FULL_DISK_RETRY, QUEUE_OUTCOME_ROOM, QUEUE_PIECE, QUEUE_RECIPIENTS
from crockery.projections.queue import NOWHERE, Place, QueuedMessage, Recipient
from crockery.projections.smart_host import VERIFIED
from crockery.smtp.wire.capabilities import Capabilities
from crockery.smtp.wire.client import Stage
from crockery.smtp.wire.client_commands import DeliverBy, Transaction, obstacle
from crockery.smtp.wire.client_commands import Recipient as EnvelopeRecipient
from crockery.smtp.wire.client_events import EnvelopeAnswered, MessageAnswered
from crockery.smtp.wire.errors import LocalProtocolError
from crockery.smtp.wire.replies import Reply
from crockery.smtp.wire.xtext import encode_orcpt, encode_xtext

logger: Final = logging.getLogger(__name__)


class Signature(Protocol):
    """DKIM-Signature fields in the making."""

    async def fields(self) -> bytes:
        """The fields when they are there; b"" for none. Raises BodyUnreadable. Need not be asked."""


Sign = Callable[[QueuedMessage, Iterable[bytes]], Signature]
"""Begins to sign a message given in pieces, which are taken at once or in a thread."""

GIVEN_UP: Final = Reply(421, "4.3.0", "Crockery gave the connection up")
UNREADABLE: Final = Obstacle("failed", enhanced="5.3.0", why="unreadable", text="Crockery's copy of it is damaged")


class Unsigned:
    """A `Sign` that does not, and what it makes."""

    def __init__(self, message: QueuedMessage, pieces: Iterable[bytes]) -> None:
        pass

    async def fields(self) -> bytes:
        """None."""
        return b""


class _Content:
    """A message on its way out. A small one is signed while the server answers the envelope."""

    def __init__(self, log: Log, message: QueuedMessage, sign: Sign) -> None:
        self._log = log
        self._message = message
        self._whole = b""
        self._signature = sign(message, self._read())

    async def pieces(self) -> AsyncIterator[bytes]:
        """Its octets, signed. Raises BodyUnreadable."""
        signature = await self._signature.fields()
        if self._is_small:
            yield signature + self._read_whole()
            return
        yield signature
        for start in range(0, self._message.size, QUEUE_PIECE):
            yield await trio.to_thread.run_sync(self._log.read_range, self._message.id, start, QUEUE_PIECE)

    @property
    def _is_small(self) -> bool:
        return self._message.size <= QUEUE_PIECE

    def _read(self) -> Iterator[bytes]:
        if self._is_small:
            yield self._read_whole()
        else:
            yield from pieces_of(self._log, self._message)

    def _read_whole(self) -> bytes:
        """It is read once: for its signature, or else here."""
        self._whole = self._whole or b"".join(self._log.read_message(self._message.id))
        return self._whole


def pieces_of(log: Log, message: QueuedMessage) -> Iterator[bytes]:
    """A message in pieces, read one by one. Raises BodyUnreadable."""
    return (log.read_range(message.id, start, QUEUE_PIECE) for start in range(0, message.size, QUEUE_PIECE))


class Sender:
    """Carries out transactions."""

    def __init__(self, store: Store, writer: Writer, chance: Chance, sign: Sign) -> None:
        self._store = store
        self._writer = writer
        self._chance = chance
        self._sign = sign

    def facts(self, message: QueuedMessage) -> Mapping[str, Any] | None:
        """The facts of its MessageQueued; None when they cannot be read."""
        try:
            return self._store.log.read_facts(message.id)
        except BodyUnreadable as error:
            logger.error("message %d cannot be sent: %s", message.id, error)
            return None

    async def note_obstacle(self, work: Work, found: Obstacle) -> None:
        """There is no way."""
        results = outcomes.of_obstacle(work.recipients, found, self._store.now, self._chance)
        await self._record(work.message, results, place=found.place)

    async def send(self, work: Work, exchange: Exchange, facts: Mapping[str, Any]) -> bool:
        """Send a message to all its recipients there; True if any of them got it. Raises LogFull, LogFailed.

        LogFull: nothing was sent and nothing noted. After it the exchange may be over: see its client.
        """
        most = min(QUEUE_RECIPIENTS, exchange.client.capabilities.limit("RCPTMAX") or QUEUE_RECIPIENTS)
        got = False
        for start in range(0, len(work.recipients), most):
            if start and not exchange.client.may_send_more:
                break  # the rest is due still
            got |= await self._transact(work.message, work.recipients[start : start + most], exchange, facts)
        return got

    async def _transact(
        self, message: QueuedMessage, recipients: Sequence[Recipient], exchange: Exchange, facts: Mapping[str, Any]
    ) -> bool:
        client = exchange.client
        transaction = _transaction(message, recipients, facts, self._store.now)
        refusal = obstacle(transaction, client.capabilities)
        try:
            if refusal is None:
                client.mail(transaction)
        except LocalProtocolError as error:
            refusal = Reply(553, "5.1.3", str(error))
        if refusal is not None:
            words = (0, refusal.enhanced, refusal.text, "impossible")
            await self._record(message, [Outcome(addresses(recipients), "failed", *words)], exchange)
            return False
        content = _Content(self._store.log, message, self._sign)
        answered = await exchange.next_event()
        assert isinstance(answered, EnvelopeAnswered)
        accepted = [recipients[index] for index in answered.accepted]
        refused = [(r, reply) for i, (r, reply) in enumerate(zip(recipients, answered.replies, strict=True))
                   if i not in set(answered.accepted)]  # fmt: skip
        to, replies = [recipient for recipient, _ in refused], [reply for _, reply in refused]
        now, is_smart_host = self._store.now, _is_smart_host(exchange)
        results = outcomes.of_replies(to, replies, now, self._chance, is_smart_host=is_smart_host)
        attempt = 0
        got = False
        if accepted:
            tell = _tells(facts, client.capabilities)
            attempt, ended = await self._send_content(message, content, accepted, exchange, tell=tell)
            results += ended
            got = any(outcome.result in ("delivered", "relayed") for outcome in ended)
        await self._record(message, results, exchange, attempt)
        return got

    async def _send_content(
        self,
        message: QueuedMessage,
        content: _Content,
        accepted: Sequence[Recipient],
        exchange: Exchange,
        *,
        tell: bool,
    ) -> tuple[int, list[Outcome]]:
        """The content, and what its answer means; the AttemptBegun, 0 if it did not come to that."""
        client = exchange.client
        if not all(recipient.is_waiting for recipient in accepted):  # cancelled meanwhile: not one octet of it leaves
            client.abandon(GIVEN_UP)
            await exchange.next_event()
            return 0, []
        try:
            self._check_room()
            attempt = begin_attempt(self._store, message, addresses(accepted), exchange.place)
        except LogFull:
            exchange.close()
            raise
        try:
            async for piece in content.pieces():
                client.body(piece)
                if client.stage is not Stage.CONTENT:
                    break
                if len(piece) >= QUEUE_PIECE:
                    await exchange.send()
            await self._writer.wait_durable(attempt)
            if client.stage is Stage.CONTENT:
                client.end()
        except (BodyUnreadable, LocalProtocolError) as error:
            logger.error("message %d cannot be sent: %s", message.id, error)
            client.abandon(GIVEN_UP)
            return attempt, outcomes.of_obstacle(accepted, UNREADABLE, self._store.now, self._chance)
        answered = await exchange.next_event()
        assert isinstance(answered, MessageAnswered)
        has_dsn = "DSN" in client.capabilities
        why = "uncertain" if answered.is_uncertain else ""
        now = self._store.now
        told = outcomes.of_reply(
            accepted, answered.reply, now, self._chance, has_dsn=has_dsn, why=why, tell=tell,
            is_smart_host=_is_smart_host(exchange),
        )  # fmt: skip
        return attempt, told

    def _check_room(self) -> None:
        """No attempt without room for its outcome, and those of the others under way. Raises LogFull."""
        if not self._store.log.has_room(QUEUE_OUTCOME_ROOM * (len(self._store.state.queue.in_flight) + 1)):
            raise LogFull("the disk is full: nothing is sent, since what became of it could not be kept")

    async def is_readable(self, message: QueuedMessage) -> bool:
        """Whether all of it can be read: a damaged mail is better given back to its sender than delivered."""
        try:
            if message.size <= QUEUE_PIECE:
                self._read_all(message)
            else:
                await trio.to_thread.run_sync(self._read_all, message)
        except BodyUnreadable as error:
            logger.error("message %d cannot be delivered: %s", message.id, error)
            return False
        return True

    def _read_all(self, message: QueuedMessage) -> None:
        for _ in pieces_of(self._store.log, message):
            pass

    async def _record(
        self,
        message: QueuedMessage,
        results: Sequence[Outcome],
        exchange: Exchange | None = None,
        attempt: int = 0,
        place: Place | None = None,
    ) -> None:
        """Note outcomes, however long the disk is full: what happened must be known."""
        where = exchange.place if exchange is not None else place or NOWHERE
        while True:
            try:
                record_outcomes(self._store, message, results, attempt=attempt, place=where)
                return
            except LogFull as error:
                logger.error("what became of message %d waits to be noted: %s", message.id, error)
                await trio.sleep(FULL_DISK_RETRY)


def _transaction(
    message: QueuedMessage, recipients: Sequence[Recipient], facts: Mapping[str, Any], now: int
) -> Transaction:
    options = facts.get("options", {})
    return Transaction(
        reverse_path=message.reverse_path,
        recipients=tuple(_envelope_recipient(recipient.address, options) for recipient in recipients),
        size=message.size,
        eight_bit=facts["body"] == "8BITMIME",
        smtputf8=facts["smtputf8"],
        require_tls=facts.get("requiretls", False),
        ret=facts.get("ret", ""),
        envid=encode_xtext(facts.get("envid", "")),
        deliver_by=_deadline(facts, now),
    )


def _is_smart_host(exchange: Exchange) -> bool:
    return (exchange.place.tls or {}).get("verified") == VERIFIED


def _deadline(facts: Mapping[str, Any], now: int) -> DeliverBy | None:
    """The time left (RFC 2852 §4.1.4)."""
    returns = "return_by" in facts
    deadline: int = facts.get("return_by", 0) or facts.get("deliver_by", 0)
    return DeliverBy(deadline - now, returns, facts.get("by_trace", False)) if deadline else None


def _tells(facts: Mapping[str, Any], offered: Capabilities) -> bool:
    """Whether the sender hears that a server took it: so it asked, or nobody watches the deadline any more."""
    return facts.get("by_trace", False) or ("deliver_by" in facts and "DELIVERBY" not in offered)


def _envelope_recipient(address: str, options: Mapping[str, Any]) -> EnvelopeRecipient:
    given = options.get(address, {})
    return EnvelopeRecipient(address, ",".join(given.get("notify", ())), encode_orcpt(given.get("orcpt", "")))
