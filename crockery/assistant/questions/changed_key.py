"""The second question once more: a host that was trusted shows another key."""

from typing import Final

from crockery.assistant.facts import ChangedKey, Held
from crockery.assistant.letter import Block, Listing
from crockery.assistant.questions.bad_certificate import advice, describe_fault
from crockery.assistant.questions.bad_certificate import send as send_unverified
from crockery.assistant.questions.kind import Kind
from crockery.assistant.wording import join_words
from crockery.message.dates import spell_day


def clause(held: Held) -> str:
    """In short."""
    return "shows another key than the one that was trusted"


def explain(held: Held, zone: int) -> list[Block]:
    """Then and now, with the fingerprints that can be compared over the telephone."""
    trouble = held.trouble
    assert isinstance(trouble, ChangedKey)
    return [
        f"On {spell_day(trouble.granted, zone)} Crockery was told to trust {held.seen_domain}'s mail server "
        f"({held.host}) by the key that it had then. Now there is another key. The server still "
        f"{describe_fault(trouble.certificate)}, so that key was all there was to know it by.",
        "This happens when a server gets a new certificate. It is also just what you would see if someone else had "
        f"taken its place. If it matters, ask someone at {held.seen_domain}, by telephone and not by mail, whether "
        "this is the fingerprint of their new key:",
        Listing(
            (
                "trusted until now:",
                *fingerprint_lines(trouble.granted_fingerprint),
                "shown now:",
                *fingerprint_lines(trouble.certificate.fingerprint),
            )
        ),
    ]


def fingerprint_lines(hexadecimal: str) -> tuple[str, ...]:
    """A fingerprint in groups of four digits, eight to a line."""
    groups = [hexadecimal[start : start + 4] for start in range(0, len(hexadecimal), 4)] or ["(unknown)"]
    return tuple("  " + " ".join(groups[start : start + 8]) for start in range(0, len(groups), 8))


def trust(held: Held) -> str:
    """The new pin in place of the old."""
    return (
        f"Send it to {join_words(held.seen_recipients)}, and from now on know {held.seen_domain}'s mail server by the "
        "new key, and no longer by the old one."
    )


CHANGED_KEY: Final = Kind(clause, explain, send_unverified, trust, advice)
