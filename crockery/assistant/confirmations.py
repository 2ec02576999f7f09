"""What Crockery writes when it has done what an answer asked, or could not.

A confirmation has a token of its own where what was done can be undone: the answer is UNDO.
"""

from collections.abc import Sequence
from typing import Final

from crockery.assistant.facts import Held, NoTLS, Original
from crockery.assistant.letter import Block, Choices, Letter
from crockery.assistant.questions import recipients
from crockery.assistant.verbs import Verb
from crockery.assistant.wording import name_message, title
from crockery.message.dates import spell_date
from crockery.smtp.wire.address import display_domain

UNDO: Final = {Verb.UNDO: frozenset[str]()}
"""What a confirmation offers, where something can be undone (see `answers.is_offered`)."""

_UNDO: Final = "If that was a mistake, just answer this mail with:"


def confirm_cancel(original: Original, held: Sequence[Held], *, can_undo: bool) -> Letter:
    """Taken back."""
    done = f"Done: {name_message(original)} will not be sent to {recipients(held)}."
    undo = "Hold it again, and go on looking for a secure way."
    return Letter(title("Cancelled", original), [done, *_offer_undo(can_undo, undo)])


def confirm_retry(original: Original, held: Sequence[Held], give_up: int) -> Letter:
    """Under way; there is nothing to undo."""
    return Letter(
        title("Trying again", original),
        [
            f"Crockery is trying right now to send {name_message(original)} to {recipients(held)} in a secure way.",
            "If that works, you hear no more of it. If it does not, the message stays held and is tried again until "
            f"{spell_date(give_up, original.zone)}. You can still answer the question that came before.",
        ],
    )


def confirm_send(original: Original, held: Sequence[Held], *, can_undo: bool) -> Letter:
    """On its way, without proof."""
    done = (
        f"Done: {name_message(original)} is on its way to {recipients(held)}, without proof of who receives it there. "
        "This was for just this message: about the next one you are asked again."
    )
    undo = "Stop it, if it has not left yet, and hold it again."
    return Letter(title("Sending", original), [done, *_offer_undo(can_undo, undo)])


def confirm_trust(original: Original, held: Held, *, can_undo: bool) -> Letter:
    """On its way, and a grant."""
    if isinstance(held.trouble, NoTLS):
        grant = (
            f"From now on, mail from this server to {held.seen_domain} goes without encryption when there is none to "
            "be had, and nobody is asked."
        )
    else:
        grant = (
            f"From now on, Crockery knows {held.seen_domain}'s mail server ({held.host}) by the key that it has now. "
            "If it shows another one, you are asked again."
        )
    done = f"Done: {name_message(original)} is on its way to {recipients([held])}. {grant}"
    undo = f"Trust {held.seen_domain} no more. What has left by then has left."
    return Letter(title("Sending", original), [done, *_offer_undo(can_undo, undo)])


def confirm_undo(original: Original, undone: Verb, domain: str = "", *, is_held: bool = True) -> Letter:
    """Undone; `is_held` tells whether the message waits again, or had left already. `domain` goes with TRUST."""
    blocks: list[Block] = []
    if undone == Verb.TRUST:
        blocks.append(f"Undone: {display_domain(domain)} is not trusted any more.")
    if is_held:
        blocks.append(f"{'Undone: ' if not blocks else 'And '}{name_message(original)} is held again.")
        blocks.append("The question that came before is open again: you can still answer it.")
    else:
        blocks.append(f"It was too late to hold {name_message(original)}: it had left already.")
    return Letter(title("Undone" if is_held or undone == Verb.TRUST else "Too late", original), blocks)


def decline(original: Original, reason: str) -> Letter:
    """Understood, but there is nothing left to do; `reason` is one of the sentences below."""
    return Letter(title("Too late", original), [f"Nothing was done about {name_message(original)}: {reason}"])


def overtaken(original: Original) -> Letter:
    """An answer to a question after which a different one was asked."""
    return Letter(
        title("Please answer the newer question", original),
        [
            f"Nothing was done about {name_message(original)}. After the question that you answered, something else "
            "turned up, and you were asked again. Please answer that newer mail.",
        ],
    )


def stand_still(original: Original) -> Letter:
    """Understood or not, nothing can be done about it now: the log is a restored copy."""
    return Letter(
        title("Not now", original),
        [
            f"Nothing was done about {name_message(original)}.",
            "This mail server has been brought back from a backup. Whether mail that waited at that time has been sent "
            "since, it cannot know, so all of it stands still until the postmaster says that it is to be sent. After "
            "that, please answer again.",
        ],
    )


ALREADY_SENT: Final = "it has been sent by now."
ALREADY_CANCELLED: Final = "it has been cancelled before."
GIVEN_UP: Final = "the time to answer has passed, and the message has been given up."
NOTHING_TO_UNDO: Final = "there is nothing to undo any more."


def _offer_undo(can_undo: bool, meaning: str) -> list[Block]:
    return [_UNDO, Choices(((Verb.UNDO.upper(), meaning),))] if can_undo else []
