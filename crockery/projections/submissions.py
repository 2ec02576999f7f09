"""Projection: how much each account sends, for the limits on it: messages and first-time recipients of the last day.

Counted by the hour; recipients are remembered by 64 bits of a hash, the latest `SUBMISSION_KNOWN` of each account (or
up to twice as many).
"""

from array import array
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from crockery.limits import SUBMISSION_KNOWN

_HOUR: Final = 3600
_HOURS: Final = 24
_FRESH: Final = 2000
"""Hashes in a set before they are sorted in among the others."""


class Known:
    """Hashes of recipients, oldest first: some ten octets each, of which a set of Python's would take ninety."""

    __slots__ = ("_all", "_fresh", "_sorted")

    def __init__(self, octets: bytes = b"") -> None:
        self._all = array("Q", octets)
        self._fresh: set[int] = set()
        self._sort()

    def __contains__(self, key: int) -> bool:
        if key in self._fresh:
            return True
        at = self._sorted.searchsorted(np.uint64(key))
        return bool(at < len(self._sorted) and self._sorted[at] == np.uint64(key))

    def add(self, key: int) -> None:
        """One that is not in it."""
        self._all.append(key)
        self._fresh.add(key)
        if len(self._all) >= 2 * SUBMISSION_KNOWN:
            del self._all[:-SUBMISSION_KNOWN]
            self._sort()
        elif len(self._fresh) >= _FRESH:
            self._sort()

    def dump(self) -> bytes:
        return self._all.tobytes()

    def _sort(self) -> None:
        self._fresh.clear()
        self._sorted: npt.NDArray[np.uint64] = np.sort(np.array(self._all, dtype=np.uint64))


class Sent:
    """What one account has sent."""

    __slots__ = ("known", "messages", "new")

    def __init__(self) -> None:
        self.messages: dict[int, int] = {}
        """Hour since 1970 -> messages."""
        self.new: dict[int, int] = {}
        """Hour since 1970 -> recipients it had never written to."""
        self.known = Known()


class Submissions:
    """What accounts have sent."""

    def __init__(self) -> None:
        self._by_account: dict[int, Sent] = {}

    def messages(self, account: int, now: int) -> int:
        """Messages to other servers in the 24 hours before `now` (unix seconds)."""
        sent = self._by_account.get(account)
        return _lately(sent.messages, now) if sent is not None else 0

    def new_recipients(self, account: int, now: int) -> int:
        """Recipients in these messages whom the account had never written to."""
        sent = self._by_account.get(account)
        return _lately(sent.new, now) if sent is not None else 0

    def unknown(self, account: int, addresses: Iterable[str]) -> int:
        """How many different ones of these the account has never written to."""
        sent = self._by_account.get(account)
        keys = {_key(address) for address in addresses}
        return sum(sent is None or key not in sent.known for key in keys)

    def dump(self) -> Any:
        return [
            [account, list(sent.messages.items()), list(sent.new.items()), sent.known.dump()]
            for account, sent in self._by_account.items()
        ]

    def load(self, dumped: Any) -> None:
        self._by_account = {}
        for account, messages, new, known in dumped:
            sent = self._by_account[account] = Sent()
            sent.messages, sent.new = dict(messages), dict(new)
            sent.known = Known(known)

    def message_queued(self, sequence: int, time: int, facts: Mapping[str, Any]) -> None:
        if facts["origin"] != "submitted" or not facts["account"]:
            return
        sent = self._by_account.get(facts["account"])
        if sent is None:
            sent = self._by_account[facts["account"]] = Sent()
        hour = time // 1_000_000 // _HOUR
        _count(sent.messages, hour, 1)
        new = 0
        for key in map(_key, facts["recipients"]):
            if key not in sent.known:
                sent.known.add(key)
                new += 1
        _count(sent.new, hour, new)

    def account_removed(self, sequence: int, time: int, facts: Mapping[str, Any]) -> None:
        self._by_account.pop(facts["account"], None)


def _key(address: str) -> int:
    return int.from_bytes(blake2b(address.casefold().encode("utf-8", "surrogatepass"), digest_size=8).digest())


def _count(hours: dict[int, int], hour: int, count: int) -> None:
    if not count:
        return
    hours[hour] = hours.get(hour, 0) + count
    while len(hours) > _HOURS + 1:
        del hours[min(hours)]


def _lately(hours: Mapping[int, int], now: int) -> int:
    """Those of this hour and the 23 before it."""
    hour = now // _HOUR
    return sum(count for at, count in hours.items() if hour - _HOURS < at <= hour)
