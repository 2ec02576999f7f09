"""Projection: the keys that our mail is signed with, and forwarded (where they are, never the keys)."""

from collections.abc import Mapping
from dataclasses import astuple, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class DKIMKey:
    """`id` is the event whose body is the private key; `record` the TXT record to publish."""

    id: int
    domain: str
    selector: str
    record: str


class Signing:
    """DKIM keys by domain, in the order they came."""

    def __init__(self) -> None:
        self.keys: dict[int, DKIMKey] = {}
        self.srs_key = 0
        """The event whose body is the key for reverse-paths of forwarded mail; 0: there is none yet."""
        self.position = 0

    def of_domain(self, domain: str) -> list[DKIMKey]:
        """The keys that sign for a domain of ours."""
        return [key for key in self.keys.values() if key.domain == domain]

    def dump(self) -> Any:
        return [[astuple(key) for key in self.keys.values()], self.srs_key, self.position]

    def load(self, dumped: Any) -> None:
        keys, self.srs_key, self.position = dumped
        self.keys = {values[0]: DKIMKey(*values) for values in keys}

    def srs_key_added(self, sequence: int, time: int, facts: Mapping[str, Any]) -> None:
        self.position = self.srs_key = sequence

    def dkim_key_added(self, sequence: int, time: int, facts: Mapping[str, Any]) -> None:
        self.position = sequence
        self.keys.pop(facts.get("replaces", 0), None)
        self.keys[sequence] = DKIMKey(sequence, facts["domain"], facts["selector"], facts["record"])
