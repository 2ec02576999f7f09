"""Projection: messages nobody refers to any more, and secrets that were replaced: what may be erased, and since when.

A body may be shared: messages delivered to several recipients in one atom name the first by `body_of`. It may be erased
once every message that uses it is an orphan.
"""

import itertools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from crockery.events.ranges import unpack_numbers


class Retention:
    """Orphaned messages with the time they became so, sharing of bodies, and which bodies are erased."""

    def __init__(self) -> None:
        self.orphaned: dict[int, int] = {}
        """message number -> microseconds when the last reference went; oldest first, as far as the clock goes on."""
        self.replaced_secrets: set[int] = set()
        """Numbers of events whose secret bodies are to be erased at once."""
        self.body_of: dict[int, int] = {}
        """message number -> the event that has its body, where that is another."""
        self.sharers: dict[int, int] = {}
        """body number -> how many live messages use it, where more than one ever did."""
        self.parts: dict[int, list[int]] = {}
        """message number -> its BodyParts."""
        self.unreferenced_parts: set[int] = set()
        """BodyParts that no message has named yet."""
        self.unfinished: set[int] = set()
        """Bodies erased since the last orderly stop: overwriting them may have been interrupted."""

    def due(self, before: int) -> Iterator[int]:
        """Numbers of the messages whose retention ended at `before` (microseconds), oldest first."""
        return (number for number, _ in itertools.takewhile(lambda item: item[1] <= before, self.orphaned.items()))

    def erasable(self, messages: Iterable[int]) -> Iterator[list[int]]:
        """What may be erased when these messages are given up, body by body, each with its parts and all that share it.

        A body of which a sharer is not given up stays.
        """
        sharing: dict[int, list[int]] = {}
        for number in messages:
            body = self.body_of.get(number, number)
            users = sharing.setdefault(body, []) if body in self.sharers else []
            users.append(number)
            if len(users) >= self.sharers.get(body, 1):
                yield [*self.parts.get(body, ()), *users, *([] if body in users else [body])]

    def dump(self) -> Any:
        return [
            list(self.orphaned.items()),
            sorted(self.replaced_secrets),
            list(self.body_of.items()),
            list(self.sharers.items()),
            list(self.parts.items()),
            sorted(self.unreferenced_parts),
            sorted(self.unfinished),
        ]

    def load(self, dumped: Any) -> None:
        orphaned, secrets, body_of, sharers, parts, unreferenced, unfinished = dumped
        self.orphaned, self.body_of, self.sharers, self.parts = map(dict, (orphaned, body_of, sharers, parts))
        self.replaced_secrets, self.unreferenced_parts = set(secrets), set(unreferenced)
        self.unfinished = set(unfinished)

    # Folding: one method an event type.

    def body_part(self, sequence: int, time: int, facts: Mapping[str, Any]) -> None:
        self.unreferenced_parts.add(sequence)

    def body_stored(self, sequence: int, time: int, facts: Mapping[str, Any]) -> None:
        """MessageReceived and MessageQueued."""
        body = facts.get("body_of")
        if body is not None:
            self.body_of[sequence] = body
            self.sharers[body] = self.sharers.get(body, 1) + 1
        parts = facts.get("parts")
        if parts:
            self.parts[sequence] = list(parts)
            self.unreferenced_parts.difference_update(parts)

    def orphans_made(self, sequence: int, time: int, facts: Mapping[str, Any]) -> None:
        """Every event with `orphaned`."""
        self.orphaned.update(dict.fromkeys(unpack_numbers(facts["orphaned"]).tolist(), time))

    def message_restored(self, sequence: int, time: int, facts: Mapping[str, Any]) -> None:
        """RecipientsRestored: the message is needed again."""
        self.orphaned.pop(facts["message"], None)

    def secret_replaced(self, sequence: int, time: int, facts: Mapping[str, Any]) -> None:
        """PasswordSet, CertificateInstalled, DKIMKeyAdded."""
        if facts.get("replaces"):
            self.replaced_secrets.add(facts["replaces"])

    def app_password_removed(self, sequence: int, time: int, facts: Mapping[str, Any]) -> None:
        self.replaced_secrets.add(facts["app"])

    def account_removed(self, sequence: int, time: int, facts: Mapping[str, Any]) -> None:
        self.replaced_secrets.update(unpack_numbers(facts.get("secrets", b"")).tolist())

    def server_stopped(self, sequence: int, time: int, facts: Mapping[str, Any]) -> None:
        self.unfinished.clear()

    def bodies_erased(self, sequence: int, time: int, facts: Mapping[str, Any]) -> None:
        """Its numbers are those of the bodies, and of the messages that shared them."""
        for number in unpack_numbers(facts["numbers"]).tolist():
            self.unfinished.add(number)
            self.replaced_secrets.discard(number)
            self.unreferenced_parts.discard(number)
            self.orphaned.pop(number, None)
            self.parts.pop(number, None)
            self.sharers.pop(number, None)
            self.body_of.pop(number, None)
