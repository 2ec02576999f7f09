"""HTML as the text that people see of it, roughly. Linear, never raises."""

import re
from collections.abc import Iterator
from html import unescape
from typing import Final

_TAG: Final = re.compile(r"<(?:(!--)|(/?)([A-Za-z][A-Za-z0-9]*+)|[!?])")
_NOT_TEXT: Final = frozenset(("script", "style", "title", "template"))
_INLINE: Final = frozenset(("a", "b", "em", "font", "i", "mark", "small", "span", "strong", "sub", "sup", "tt", "u"))


def html_text(text: str) -> str:
    """The text without tags, comments, styles and scripts, entities resolved; around blocks there are blanks."""
    return unescape("".join(_pieces(text)))


def _pieces(text: str) -> Iterator[str]:
    lower = text.lower()
    if len(lower) != len(text):  # some letters are longer in lower case
        lower = text
    position = 0
    while (tag := _TAG.search(text, position)) is not None:
        yield text[position : tag.start()]
        comment, closing, element = tag.groups()
        name = (element or "").lower()
        position = tag.end()
        if comment or (name in _NOT_TEXT and not closing):
            position = lower.find("-->" if comment else "</" + name, position)
            if position < 0:  # it hides all the rest
                return
        position = text.find(">", position) + 1
        if position == 0:
            yield text[tag.end() :]
            return
        if name not in _INLINE:
            yield " "
    yield text[position:]
