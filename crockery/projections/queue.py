"""Projection: mail that waits to go elsewhere. Entries only: sending is not here yet."""

from collections.abc import Mapping
from dataclasses import astuple, dataclass
from typing import Any


@dataclass(slots=True)
class QueuedMessage:
    """A message and the recipients it still has to reach."""

    id: int
    time: int
    account: int
    reverse_path: str
    recipients: list[str]
    size: int
    message_id: str


class Queue:
    """Queued messages by number, oldest first."""

    def __init__(self) -> None:
        self.by_id: dict[int, QueuedMessage] = {}
        self.position = 0

    def dump(self) -> Any:
        return [[astuple(message) for message in self.by_id.values()], self.position]

    def load(self, dumped: Any) -> None:
        messages, self.position = dumped
        self.by_id = {values[0]: QueuedMessage(*values) for values in messages}

    def message_queued(self, sequence: int, time: int, facts: Mapping[str, Any]) -> None:
        self.by_id[sequence] = QueuedMessage(
            sequence,
            time,
            facts["account"],
            facts["reverse_path"],
            list(facts["recipients"]),
            facts["size"] + len(facts["prefix"]),
            facts.get("message_id", ""),
        )
        self.position = sequence

    def recipients_cancelled(self, sequence: int, time: int, facts: Mapping[str, Any]) -> None:
        message = self.by_id.get(facts["message"])
        if message is not None:
            gone = set(facts["recipients"])
            message.recipients = [r for r in message.recipients if r not in gone]
            if not message.recipients:
                del self.by_id[message.id]
        self.position = sequence
