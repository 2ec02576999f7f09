"""Events told to people: one sentence an event, who did what, from where, to what.

Pure. `names` knows what things were called when an event happened: it folds the events before it. `SENTENCES` has one
renderer for each event type: facts in, the sentence out. Nothing secret is in facts, so nothing secret can be told.

    anna from 127.0.0.1 over imap marked 3 messages (UIDs 4:6) in INBOX \\Seen
"""

from collections.abc import Mapping
from typing import Any, Final

from crockery.events.types.base import EventType
from crockery.web.narration import accounts, annotations, mail, queue, server, trust
from crockery.web.narration.names import Names, Sentence

SENTENCES: Final[dict[int, Sentence]] = {
    kind.code: sentence
    for kind, sentence in (
        *server.SENTENCES,
        *accounts.SENTENCES,
        *mail.SENTENCES,
        *annotations.SENTENCES,
        *queue.SENTENCES,
        *trust.SENTENCES,
    )
}


def tell(names: Names, number: int, kind: EventType, facts: Mapping[str, Any]) -> str:
    """The sentence for one event, without a full stop. `names` has folded everything before it."""
    sentence = SENTENCES.get(kind.code)
    if sentence is None:
        return f"{kind.name} happened"
    return sentence(names, number, facts)


__all__ = ["SENTENCES", "Names", "tell"]
