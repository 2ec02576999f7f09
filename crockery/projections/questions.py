"""Projection: what senders were asked about held messages, and may still answer."""

from collections.abc import Mapping
from dataclasses import astuple, dataclass
from typing import Any

from crockery.limits import QUESTION_KEPT


@dataclass(slots=True)
class Question:
    """A question, or a confirmation whose token undoes something (`undo`)."""

    id: int
    message: int
    """The queued message."""
    account: int
    token: str
    message_id: str
    asked_at: int
    """Unix seconds; `expires` too."""
    expires: int
    problems: dict[str, Mapping[str, Any]]
    undo: Mapping[str, Any] | None
    """As `events.types.trust.Undo`."""
    answer: str = ""
    """What it was answered with last; "" before."""
    reminded: int = 0
    """The day of the last reminder."""


class Questions:
    """Questions by number and by token."""

    def __init__(self) -> None:
        self.by_id: dict[int, Question] = {}
        self.by_token: dict[str, Question] = {}
        self._by_message: dict[int, list[Question]] = {}
        self.position = 0

    def of_message(self, message: int) -> list[Question]:
        """The questions about a queued message, oldest first."""
        return [question for question in self._by_message.get(message, ()) if question.undo is None]

    def dump(self) -> Any:
        return [[astuple(question) for question in self.by_id.values()], self.position]

    def load(self, dumped: Any) -> None:
        questions, self.position = dumped
        self.by_id, self.by_token, self._by_message = {}, {}, {}
        for values in questions:
            self._add(Question(*values))

    def _add(self, question: Question) -> None:
        self.by_id[question.id] = question
        self.by_token[question.token] = question
        self._by_message.setdefault(question.message, []).append(question)

    def _forget(self, now: int) -> None:
        """The oldest ones, once they have expired."""
        while self.by_id and (oldest := next(iter(self.by_id.values()))).expires + QUESTION_KEPT < now:
            del self.by_id[oldest.id], self.by_token[oldest.token]
            others = self._by_message[oldest.message]
            others.remove(oldest)
            if not others:
                del self._by_message[oldest.message]

    # Folding: one method an event type.

    def question_asked(self, sequence: int, time: int, facts: Mapping[str, Any]) -> None:
        self.position = sequence
        now = time // 1_000_000
        self._forget(now)
        question = Question(
            sequence,
            facts["message"],
            facts["account"],
            facts["token"],
            facts["message_id"],
            now,
            facts["expires"],
            dict(facts["problems"]),
            facts.get("undo"),
        )
        self._add(question)

    def question_reminded(self, sequence: int, time: int, facts: Mapping[str, Any]) -> None:
        self.position = sequence
        question = self.by_id.get(facts["question"])
        if question is not None:
            question.reminded = facts["day"]

    def question_answered(self, sequence: int, time: int, facts: Mapping[str, Any]) -> None:
        self.position = sequence
        question = self.by_id.get(facts["question"])
        if question is not None and facts["answer"] != "unclear":
            question.answer = facts["answer"]
