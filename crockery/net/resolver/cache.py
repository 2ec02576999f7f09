"""Answers kept for their time to live, bounded in number.

RFC 2308 §5 (negative answers), RFC 8767 §4 (upper bounds), RFC 9520 §3.2 (failures).
"""

import collections
from typing import Generic, TypeVar

from crockery import limits
from crockery.net.resolver.answers import Answer, Status

K = TypeVar("K")
R = TypeVar("R")

_MAX_TTL = {
    Status.FOUND: limits.DNS_MAX_TTL,
    Status.NODATA: limits.DNS_MAX_NEGATIVE_TTL,
    Status.NXDOMAIN: limits.DNS_MAX_NEGATIVE_TTL,
    Status.SERVFAIL: limits.DNS_FAILURE_TTL,
    Status.BOGUS: limits.DNS_FAILURE_TTL,
}


class Cache(Generic[K, R]):
    """The least recently used goes first. Time is the caller's, in seconds of any clock that does not go back."""

    def __init__(self, size: int = limits.DNS_CACHE_SIZE) -> None:
        self._size = size
        self._kept: collections.OrderedDict[K, tuple[float, Answer[R]]] = collections.OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: K, now: float) -> Answer[R] | None:
        """The answer kept for `key`, unless its time is over."""
        found = self._kept.get(key)
        if found is None:
            return None
        expires, answer = found
        if expires <= now:
            del self._kept[key]
            return None
        self._kept.move_to_end(key)
        return answer

    def put(self, key: K, answer: Answer[R], now: float) -> None:
        """Keep `answer`; one without time to live is for those who have asked, and no one else."""
        ttl = bounded_ttl(answer)
        if ttl <= 0:
            return
        self._kept[key] = now + ttl, answer
        self._kept.move_to_end(key)
        if len(self._kept) > self._size:
            self._kept.popitem(last=False)


def bounded_ttl(answer: Answer[R]) -> int:
    """Seconds that `answer` may be kept: its own within the bounds of its kind; failures have none of their own."""
    maximum = _MAX_TTL[answer.status]
    return maximum if answer.is_temporary else min(answer.ttl, maximum)
