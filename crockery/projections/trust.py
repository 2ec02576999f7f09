"""Projection: which ways to other domains are trusted though nobody vouches for them, and cached MTA-STS policies."""

from collections.abc import Mapping
from dataclasses import astuple, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Grant:
    """Mail to `domain` may go to `host` with the key `spki` (SHA-256, hex); both empty: it may go without TLS."""

    id: int
    time: int
    account: int
    domain: str
    host: str
    spki: str
    names: tuple[str, ...]

    @property
    def is_plain(self) -> bool:
        """It allows delivery without TLS."""
        return not self.spki


@dataclass(frozen=True, slots=True)
class StsPolicy:
    """A policy as fetched at `fetched` (unix seconds), good for `max_age` seconds."""

    domain: str
    id: str
    mode: str
    mx: tuple[str, ...]
    max_age: int
    fetched: int


class Trust:
    """Grants by number, and policies by domain."""

    def __init__(self) -> None:
        self.grants: dict[int, Grant] = {}
        self.policies: dict[str, StsPolicy] = {}
        self.position = 0

    def of_domain(self, domain: str) -> list[Grant]:
        """The grants for a recipient domain, oldest first."""
        return [grant for grant in self.grants.values() if grant.domain == domain]

    def pins(self, domain: str, host: str) -> frozenset[str]:
        """The keys that were granted for that host when mail goes to that domain."""
        return frozenset(g.spki for g in self.of_domain(domain) if g.spki and g.host == host)

    def allows_plain(self, domain: str) -> bool:
        """Whether mail to the domain may go without TLS."""
        return any(grant.is_plain for grant in self.of_domain(domain))

    def dump(self) -> Any:
        grants = [astuple(grant) for grant in self.grants.values()]
        return [grants, [astuple(policy) for policy in self.policies.values()], self.position]

    def load(self, dumped: Any) -> None:
        grants, policies, self.position = dumped
        self.grants = {
            number: Grant(number, time, account, domain, host, spki, tuple(names))
            for number, time, account, domain, host, spki, names in grants
        }
        self.policies = {
            domain: StsPolicy(domain, number, mode, tuple(mx), max_age, fetched)
            for domain, number, mode, mx, max_age, fetched in policies
        }

    # Folding: one method an event type.

    def trust_granted(self, sequence: int, time: int, facts: Mapping[str, Any]) -> None:
        self.position = sequence
        self.grants[sequence] = Grant(
            sequence,
            time,
            facts["account"],
            facts["domain"],
            facts["host"],
            facts["spki"],
            tuple(facts.get("names", ())),
        )

    def trust_revoked(self, sequence: int, time: int, facts: Mapping[str, Any]) -> None:
        self.position = sequence
        for grant in facts["grants"]:
            self.grants.pop(grant, None)

    def sts_policy_cached(self, sequence: int, time: int, facts: Mapping[str, Any]) -> None:
        self.position = sequence
        self.policies[facts["domain"]] = StsPolicy(
            facts["domain"], facts["id"], facts["mode"], tuple(facts["mx"]), facts["max_age"], facts["fetched"]
        )
