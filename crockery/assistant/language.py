"""The words of one language that matter in an answer: data for `answers` and `reply_text`.

All words are in lower case with plain apostrophes. A new language is a new file in `languages/` and a line in its
`__init__`; all languages are tried on every answer, so their words must not mean different things.
"""

from dataclasses import dataclass

from crockery.assistant.verbs import Verb


@dataclass(frozen=True, slots=True)
class Language:
    """How people say what they want in one language.

    Args:
        phrases: whole answers, blanks between words, and what they mean. A word `DOMAIN` stands for a domain name.
        courtesy: words and phrases that change nothing wherever they stand before or after a phrase.
        doubts: words that, in what follows the answer, may take it back: anywhere in its paragraph, or as the first
            word of a line further down.
        denials: regular expressions, for words with blanks between, of what takes an answer back wherever it stands
            below it. Small print under business mail must not match.
        small_print: regular expressions of what only small print says, in lower case: it ends what a person wrote.
        wrote: regular expressions of the line that leads a quotation in, without regard to case.
        headers: the names by which Outlook and its like begin a quoted message: From, then Sent or Date.
        separators: texts between dashes over a quoted message.
        footers: beginnings of lines that phones and programs add.
    """

    phrases: dict[str, Verb]
    courtesy: frozenset[str]
    doubts: frozenset[str]
    denials: tuple[str, ...]
    small_print: tuple[str, ...]
    wrote: tuple[str, ...]
    headers: tuple[frozenset[str], frozenset[str]]
    separators: frozenset[str]
    footers: tuple[str, ...]
