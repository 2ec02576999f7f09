"""What was asked, found by message and by token, and forgotten in time."""

from collections.abc import Mapping
from typing import Any

from crockery.projections.questions import Questions

DAY = 86_400
WEEK = 7 * DAY


def ask(questions: Questions, number: int, at: int, **more: Any) -> None:
    facts: Mapping[str, Any] = {
        "message": 1, "account": 1, "token": f"token{number}", "message_id": "", "expires": at + WEEK, "problems": {},
    }  # fmt: skip
    questions.question_asked(number, at * 1_000_000, {**facts, **more})


def test_questions_of_a_message_without_confirmations() -> None:
    questions = Questions()
    ask(questions, 2, 0)
    ask(questions, 3, 0, message=9)
    ask(questions, 4, 0)
    ask(questions, 5, 0, undo={"answer": "send", "recipients": []})
    loaded = Questions()
    loaded.load(questions.dump())
    for found in (questions, loaded):
        assert [question.id for question in found.of_message(1)] == [2, 4]
        assert [question.id for question in found.of_message(9)] == [3]
        assert found.of_message(7) == []
        assert found.by_token["token5"].undo is not None


def test_what_expired_long_ago_is_forgotten() -> None:
    questions = Questions()
    ask(questions, 2, 0)
    ask(questions, 3, DAY)
    ask(questions, 4, 2 * WEEK)
    assert list(questions.by_id) == [2, 3, 4]
    ask(questions, 5, 2 * WEEK + 1, message=9)
    assert list(questions.by_id) == [3, 4, 5] and "token2" not in questions.by_token
    ask(questions, 6, 5 * WEEK, message=9)
    assert list(questions.by_id) == [6] and questions.of_message(1) == []
