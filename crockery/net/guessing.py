"""How guessing passwords is made slow: delays that grow, and bans, by network and by account. Pure of Trio.

Every try counts as a failure from its beginning, until it turns out good: who tries a hundred at once gains nothing.
A network that guesses wrong too often is banned for a while. An account is never banned, or strangers could lock its
owner out: tries at it are delayed a little, wherever they come from. Peers on this machine are never banned nor
delayed as a network: a proxy or a web page there stands for many people; the delay of the account holds for them too.
"""

from collections.abc import Callable
from dataclasses import dataclass

from crockery import limits
from crockery.net.peers import Remembered, network_of


@dataclass(slots=True)
class _Failures:
    count: int
    last: float


class Guessing:
    """Counts failures. `clock` gives monotonic seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._networks: Remembered[_Failures] = Remembered()
        self._names: Remembered[_Failures] = Remembered()
        self._banned: Remembered[float] = Remembered()
        """network -> until when."""

    def is_banned(self, peer: str) -> bool:
        """Whether the peer's network is banned now."""
        if not self._banned:
            return False
        network = network_of(peer)
        until = self._banned.get(network)
        if until is None:
            return False
        if self._clock() < until:
            return True
        del self._banned[network]
        return False

    def begin(self, name: str, peer: str) -> float:
        """A try begins: counts it as failed; returns for how many seconds it is to wait before it is looked at."""
        return max(
            _delay(self._add(self._networks, network_of(peer)), limits.DELAY_MAX),
            _delay(self._add(self._names, name), limits.ACCOUNT_DELAY_MAX),
        )

    def succeeded(self, name: str, peer: str) -> None:
        """The try was good after all."""
        for failures in (self._networks.get(network_of(peer)), self._names.get(name)):
            if failures is not None and failures.count:
                failures.count -= 1

    def failed(self, peer: str) -> bool:
        """The try was wrong; returns whether the network is banned now because of it."""
        network = network_of(peer)
        failures = self._networks.get(network)
        if not network or failures is None or failures.count < limits.BAN_FAILURES:
            return False
        del self._networks[network]
        self._banned.put(network, self._clock() + limits.BAN_TIME)
        return True

    def _add(self, known: Remembered[_Failures], key: str) -> int:
        """Count one more; returns how many there were before."""
        if not key:
            return 0
        now = self._clock()
        failures = known.get(key)
        if failures is None or now - failures.last > limits.FAILURES_FORGOTTEN:
            failures = _Failures(0, now)
        failures.count += 1
        failures.last = now
        known.put(key, failures)
        return failures.count - 1


def _delay(failures: int, most: float) -> float:
    """Nothing for the first few, then doubling."""
    beyond = failures - limits.FREE_FAILURES
    return 0.0 if beyond < 0 else min(most, limits.DELAY_STEP * 2.0 ** min(beyond, 16))
