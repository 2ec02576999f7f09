"""Asks senders about held mail, once a message, and reminds them on the third and the sixth day. Without a task: `app`
has one that calls `work` when `next_time` has come.

Only mail of one of our accounts is asked about; a held forward asks the account that set the forward. What was asked
is asked again only when it is another trouble: another kind, or another key at the same host.
"""

import heapq
import logging
import secrets
from collections.abc import Mapping, Sequence
from typing import Any, Final

from crockery.actions.actor import the_server
from crockery.actions.errors import Refused
from crockery.actions.questions import NewQuestion, add_letter, add_question, add_reminder
from crockery.actions.store import Store
from crockery.assistant import questions as letters
from crockery.assistant.conversation.stories import (
    Problems,
    addressing,
    held_by,
    letter_box,
    original_of,
    problems_of,
)
from crockery.assistant.post import compose_letter
from crockery.assistant.tokens import make_token
from crockery.events.log import Appended
from crockery.events.types.queue import QUEUE_RELEASED, RECIPIENTS_ATTEMPTED
from crockery.limits import QUEUE_NOTICE_WAIT
from crockery.projections.questions import Question
from crockery.projections.queue import QueuedMessage, RecipientState

logger: Final = logging.getLogger(__name__)

REMINDER_DAYS: Final = (3, 6)
_DAY: Final = 86400
_AT_ONCE: Final = 20  # messages looked at before others get their turn: a letter takes a millisecond or less


class Asking:
    """What is to be asked, and when."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._queue = store.state.queue
        self._times: list[tuple[int, int]] = [
            (0, message.id) for message in self._queue.by_id.values() if problems_of(message)
        ]
        """When to look at which message: a heap, and what is in it."""
        self._planned = set(self._times)

    def note(self, batch: Sequence[Appended]) -> bool:
        """Durable events; whether there is something to do because of them."""
        held = []
        for event in batch:
            if event.type is RECIPIENTS_ATTEMPTED:
                message = self._queue.by_id.get(event.facts["message"])
                if message is not None and any(r.problem is not None for r in message.recipients):
                    held.append(message.id)  # or one that it had been waited for is done with
            elif event.type is QUEUE_RELEASED:
                held += [message.id for message in self._queue.by_id.values() if problems_of(message)]
        for number in held:
            self._plan(0, number)
        return bool(held)

    @property
    def next_time(self) -> int | None:
        """Unix seconds of the next `work`; None: nothing is to come."""
        return self._times[0][0] if self._times else None

    def work(self) -> None:
        """Ask what is due, some of it where that is much. Raises LogFull: then it is due still."""
        now = self._store.now
        for _ in range(_AT_ONCE):
            if not self._times or self._times[0][0] > now:
                return
            entry = self._times[0]
            self._look(entry[1], now)
            self._planned.discard(entry)
            heapq.heappop(self._times)

    def _look(self, number: int, now: int) -> None:
        """Ask or remind, if it is time, and see to it that the next look comes. Raises LogFull."""
        message = self._queue.by_id.get(number)
        if message is None or not message.account or self._queue.stands_still(message) or now >= message.expires:
            return
        problems = problems_of(message)
        if not problems:
            return
        asked = self._store.state.questions.of_message(number)
        new = {domain: problem for domain, problem in problems.items() if not _was_asked(asked, domain, problem)}
        if new:
            gathered = _gathered(message)
            if gathered > now:
                self._plan(gathered, number)
                return
            self._ask(message, problems)
            asked = self._store.state.questions.of_message(number)
        if asked:
            self._remind(message, asked, problems, now)

    def _remind(self, message: QueuedMessage, asked: Sequence[Question], problems: Problems, now: int) -> None:
        """The newest reminder that is due, and a look at the time of the next."""
        first, last = asked[0], asked[-1]
        done = max(question.reminded for question in asked)
        times = {day: first.asked_at + day * _DAY for day in REMINDER_DAYS if day > done}
        due = [day for day, time in times.items() if time <= now]
        if due:
            self._write(message, last, problems, due[-1])
        if len(due) < len(times):
            self._plan(min(time for time in times.values() if time > now), message.id)

    def _plan(self, time: int, number: int) -> None:
        if (time, number) not in self._planned:
            self._planned.add((time, number))
            heapq.heappush(self._times, (time, number))

    def _ask(self, message: QueuedMessage, problems: Problems) -> None:
        self._write(message, None, problems, 0)

    def _write(self, message: QueuedMessage, reminded: Question | None, problems: Problems, day: int) -> None:
        """The question, or a reminder of one. Raises LogFull."""
        store = self._store
        account = store.state.accounts.by_id.get(message.account)
        box = letter_box(store, account) if account is not None else None
        if account is None or box is None:
            return
        held = held_by(message, problems, store.state.trust, store.now)
        original = original_of(store, message.id)
        if reminded is None:
            token, letter = make_token(secrets.token_bytes), letters.ask(original, held, message.expires)
        else:
            days = max(day, (store.now - reminded.asked_at) // _DAY)  # it may come late
            token, letter = reminded.token, letters.remind(original, held, message.expires, days)
        message_id = f"{secrets.token_hex(16)}@{store.state.settings.domain}"
        mail = compose_letter(letter, addressing(store, account, message_id, token), original, is_reply=False)
        try:
            atom = store.atom(the_server())
            asked = add_letter(store, atom, box, mail, message_id)
            if reminded is None:
                question = NewQuestion(message.id, account.id, token, message.expires, problems)
                add_question(atom, question, asked, message_id)
            else:
                add_reminder(atom, reminded, day, asked)
            atom.commit()
        except Refused as error:
            logger.error("%s cannot be asked about message %d: %s", account.name, message.id, error)


def _was_asked(asked: Sequence[Question], domain: str, problem: Mapping[str, Any]) -> bool:
    """Whether a question put this trouble already."""
    for question in asked:
        known = question.problems.get(domain)
        if known is None or known["kind"] != problem["kind"]:
            continue
        if known["host"] != problem["host"] or known.get("spki") == problem.get("spki"):
            return True
    return False


def _gathered(message: QueuedMessage) -> int:
    """When one letter can tell all: at once if nothing is under way for the first time, else after a moment."""
    busy = any(r.state is RecipientState.IN_FLIGHT or (r.is_waiting and not r.attempts) for r in message.recipients)
    held = [r.story[0].time // 1_000_000 for r in message.recipients if r.state is RecipientState.HELD_INSECURE]
    return min(held) + QUEUE_NOTICE_WAIT if busy else 0
