"""Projection: how secure connections to other domains were, by day and policy, for TLS-RPT (RFC 8460 §4).

Days are those of UTC, and the latest `TLS_TALLY_DAYS` are kept. A day holds so many policies and failures of each; what
is beyond is counted in `left_out`, or without its details.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from crockery.limits import TLS_TALLY_DAYS, TLS_TALLY_FAILURES, TLS_TALLY_POLICIES

_DAY: Final = 86_400_000_000


class PolicyKey(NamedTuple):
    """The policy domain; "tlsa", "sts" or "no-policy-found"; and the policy itself, which may change within a day. It
    is empty where there is none, or none was to be had."""

    domain: str
    kind: str
    strings: tuple[str, ...] = ()


class Failure(NamedTuple):
    """What failures are told apart by; "" where there is nothing to say. `own` is the address they went out from."""

    result: str
    reason: str = ""
    host: str = ""
    address: str = ""
    own: str = ""


@dataclass(slots=True)
class Tally:
    """The sessions of one day under one policy, whose MX patterns are `mx`."""

    successes: int = 0
    failures: dict[Failure, int] = field(default_factory=dict)
    mx: tuple[str, ...] = ()


@dataclass(slots=True)
class Day:
    """All tallies of a day; `left_out` counts the sessions under policies that there was no room for."""

    tallies: dict[PolicyKey, Tally] = field(default_factory=dict)
    left_out: int = 0


class TLSTallies:
    """Days by their number since 1970, oldest first."""

    def __init__(self) -> None:
        self.days: dict[int, Day] = {}

    def dump(self) -> Any:
        return [
            [number, day.left_out, [_dump(*item) for item in day.tallies.items()]] for number, day in self.days.items()
        ]

    def load(self, dumped: Any) -> None:
        self.days = {number: Day(dict(map(_load, tallies)), left_out) for number, left_out, tallies in dumped}

    def tls_judged(self, sequence: int, time: int, facts: Mapping[str, Any]) -> None:
        day = self._day(time // _DAY)
        if day is None:
            return
        for session in facts["sessions"]:
            _count(day, session)

    def _day(self, number: int) -> Day | None:
        """The day, if it is to be kept: a clock that was set back does not bring old ones again."""
        if number not in self.days:
            if number <= max(self.days, default=0) - TLS_TALLY_DAYS:
                return None
            self.days[number] = Day()
            for old in [day for day in self.days if day <= max(self.days) - TLS_TALLY_DAYS]:
                del self.days[old]
            self.days = dict(sorted(self.days.items()))
        return self.days[number]


def _count(day: Day, session: Mapping[str, Any]) -> None:
    key = PolicyKey(session["of"], session["policy"], tuple(session.get("strings", ())))
    tally = day.tallies.get(key)
    if tally is None:
        if len(day.tallies) >= TLS_TALLY_POLICIES:
            day.left_out += 1
            return
        tally = day.tallies[key] = Tally(mx=tuple(session.get("mx", ())))
    if "result" not in session:
        tally.successes += 1
        return
    failure = Failure(session["result"], *(session.get(name, "") for name in Failure._fields[1:]))
    if failure not in tally.failures and len(tally.failures) >= TLS_TALLY_FAILURES:
        failure = Failure(session["result"])
    tally.failures[failure] = tally.failures.get(failure, 0) + 1


def _dump(key: PolicyKey, tally: Tally) -> Any:
    failures = [[*failure, count] for failure, count in tally.failures.items()]
    return [key.domain, key.kind, tally.successes, failures, key.strings, tally.mx]


def _load(dumped: Any) -> tuple[PolicyKey, Tally]:
    domain, kind, successes, failures, strings, mx = dumped
    counted = {Failure(*values[:-1]): values[-1] for values in failures}
    return PolicyKey(domain, kind, tuple(strings)), Tally(successes, counted, tuple(mx))
