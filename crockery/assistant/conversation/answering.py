"""An answer to a question: read, done and confirmed at once, in one atom, before the mail program is told "250".

When it cannot be read for certain, Crockery asks again and does nothing.
"""

import logging
import secrets
from collections.abc import Mapping, Sequence
from typing import Any, Final

from crockery.actions.actor import Actor
from crockery.actions.errors import Refused
from crockery.actions.questions import NewQuestion, add_answer, add_letter, add_question
from crockery.actions.queue import add_cancel, add_reschedule, add_restore
from crockery.actions.store import Atom, Store
from crockery.actions.trust import add_grant, add_revocation
from crockery.assistant import confirmations, questions
from crockery.assistant.answers import Answer, is_offered, read_answer
from crockery.assistant.conversation.stories import addressing, held_by, letter_box, original_of, told_held
from crockery.assistant.facts import Held, Original
from crockery.assistant.letter import Letter
from crockery.assistant.may_answer import why_no_answer
from crockery.assistant.post import compose_letter
from crockery.assistant.tokens import make_token
from crockery.assistant.verbs import Verb
from crockery.delivery.intake import Message
from crockery.events.body import decompress_frames
from crockery.events.errors import BodyUnreadable
from crockery.limits import ANSWER_READ
from crockery.projections.questions import Question
from crockery.projections.queue import RecipientState

logger: Final = logging.getLogger(__name__)

_SAME: Final = {"changed": "certificate"}
"""Kinds of problems that are alike to who sends just this message."""


class Answering:
    """A `delivery.answers.Answers`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def take(self, actor: Actor, question: Question, message: Message, reverse_path: str) -> None:
        """Do what an answer says, and confirm it. What programs wrote is passed over. Raises LogFull."""
        data = _octets(self._store, message)
        reason = why_no_answer(data, reverse_path)
        if reason is not None:
            logger.info("a mail to question %d is no answer: %s", question.id, reason)
            return
        turn = _Turn(self._store, self._store.atom(actor), question, original_of(self._store, question.message))
        turn.take(read_answer(data))


class _Turn:
    """One answer, and the atom that it becomes."""

    def __init__(self, store: Store, atom: Atom, question: Question, original: Original) -> None:
        self._store = store
        self._atom = atom
        self._question = question
        self._original = original
        self._state = store.state

    def take(self, answer: Answer) -> None:
        question = self._question
        too_late = self._too_late()
        message = self._state.queue.by_id.get(question.message)
        if message is not None and self._state.queue.stands_still(message):
            self._note(answer, "unclear")
            self._send(confirmations.stand_still(self._original))
        elif too_late:
            self._note(answer, "unclear")
            self._send(confirmations.decline(self._original, too_late))
        elif question.undo is not None:
            self._take_undo(answer)
        else:
            self._take_choice(answer)
        self._atom.commit()

    def _too_late(self) -> str:
        """Why nothing can be done; "" if something can."""
        question, message = self._question, self._state.queue.find(self._question.message)
        if message is None or self._store.now >= question.expires:
            return confirmations.GIVEN_UP
        if question.undo is not None:
            return confirmations.NOTHING_TO_UNDO if question.answer else ""
        states = {r.state for r in message.recipients if r.domain in question.problems}
        if states & {RecipientState.DUE, RecipientState.HELD_INSECURE}:
            return ""
        if RecipientState.CANCELLED in states:
            return confirmations.ALREADY_CANCELLED
        return confirmations.GIVEN_UP if states == {RecipientState.FAILED} else confirmations.ALREADY_SENT

    def _take_choice(self, answer: Answer) -> None:
        question = self._question
        message = self._state.queue.by_id[question.message]
        held = held_by(message, question.problems, self._state.trust, self._store.now)
        waiting = [address for each in held for address in each.recipients]
        if answer.verb is None or not is_offered(answer, questions.offered(held)):
            self._note(answer, "unclear")
            letter = questions.ask_again(self._original, held, message.expires, answer.line)
            self._send(letter, token=question.token)
            return
        if self._is_overtaken(answer):
            self._note(answer, "unclear")
            self._send(confirmations.overtaken(self._original))
            return
        self._note(answer, answer.verb.value)
        store, atom = self._store, self._atom
        match answer.verb:
            case Verb.CANCEL:
                add_cancel(store, atom, message.id, waiting, cmd="answer")
                self._confirm(confirmations.confirm_cancel(self._original, held, can_undo=True), answer, waiting)
            case Verb.RETRY:
                add_reschedule(store, atom, message.id, waiting, cmd="answer")
                self._send(confirmations.confirm_retry(self._original, held, message.expires))
            case Verb.SEND:
                grave = [a for h in held if question.problems[h.domain]["kind"] == "policy" for a in h.recipients]
                add_reschedule(store, atom, message.id, waiting, insecure=True, against_policy=grave, cmd="answer")
                self._confirm(confirmations.confirm_send(self._original, held, can_undo=True), answer, waiting)
            case Verb.TRUST:
                self._trust(answer, next(each for each in held if each.domain == answer.domain))

    def _is_overtaken(self, answer: Answer) -> bool:
        """Whether a newer question about the message tells of what this answer cannot have meant."""
        asked = self._question
        if answer.verb not in (Verb.SEND, Verb.TRUST):
            return False
        return any(
            newer.id > asked.id
            and answer.domain in ("", domain)
            and _differs(answer.verb, asked.problems[domain], found)
            for newer in self._state.questions.of_message(asked.message)
            for domain, found in newer.problems.items()
            if domain in asked.problems
        )

    def _trust(self, answer: Answer, held: Held) -> None:
        """Grant what was seen, a new key in place of the old, and try all mail again that the grant lets go."""
        store, atom, question = self._store, self._atom, self._question
        problem = question.problems[held.domain]
        replaced = [
            grant for grant in self._state.trust.of_domain(held.domain) if grant.spki and grant.host == problem["host"]
        ]
        if replaced:
            add_revocation(atom, replaced, cmd="answer")
        grant = add_grant(atom, question.account, held.domain, problem, question=question.id, cmd="answer")
        for message in self._state.queue.by_id.values():
            there = [
                r.address
                for r in message.recipients
                if r.domain == held.domain and r.state is RecipientState.HELD_INSECURE
            ]
            if there and not self._state.queue.stands_still(message):
                add_reschedule(store, atom, message.id, there, cmd="answer")
        letter = confirmations.confirm_trust(self._original, held, can_undo=True)
        self._confirm(letter, answer, held.recipients, grant)

    def _take_undo(self, answer: Answer) -> None:
        undo = self._question.undo
        assert undo is not None
        done = Verb(undo["answer"])
        if not is_offered(answer, confirmations.UNDO):
            self._note(answer, "unclear")
            now = self._store.now
            held = told_held(self._question.problems, undo["recipients"], self._state.trust, now)
            self._send(self._confirmation(done, held), token=self._question.token)
            return
        self._note(answer, Verb.UNDO.value)
        is_held = self._undo(done, undo["recipients"], undo.get("grant", 0))
        if not is_held and done is not Verb.TRUST:
            self._send(confirmations.confirm_undo(self._original, done, is_held=False))
            return
        self._send(confirmations.confirm_undo(self._original, done, undo.get("domain", ""), is_held=is_held))

    def _undo(self, done: Verb, recipients: Sequence[str], grant: int) -> bool:
        """Take back what was done; whether anybody waits again."""
        store, atom, number = self._store, self._atom, self._question.message
        if grant and grant in self._state.trust.grants:
            add_revocation(atom, [self._state.trust.grants[grant]], cmd="answer")
        try:
            if done is Verb.CANCEL:
                add_restore(store, atom, number, recipients, cmd="answer")
                return True
            message = self._state.queue.by_id.get(number)
            waiting = [r.address for r in message.select(recipients) if r.is_waiting] if message is not None else []
            if waiting:
                add_reschedule(store, atom, number, waiting, insecure=False, cmd="answer")
            return bool(waiting)
        except Refused:
            return False

    def _confirmation(self, done: Verb, held: Sequence[Held]) -> Letter:
        if done is Verb.CANCEL:
            return confirmations.confirm_cancel(self._original, held, can_undo=True)
        if done is Verb.SEND:
            return confirmations.confirm_send(self._original, held, can_undo=True)
        return confirmations.confirm_trust(self._original, held[0], can_undo=True)

    def _note(self, answer: Answer, understood: str) -> None:
        add_answer(self._atom, self._question, understood, answer.line)

    def _confirm(self, letter: Letter, answer: Answer, recipients: Sequence[str], grant: int = 0) -> None:
        """A confirmation whose token undoes it."""
        question = self._question
        token = make_token(secrets.token_bytes)
        undo: dict[str, object] = {"answer": str(answer.verb), "recipients": list(recipients)}
        if grant:
            undo |= {"grant": grant, "domain": answer.domain}
        expires = question.expires
        new = NewQuestion(question.message, question.account, token, expires, question.problems, undo)
        sent = self._send(letter, token=token)
        if sent is not None:
            add_question(self._atom, new, *sent)

    def _send(self, letter: Letter, *, token: str = "") -> tuple[int, str] | None:
        """The letter into the INBOX of who answered; its number and Message-ID."""
        store = self._store
        account = self._state.accounts.by_id.get(self._question.account)
        box = letter_box(store, account) if account is not None else None
        if account is None or box is None:
            return None
        message_id = f"{secrets.token_hex(16)}@{self._state.settings.domain}"
        mail = compose_letter(letter, addressing(store, account, message_id, token), self._original, is_reply=True)
        return add_letter(store, self._atom, box, mail, message_id), message_id


def _differs(verb: Verb, asked: Mapping[str, Any], found: Mapping[str, Any]) -> bool:
    """Whether *send* or *trust*, said of one problem, cannot be meant for another.

    Who would send it to a server that cannot prove its name need not want it sent without TLS, or against the domain's
    own policy. And only a key that was told of can be trusted.
    """
    kinds = {_SAME.get(problem["kind"], problem["kind"]) for problem in (asked, found)}
    return len(kinds) > 1 or (verb is Verb.TRUST and asked.get("spki") != found.get("spki"))


def _octets(store: Store, message: Message) -> bytes:
    """The answer; of one so large that it is in the log already, its beginning, which has the text."""
    body = message.body
    if body.stored is not None:
        return decompress_frames(body.stored.data, body.stored.frames)
    try:
        return store.log.read_range(body.parts[0], 0, ANSWER_READ)
    except BodyUnreadable as error:
        logger.error("an answer cannot be read: %s", error)
        return message.header.data  # which is no answer
