"""The addresses under which Crockery itself is written to: answers to its questions, from the account it asked.

`crockery@DOMAIN`, with `+TOKEN` or without, belongs to nobody, whatever the wildcard says. The log knows the token.
"""

from typing import Protocol

from crockery.actions.actor import Actor
from crockery.delivery.intake import Message
from crockery.delivery.recipients import is_local_domain
from crockery.projections.accounts import CROCKERYS_NAME
from crockery.projections.questions import Question
from crockery.projections.state import State
from crockery.smtp.wire import Mailbox


class Answers(Protocol):
    """Does what an answer says."""

    def take(self, actor: Actor, question: Question, message: Message, reverse_path: str) -> None:
        """An answer from the account that was asked. Raises LogFull: then nothing happened."""


def is_crockerys(state: State, address: Mailbox) -> bool:
    """Whether an address is Crockery's own."""
    return is_local_domain(state.settings, address.domain) and _split(address)[0] == CROCKERYS_NAME


def find_question(state: State, account: int, address: Mailbox) -> Question | None:
    """The question that an address of Crockery's answers, if it was put to this account."""
    question = state.questions.by_token.get(_split(address)[1])
    return question if question is not None and question.account == account and account else None


def _split(address: Mailbox) -> tuple[str, str]:
    name, _, token = address.local.lower().partition("+")
    return name, token
