"""The first words of a message, for a list of messages (RFC 8970 §3): plain text, of one line.

From the first text part that has any; of HTML without its markup, of answers without what they quote. Linear in what is
looked at, which is `PREVIEW_SEARCHED` octets of a part; never raises.
"""

import re
from typing import Final

from crockery.limits import PREVIEW_LENGTH, PREVIEW_SEARCHED
from crockery.message.html import html_text
from crockery.message.structure import Part, iterate_parts
from crockery.message.text import part_text

_QUOTED: Final = re.compile(r"^[>|].*$", re.MULTILINE)
_SIGNATURE: Final = re.compile(r"^-- ?\r?$", re.MULTILINE)
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
