"""The first words of a message, for a list of messages (RFC 8970 §3): plain text, of one line.

From the first text part that has any; of HTML without its markup, of answers without what they quote. Linear in what is
looked at, which is `PREVIEW_SEARCHED` octets of a part; never raises.
"""

import re
from collections.abc import Iterator
from html import unescape
from typing import Final

from crockery.limits import PREVIEW_LENGTH, PREVIEW_SEARCHED
from crockery.message.structure import Part, iterate_parts
from crockery.message.text import part_text

_QUOTED: Final = re.compile(r"^[>|].*$", re.MULTILINE)
_SIGNATURE: Final = re.compile(r"^-- ?\r?$", re.MULTILINE)
_TAG: Final = re.compile(r"<(?:/?([A-Za-z][A-Za-z0-9]*)|[!?])")
_NOT_TEXT: Final = frozenset(("head", "script", "style", "title", "template"))
_INLINE: Final = frozenset(("a", "b", "em", "font", "i", "mark", "small", "span", "strong", "sub", "sup", "tt", "u"))
_BLANKS: Final = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028\u2029\u00ad\u034f\ufeff]+")


def preview(data: bytes, root: Part) -> str:
    """At most PREVIEW_LENGTH characters; "" if the message has no text."""
    for part in iterate_parts(root):
        if part.maintype != "text" or part.subtype not in ("plain", "html"):
            continue
        text = part_text(data, part, PREVIEW_SEARCHED)
        said = _one_line(html_text(text)) if part.subtype == "html" else _plain(text)
        if said:
            return said
    return ""


def _plain(text: str) -> str:
    own = _QUOTED.sub(" ", _SIGNATURE.split(text, maxsplit=1)[0])
    return _one_line(own) or _one_line(text)


def _one_line(text: str) -> str:
    line = _BLANKS.sub(" ", text[: 50 * PREVIEW_LENGTH]).strip()
    return line[:PREVIEW_LENGTH].rstrip()


def html_text(text: str) -> str:
    """What people see of HTML, roughly: without tags, comments, styles and scripts, entities resolved."""
    return unescape("".join(_html_pieces(text)))


def _html_pieces(text: str) -> Iterator[str]:
    lower = text.lower()
    if len(lower) != len(text):  # some letters are longer in lower case
        lower = text
    position = 0
    while (tag := _TAG.search(text, position)) is not None:
        yield text[position : tag.start()]
        name = (tag[1] or "").lower()
        if text.startswith("<!--", tag.start()):
            position = text.find("-->", tag.end())
        elif name in _NOT_TEXT and text[tag.start() + 1] != "/":
            position = lower.find("</" + name, tag.end())
        else:
            position = text.find(">", tag.end())
        if position < 0:
            return
        if name not in _NOT_TEXT or text[tag.start() + 1] == "/":
            position += 3 if text.startswith("-->", position) else 1
        if name not in _INLINE:
            yield " "
    yield text[position:]
