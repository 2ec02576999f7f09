"""Replies and failures as outcomes of recipients. Pure: time and chance come in.

A 4yz reply, or no reply, is tried again; a 5yz reply is final (RFC 5321 section 4.2.1), but for those that are about
our connection and not about the message or the recipient: that the smart host wants a login, or does not believe it.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from crockery.actions.queue import Outcome
from crockery.delivery.sending.backoff import next_attempt
from crockery.delivery.sending.ways import Obstacle
from crockery.projections.queue import Recipient
from crockery.projections.smart_host import LOGIN
from crockery.smtp.wire.replies import Reply

_LOGIN_REPLIES: Final = frozenset((530, 534, 535, 538))
"""RFC 4954 §6."""

Chance = Callable[[], float]
"""A number from 0 to 1, another one each time."""


def of_reply(
    recipients: Sequence[Recipient],
    reply: Reply,
    now: int,
    chance: Chance,
    *,
    has_dsn: bool,
    why: str = "",
    tell: bool = False,
    is_smart_host: bool = False,
) -> list[Outcome]:
    """What one reply means for recipients; `tell`: the sender wants to hear that the server took it."""
    said = (reply.code, reply.enhanced, reply.text)
    if reply.is_positive:
        return [Outcome(addresses(recipients), "delivered" if has_dsn else "relayed", *said, tell=tell)]
    if is_smart_host and reply.code in _LOGIN_REPLIES:
        said = (reply.code, "4" + (reply.enhanced or "5.7.0")[1:], reply.text)
        return _later(recipients, Outcome((), "deferred", *said, LOGIN), now, chance)
    if reply.code >= 500:
        return [Outcome(addresses(recipients), "failed", *said, why)]
    return _later(recipients, Outcome((), "deferred", *said, why), now, chance)


def of_obstacle(recipients: Sequence[Recipient], obstacle: Obstacle, now: int, chance: Chance) -> list[Outcome]:
    """What it means that there is no way."""
    said = (obstacle.code, obstacle.enhanced, obstacle.text, obstacle.why)
    if obstacle.result == "failed":
        return [Outcome(addresses(recipients), "failed", *said)]
    return _later(recipients, Outcome((), obstacle.result, *said, problem=obstacle.problem), now, chance)


def of_replies(
    recipients: Sequence[Recipient], replies: Iterable[Reply], now: int, chance: Chance, *, is_smart_host: bool = False
) -> list[Outcome]:
    """One reply each; those with the same reply come together."""
    together: dict[Reply, list[Recipient]] = {}
    for recipient, reply in zip(recipients, replies, strict=True):
        together.setdefault(reply, []).append(recipient)
    return [
        outcome
        for reply, them in together.items()
        for outcome in of_reply(them, reply, now, chance, has_dsn=False, is_smart_host=is_smart_host)
    ]


def addresses(recipients: Iterable[Recipient]) -> list[str]:
    """Their addresses."""
    return [recipient.address for recipient in recipients]


def _later(recipients: Sequence[Recipient], outcome: Outcome, now: int, chance: Chance) -> list[Outcome]:
    """The outcome with the time of the next attempt: the same for those with as many attempts behind them."""
    by_attempts: dict[int, list[str]] = {}
    for recipient in recipients:
        by_attempts.setdefault(recipient.attempts + 1, []).append(recipient.address)
    return [
        outcome._replace(recipients=them, next=next_attempt(now, attempts, chance()))
        for attempts, them in by_attempts.items()
    ]
