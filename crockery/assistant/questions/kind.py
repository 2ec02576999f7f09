"""What sets one question apart from another."""

from collections.abc import Callable
from dataclasses import dataclass

from crockery.assistant.facts import Held
from crockery.assistant.letter import Block


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of trouble, put to a person.

    Args:
        clause: what is wrong, to follow "the mail server".
        explain: what happened and what it means, as blocks; the time zone in minutes is for the dates in it.
        send: what the answer *send* does.
        trust: what the answer *trust* does; None where it is not offered.
        advice: what the sender can do when it was given up in the end; whole sentences.
    """

    clause: Callable[[Held], str]
    explain: Callable[[Held, int], list[Block]]
    send: Callable[[Held], str]
    trust: Callable[[Held], str] | None
    advice: Callable[[Held], str]
