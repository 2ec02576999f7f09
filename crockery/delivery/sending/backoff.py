"""When a recipient is tried again. Pure: time and chance come in."""

from typing import Final

_MINUTE: Final = 60
_HOUR: Final = 3600

DELAYS: Final = (
    1 * _MINUTE, 5 * _MINUTE, 15 * _MINUTE, 30 * _MINUTE, 1 * _HOUR, 2 * _HOUR, 4 * _HOUR,
)  # fmt: skip
"""Seconds from an attempt to the next; the last one is repeated. The first two are for greylisting."""

JITTER: Final = 0.2
"""Each delay is longer or shorter by up to this share, so that what failed together does not come back together."""


def next_attempt(now: int, attempts: int, chance: float) -> int:
    """Unix seconds of the attempt after `attempts` of them (at least one); `chance` is from 0 to 1."""
    delay = DELAYS[min(attempts, len(DELAYS)) - 1]
    return now + round(delay * (1 + JITTER * (2 * chance - 1)))
