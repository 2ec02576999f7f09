"""Projection: the sessions that changed something, so that `by` in an event can be told as a person and a place."""

from collections.abc import Mapping
from typing import Any


class Sessions:
    """Facts of SessionOpened by number; a handful a day, kept for audit and undo."""

    def __init__(self) -> None:
        self.by_id: dict[int, dict[str, Any]] = {}

    def dump(self) -> Any:
        return list(self.by_id.items())

    def load(self, dumped: Any) -> None:
        self.by_id = dict(dumped)

    def session_opened(self, sequence: int, time: int, facts: Mapping[str, Any]) -> None:
        self.by_id[sequence] = {**facts, "time": time}
