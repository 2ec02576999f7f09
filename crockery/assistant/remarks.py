"""What may stand below an answer, in any language, without a doubt about it: names, addresses, and small print.

What takes an answer back is put in more ways than any list has. So, for an answer that cannot be made good, it is the
other way round: a line below it that is not known to be harmless makes the answer unsure. A sentence is not harmless;
it gives itself away by its full stop or by its words in lower case, which names and what stands under them do not have.
"""

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Final

from crockery.assistant.language import Language
from crockery.limits import ANSWER_LINE_MAX

_RULE: Final = re.compile(r"\s*[-_=*~–—]{5,}\s*")
_SENTENCE_END: Final = re.compile(r"[.!?…。！？¡¿]\W*\Z")
_PLACE: Final = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+|(?:https?://|www\.)\S+|\+?[\d\s()/.-]{5,}")
_WORD: Final = re.compile(r"[^\W_]+")
_SHORT: Final = 3  # letters of a word that may be in lower case within a name: "of", "von", "and"


def find_doubtful(
    lines: Sequence[str],
    changes_nothing: Callable[[str], bool],
    names: Collection[str],
    languages: Sequence[Language],
) -> str:
    """The first of `lines`, which stand below an answer, that may be meant to change it; "" if there is none.

    Args:
        lines: what is new below the line that was read as the answer.
        changes_nothing: tells of a line that it only thanks, greets, or says the same once more.
        names: words, in lower case, of what the person who answers is called.
        languages: those whose small print is known.
    """
    small_print = [re.compile(rule) for language in languages for rule in language.small_print]
    for number, paragraph in enumerate(_paragraphs(lines)):
        text = " ".join(line.strip() for line in paragraph).lower()
        if number and any(rule.search(text) for rule in small_print):
            return ""  # what is written by hand stands above it
        for line in paragraph:
            if _RULE.fullmatch(line):
                return ""
            if not (changes_nothing(line) or _is_name(line[:ANSWER_LINE_MAX], names)):
                return line.strip()
    return ""


def _paragraphs(lines: Sequence[str]) -> Iterator[list[str]]:
    """The lines between empty ones; what stands right below the answer is the first, which may have none."""
    paragraph: list[str] = []
    is_first = True
    for line in [*lines, ""]:
        if line.strip():
            paragraph.append(line)
        elif paragraph or is_first:
            yield paragraph
            paragraph, is_first = [], False


def _is_name(line: str, names: Collection[str]) -> bool:
    """Whether a line is a name, or what stands under one: a post, a firm, a telephone number, an address.

    One word alone must be known ("Nie" is a no). Words all in capitals are a shout.
    """
    line = line.strip()
    words = _WORD.findall(line)
    if not words:
        return False
    if _PLACE.fullmatch(line) or all(word.lower() in names for word in words):
        return True
    if len(words) < 2 or _SENTENCE_END.search(line) or line.isupper() or not line[0].isupper():
        return False
    between = range(1, len(words) - 1)
    return all(
        word[0].isupper() or word[0].isdigit() or (number in between and len(word) <= _SHORT)
        for number, word in enumerate(words)
    )
