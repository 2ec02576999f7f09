"""Turns of phrase that several letters share."""

from collections.abc import Sequence
from typing import Final

from crockery.assistant.facts import Original
from crockery.limits import KiB, MiB
from crockery.message.dates import spell_day

_SHOWN: Final = 5  # of a list within a sentence
_SUBJECT_SHOWN: Final = 100  # characters
_UNITS: Final = (("GiB", 1024 * MiB), ("MiB", MiB), ("KiB", KiB))


def title(what: str, original: Original) -> str:
    """The subject of a letter: what happened, and to which message."""
    return f"{what}: {original.subject}" if original.subject.strip() else what


def name_message(original: Original) -> str:
    """The message that a letter is about: "your message ...", or of a forward "the message ... from ..."."""
    subject = original.subject.strip()
    if len(subject) > _SUBJECT_SHOWN:
        subject = subject[: _SUBJECT_SHOWN - 1] + "…"
    name = f'message "{subject}"' if subject else "message without a subject"
    if original.sent is not None:
        name += f" of {spell_day(original.sent, original.zone)}"
    return f"the {name} from {original.author}" if original.author else f"your {name}"


def join_words(words: Sequence[str]) -> str:
    """ "a", "a and b", "a, b and c"; of many only the first and how many more there are."""
    if len(words) > _SHOWN:
        return f"{', '.join(words[: _SHOWN - 1])} and {len(words) - _SHOWN + 1} others"
    return f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else "".join(words)


def tell_someone(domain: str, trouble: str) -> str:
    """What the sender can do where `trouble`, to follow "their mail server", is theirs to put right."""
    return (
        f"Tell someone at {domain}, by another way, that their mail server {trouble}. Or send the message again, and "
        'answer the question that you are asked about it with "send".'
    )


def begin(text: str) -> str:
    """`text` at the beginning of a sentence."""
    return text[:1].upper() + text[1:]


def spell_octets(octets: int) -> str:
    """A size in the unit that says something: "98.5 KiB"."""
    unit, divisor = next(((name, size) for name, size in _UNITS if octets >= size), ("bytes", 1))
    return f"{octets / divisor:,.1f} {unit}" if divisor > 1 else f"{octets} {unit}"
