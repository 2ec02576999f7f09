"""Actions on questions: asked, reminded of, answered. The mail that carries one is delivered in the same atom."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from crockery.actions.incoming import received
from crockery.actions.mail import Delivery, add_delivery
from crockery.actions.store import Atom, Store
from crockery.events.types.trust import QUESTION_ANSWERED, QUESTION_ASKED, QUESTION_REMINDED
from crockery.projections.questions import Question


class NewQuestion(NamedTuple):
    """A question about to be asked; see `events.types.trust.QuestionAsked`."""

    message: int
    account: int
    token: str
    expires: int
    problems: Mapping[str, Mapping[str, Any]]
    undo: Mapping[str, Any] | None = None


def add_letter(store: Store, atom: Atom, delivery: Delivery, mail: bytes, message_id: str) -> int:
    """A mail of Crockery's into a mailbox, as a part of an atom; `message_id` without brackets. Returns its number."""
    number = atom.next
    add_delivery(store, atom, received(mail), [delivery], via="server", message_id=message_id)
    return number


def add_question(atom: Atom, question: NewQuestion, asked: int, message_id: str) -> int:
    """The word that the mail `asked` put a question; returns its number."""
    facts = {**question._asdict(), "asked": asked, "message_id": message_id}
    if question.undo is None:
        del facts["undo"]
    return atom.add(QUESTION_ASKED, facts)


def add_reminder(atom: Atom, question: Question, day: int, asked: int) -> None:
    """The word that the mail `asked` reminded of a question."""
    atom.add(QUESTION_REMINDED, {"question": question.id, "day": day, "asked": asked})


def add_answer(atom: Atom, question: Question, answer: str, text: str) -> int:
    """The word that an answer came and what it was understood as; returns its number."""
    facts = {"by": atom.by, "question": question.id, "answer": answer, "text": text}
    return atom.add(QUESTION_ANSWERED, facts)
