"""What may be erased, and saying so: mail whose retention ended, secrets that were replaced, parts nobody named.

Saying so is an event; the zeros come after it is durable (`Log.erase_bodies`), and again at the next start if that was
interrupted. A body that several messages share goes when the last of them does.
"""

from collections.abc import Iterable

import numpy as np

from crockery.actions.store import Store
from crockery.events.ranges import pack_numbers
from crockery.events.types import Event
from crockery.events.types.server import BODIES_ERASED
from crockery.limits import ERASE_BATCH

_DAY = 86400 * 1_000_000


def replaced_secrets(store: Store) -> list[int]:
    """Events whose secret bodies were replaced or revoked."""
    return sorted(store.state.retention.replaced_secrets)


def unreferenced_parts(store: Store) -> list[int]:
    """BodyParts that no message names. Only at a start: while sessions run, a message may still be coming in."""
    return sorted(store.state.retention.unreferenced_parts)


def retention_ended(store: Store, now: int) -> list[int]:
    """Some ERASE_BATCH messages, with bodies and parts, deleted for longer than retention-days; `now` in microseconds.

    Sharers are named along with the body they share. Call again until it gives none.
    """
    retention = store.state.retention
    due = retention.due(now - store.state.settings.number("retention-days") * _DAY)
    numbers: list[int] = []
    for body in retention.erasable(due):
        numbers += body
        if len(numbers) >= ERASE_BATCH:
            break
    return sorted(numbers)


def note_erased(store: Store, numbers: Iterable[int], why: str) -> None:
    """Note that these bodies are zeros from now on. Raises LogFull, LogFailed."""
    packed = pack_numbers(np.array(list(numbers), dtype=np.uint64))
    store.log.append([Event(BODIES_ERASED, {"numbers": packed, "why": why})])
