"""Of the sample log: mail without a secure way, what its sender was asked, and the answers."""

from collections.abc import Mapping
from typing import Any, Final

from crockery.actions import trust
from crockery.actions.actor import the_server
from crockery.actions.mail import Delivery
from crockery.actions.questions import NewQuestion, add_answer, add_letter, add_question, add_reminder
from crockery.actions.queue import (
    Outcome,
    add_cancel,
    add_reschedule,
    add_restore,
    record_outcomes,
    reschedule_recipients,
)
from crockery.actions.store import Atom, Store
from crockery.projections.questions import Question
from crockery.projections.queue import QueuedMessage
from tools.sample_log.mail import session_of_anna
from tools.sample_log.sending import FROM_CROCKERY, PLACE, PREFIX, inbox_of_anna, submit

_WEEK: Final = 7 * 86_400

CERTIFICATE: Final[Mapping[str, Any]] = {
    "kind": "certificate", "host": "mx.example.net", "reason": "Nobody vouches for it.", "fault": "self-signed",
    "spki": "cd" * 32, "names": ["mx.example.net"], "issuer": "itself", "not_before": 1, "not_after": 2,
}  # fmt: skip
NO_TLS: Final[Mapping[str, Any]] = {"kind": "no-tls", "host": "mx.bare.example", "reason": "It offers no encryption."}
POLICY: Final[Mapping[str, Any]] = {
    "kind": "policy", "host": "mx.strict.example", "reason": "Its domain forbids it.", "policy": "MTA-STS",
}  # fmt: skip


def fill(store: Store) -> None:
    """A question of each kind: trusted, cancelled and undone, sent all the same, and one that is open."""
    _trusted(store)
    _undone(store)
    _sent_against_policy(store)
    _open(store)
    store.log.commit()


def _held(store: Store, recipient: str, problem: Mapping[str, Any]) -> tuple[QueuedMessage, Question]:
    """A message that is held, and the question about it."""
    message = submit(store, recipient.partition("@")[0], recipient)
    held = Outcome([recipient], "held", why=problem["kind"], next=store.now + 900, problem=problem)
    record_outcomes(store, message, [held], place=PLACE)
    atom = store.atom(the_server())
    domain = recipient.partition("@")[2]
    question = _ask(store, atom, message, {domain: problem})
    atom.commit()
    return message, store.state.questions.by_id[question]


def _ask(
    store: Store,
    atom: Atom,
    message: QueuedMessage,
    problems: Mapping[str, Mapping[str, Any]],
    undo: Mapping[str, Any] | None = None,
) -> int:
    token = f"token-{message.id}{'-undo' if undo else ''}"
    asked, message_id = _letter(store, atom, token)
    question = NewQuestion(message.id, message.account, token, store.now + _WEEK, problems, undo)
    return add_question(atom, question, asked, message_id)


def _letter(store: Store, atom: Atom, name: str) -> tuple[int, str]:
    """A letter of Crockery's: its number and its Message-ID."""
    message_id = f"{name}@example.test"
    letter = FROM_CROCKERY % name.encode()
    return add_letter(store, atom, Delivery(inbox_of_anna(store), PREFIX), letter, message_id), message_id


def _trusted(store: Store) -> None:
    recipient = "judy@self.example"
    message, question = _held(store, recipient, CERTIFICATE)
    atom = store.atom(the_server())
    add_reminder(atom, question, 3, _letter(store, atom, "reminder")[0])
    atom.commit()
    atom = store.atom(session_of_anna(store))
    add_answer(atom, question, "trust", "trust self.example")
    grant = trust.add_grant(atom, question.account, "self.example", CERTIFICATE, question=question.id, cmd="answer")
    add_reschedule(store, atom, message.id, [recipient], cmd="answer")
    undo = {"answer": "trust", "recipients": [recipient], "grant": grant, "domain": "self.example"}
    _ask(store, atom, message, {}, undo)
    atom.commit()


def _undone(store: Store) -> None:
    """Cancelled, and taken up again; then it may go insecurely, and then not any more."""
    recipient = "karl@bare.example"
    anna = session_of_anna(store)
    message, question = _held(store, recipient, NO_TLS)
    atom = store.atom(anna)
    add_answer(atom, question, "cancel", "cancel")
    add_cancel(store, atom, message.id, [recipient], cmd="answer")
    confirmed = _ask(store, atom, message, {}, {"answer": "cancel", "recipients": [recipient]})
    atom.commit()
    atom = store.atom(anna)
    add_answer(atom, store.state.questions.by_id[confirmed], "undo", "undo")
    add_restore(store, atom, message.id, [recipient], cmd="answer")
    atom.commit()
    for insecure in (True, False):
        reschedule_recipients(store, anna, message.id, insecure=insecure, cmd="queue retry")


def _sent_against_policy(store: Store) -> None:
    recipient = "lena@strict.example"
    message, question = _held(store, recipient, POLICY)
    atom = store.atom(session_of_anna(store))
    add_answer(atom, question, "send", "send anyway")
    add_reschedule(store, atom, message.id, [recipient], insecure=True, against_policy=[recipient], cmd="answer")
    atom.commit()


def _open(store: Store) -> None:
    """What came was not understood."""
    _, question = _held(store, "mona@bare.example", NO_TLS)
    atom = store.atom(session_of_anna(store))
    add_answer(atom, question, "unclear", "What is this?")
    atom.commit()
