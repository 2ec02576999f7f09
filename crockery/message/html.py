"""HTML as the text that people see of it, roughly. Linear, never raises."""

import re
from collections.abc import Iterator
from html import unescape
from typing import Final

_HIDDEN: Final = re.compile(r"<(?:!--|(script|style|title|template)(?![a-z0-9]))", re.IGNORECASE)
_INLINE: Final = re.compile(
    r"</?(?:a|b|em|font|i|mark|small|span|strong|su[bp]|tt|u)(?![a-z0-9])[^>]*+(?:>|\Z)", re.IGNORECASE
)
_TAG: Final = re.compile(r"<(?:/?[A-Za-z]|[!?])[^>]*+(?:>|\Z)")


def html_text(text: str) -> str:
    """The text without tags, comments, styles and scripts, entities resolved; around blocks there are blanks."""
    return unescape(_TAG.sub(" ", _INLINE.sub("", "".join(_shown(text)))))


def _shown(text: str) -> Iterator[str]:
    """All but comments and what stands in elements that are never shown; one without an end hides all the rest."""
    lower = text.lower()
    if len(lower) != len(text):  # some letters are longer in lower case
        lower = text
    position = 0
    while (hidden := _HIDDEN.search(text, position)) is not None:
        yield text[position : hidden.start()]
        name = hidden[1]
        position = lower.find("</" + name.lower() if name else "-->", hidden.end())
        if position < 0:
            return
        if name is None:
            yield " "
            position += 3
    yield text[position:]
