"""Decoded header fields and text parts, and the folding of letter case by which texts are compared. Never raises.

Comparing is i;unicode-casemap (RFC 5051): a key is in a text where `fold(key)` is a substring of `fold(text)`.
"""

from functools import lru_cache
from unicodedata import normalize

from crockery.limits import MAX_SEARCHED_TEXT
from crockery.message.charsets import decode_charset
from crockery.message.headers import field_values
from crockery.message.structure import Part
from crockery.message.transfer import UnknownEncodingError, decode_transfer
from crockery.message.words import decode_words

_ASCII = bytes(range(128))
_FEW = 48  # characters beside ASCII in one text that are folded one by one: letters with accents, no Chinese


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


def part_text(data: bytes, part: Part, limit: int = MAX_SEARCHED_TEXT) -> str:
    """The decoded text of a leaf, of its first `limit` octets; an unknown transfer encoding is taken as none."""
    raw = data[part.body_start : min(part.body_end, part.body_start + limit)]
    try:
        decoded = decode_transfer(raw, part.encoding)
    except UnknownEncodingError:
        decoded = raw
    return decode_charset(decoded, part.charset)
