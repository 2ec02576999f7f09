"""SASLprep, RFC 4013: the one form of a user name or password that may be written in several.

A profile of stringprep (RFC 3454), over Unicode 3.2 as the RFC has it; the tables are the standard library's.
Invariant: preparing what is prepared changes nothing, and ASCII without controls is prepared as it is.
"""

import stringprep
import unicodedata
from typing import Final


class PrepError(ValueError):
    """The text holds what no name or password may."""


_PROHIBITED: Final = (
    stringprep.in_table_c12,  # non-ASCII spaces
    stringprep.in_table_c21_c22,  # controls
    stringprep.in_table_c3,  # private use
    stringprep.in_table_c4,  # non-characters
    stringprep.in_table_c5,  # surrogates
    stringprep.in_table_c6,  # inappropriate for plain text
    stringprep.in_table_c7,  # inappropriate for canonical representation
    stringprep.in_table_c8,  # change display properties, or deprecated
    stringprep.in_table_c9,  # tagging
)


def saslprep(text: str, *, allow_unassigned: bool = True) -> str:
    """`text` prepared. Raises PrepError.

    Code points that Unicode 3.2 did not know pass unless `allow_unassigned` is False: RFC 4013 forbids them in what is
    stored, but people have emoji in their passwords, and both sides pass here through the same code.
    """
    if text.isascii():
        if any(stringprep.in_table_c21_c22(char) for char in text):
            raise PrepError("control character")
        return text
    mapped = "".join(
        " " if stringprep.in_table_c12(char) else char for char in text if not stringprep.in_table_b1(char)
    )
    prepared = unicodedata.ucd_3_2_0.normalize("NFKC", mapped)
    for char in set(prepared):  # NFKC makes eighteen characters of one: look at each but once
        if any(is_in(char) for is_in in _PROHIBITED):
            raise PrepError("prohibited character")
        if not allow_unassigned and stringprep.in_table_a1(char):
            raise PrepError("unassigned character")
    _check_bidi(prepared)
    return prepared


def _check_bidi(text: str) -> None:
    """RFC 3454 §6: text with right-to-left letters has no left-to-right ones, and begins and ends with the former."""
    if not any(map(stringprep.in_table_d1, text)):
        return
    if any(map(stringprep.in_table_d2, text)):
        raise PrepError("mixed directions")
    if not (stringprep.in_table_d1(text[0]) and stringprep.in_table_d1(text[-1])):
        raise PrepError("right-to-left text must begin and end with a right-to-left letter")
