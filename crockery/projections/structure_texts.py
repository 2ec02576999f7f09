"""What FETCH takes from the derived file `structure`, each as octets to be sent as they are.

An `Ask` is made once a command and is hashable: what a block answers to it is remembered under it.
"""

from functools import lru_cache
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from crockery.message.headers import header_fields_of_all
from crockery.projections.structure_block import EMPTY_LINE, FIELD_ID, Headers, Kept, Listings
from crockery.projections.structure_reader import PartReader


class Ask(Protocol):
    """Something to be told of messages."""

    @property
    def kind(self) -> type[PartReader]:
        """The part of a block that tells it."""

    def of_block(self, part: Any) -> list[bytes | None]:
        """Of each row; None where the message itself must be looked at."""

    def of_row(self, kept: Kept) -> bytes | None:
        """Of one message whose row is in no block yet."""

    def lacks(self, kept: Kept) -> bool:
        """Whether `of_row` is None."""

    def __hash__(self) -> int: ...


class Listing(NamedTuple):
    """`ENVELOPE (...)`, `BODYSTRUCTURE (...)`, or both with a space between."""

    envelope: bool
    bodystructure: bool
    utf8: bool
    """For a client that takes UTF-8: None where that makes a difference."""

    @property
    def kind(self) -> type[Listings]:
        return Listings

    def of_block(self, part: Listings) -> list[bytes | None]:
        texts: list[bytes | None] = []
        if self.envelope and self.bodystructure:
            texts += part.envelopes_and_structures()
        else:
            texts += part.envelopes() if self.envelope else part.structures()
        if self.utf8 and any(part.utf8_differs):
            return [None if differs else text for text, differs in zip(texts, part.utf8_differs, strict=True)]
        return texts

    def of_row(self, kept: Kept) -> bytes | None:
        return None if self.lacks(kept) else self.render(kept.envelope, kept.bodystructure)

    def lacks(self, kept: Kept) -> bool:
        return self.utf8 and kept.utf8_differs

    def render(self, envelope: bytes, bodystructure: bytes) -> bytes:
        """What is asked for, of these."""
        pieces = []
        if self.envelope:
            pieces += [b"ENVELOPE ", envelope]
        if self.bodystructure:
            pieces += [b" BODYSTRUCTURE " if pieces else b"BODYSTRUCTURE ", bodystructure]
        return b"".join(pieces)


class HeaderFields(NamedTuple):
    """The header fields of these names, and the empty line."""

    names: tuple[bytes, ...]
    """Lower case, all of KEPT_FIELDS."""

    @property
    def kind(self) -> type[Headers]:
        return Headers

    def of_block(self, part: Headers) -> list[bytes | None]:
        fields = part.fields(_ids(self.names))
        return [found if has else None for found, has in zip(fields, part.has_header, strict=True)]

    def of_row(self, kept: Kept) -> bytes | None:
        if kept.header is None:
            return None
        (fields,) = header_fields_of_all([kept.header], self.names)
        return fields

    def lacks(self, kept: Kept) -> bool:
        return kept.header is None


@lru_cache(maxsize=64)
def _ids(names: tuple[bytes, ...]) -> npt.NDArray[np.bool_]:
    """Which ids are those of `names`, or end a header."""
    wanted = np.zeros(256, dtype=bool)
    wanted[[*map(FIELD_ID.__getitem__, names), EMPTY_LINE]] = True
    return wanted
