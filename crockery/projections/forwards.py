"""Projection: when owners of forwards were last told that a message did not go on."""

from collections.abc import Mapping
from typing import Any


class Forwards:
    """By account and address; there are as many as forwards at most, and those that were."""

    def __init__(self) -> None:
        self.told: dict[tuple[int, str], int] = {}
        """Microseconds."""

    def dump(self) -> Any:
        return [[*key, time] for key, time in self.told.items()]

    def load(self, dumped: Any) -> None:
        self.told = {(account, address): time for account, address, time in dumped}

    def forward_kept(self, sequence: int, time: int, facts: Mapping[str, Any]) -> None:
        if facts["told"]:
            self.told[facts["account"], facts["address"]] = time
