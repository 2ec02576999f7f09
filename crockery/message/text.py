"""The text of a message for SEARCH: decoded headers and text parts, and letter case folded away.

Matching is i;unicode-casemap (RFC 5051): a key matches where `fold(key)` is a substring of `fold(text)`. HTML is
searched as its decoded source. At most `MAX_SEARCHED_TEXT` octets of a message are decoded. Never raises.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from unicodedata import normalize

from crockery.limits import MAX_PARSED_HEADER, MAX_SEARCHED_TEXT
from crockery.message.charsets import decode_charset
from crockery.message.headers import field_values
from crockery.message.structure import Part, iterate_parts
from crockery.message.transfer import UnknownEncodingError, decode_transfer
from crockery.message.words import decode_words

_ASCII = bytes(range(128))
_FEW = 48  # characters beside ASCII in one text that are folded one by one: letters with accents, no Chinese
_FOLD = re.compile(rb"\r?\n(?=[ \t])")


def fold(text: str) -> str:
    """The form in which two texts are compared (RFC 5051 §2): simple title case, then full decomposition.

    What decomposing a ligature gives is turned into title case too, so that folding twice changes nothing.
    """
    if text.isascii():
        return text.upper()
    encoded = text.encode("utf-8", "surrogatepass")
    others = set(encoded.translate(None, _ASCII).decode("utf-8", "surrogatepass"))
    if len(others) > _FEW:
        return text.translate({ord(character): _fold_character(character) for character in set(text)})
    folded = encoded.upper().decode("utf-8", "surrogatepass")  # bytes.upper touches ASCII alone
    for character in others:  # what one becomes may be another, which changes nothing: folding twice is folding once
        folded = folded.replace(character, _fold_character(character))
    return folded


@lru_cache(maxsize=4096)
def _fold_character(character: str) -> str:
    # By single characters on purpose: normalising a whole text sorts its combining marks, in quadratic time.
    return "".join(map(_title_character, normalize("NFKD", _title_character(character))))


def _title_character(character: str) -> str:
    title = character.title()
    return title if len(title) == 1 else character


def header_texts(data: bytes, name: bytes) -> list[str]:
    """The decoded values of the fields called `name` (any case): SEARCH HEADER, SUBJECT, FROM, TO, CC, BCC."""
    return [decode_words(value) for value in field_values(data, name)]


def header_text(data: bytes, part: Part) -> str:
    """The whole header of a message or part, decoded, a field a line."""
    end = min(part.body_start, part.header_start + MAX_PARSED_HEADER)
    return decode_words(_FOLD.sub(b"", data[part.header_start : end]))


def body_texts(data: bytes, root: Part) -> Iterator[str]:
    """The decoded text parts of a message, and the headers of the messages in it: SEARCH BODY."""
    budget = MAX_SEARCHED_TEXT
    for part in iterate_parts(root):
        if part is not root and part.envelope is not None:
            yield header_text(data, part)
        if part.maintype != "text" or budget <= 0:
            continue
        text = part_text(data, part, budget)
        budget -= part.size
        yield text


def message_texts(data: bytes, root: Part) -> Iterator[str]:
    """The header and all that `body_texts` gives: SEARCH TEXT."""
    yield header_text(data, root)
    yield from body_texts(data, root)


def part_text(data: bytes, part: Part, limit: int = MAX_SEARCHED_TEXT) -> str:
    """The decoded text of a leaf, of its first `limit` octets; an unknown transfer encoding is taken as none."""
    raw = data[part.body_start : min(part.body_end, part.body_start + limit)]
    try:
        decoded = decode_transfer(raw, part.encoding)
    except UnknownEncodingError:
        decoded = raw
    return decode_charset(decoded, part.charset)
