"""What FETCH takes from the derived file `structure`, each as octets to be sent as they are.

An `Ask` is made once a command and is hashable: what a block answers to it is remembered under it.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Final, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from crockery.message.headers import header_fields_of_all
from crockery.projections.structure_block import EMPTY_LINE, FIELD_ID, Block, Kept


class Ask(Protocol):
    """Something to be told of messages."""

    def of_block(self, block: Block) -> list[bytes | None]:
        """Of each row; None where the message itself must be looked at."""

    def of_row(self, kept: Kept) -> bytes | None:
        """Of one message whose row is in no block yet."""

    def __hash__(self) -> int: ...


class Listing(NamedTuple):
    """`ENVELOPE (...)`, `BODYSTRUCTURE (...)`, or both with a space between."""

    envelope: bool
    bodystructure: bool
    utf8: bool
    """For a client that takes UTF-8: None where that makes a difference."""

    def of_block(self, block: Block) -> list[bytes | None]:
        texts: list[bytes | None] = []
        if self.envelope and self.bodystructure:
            texts += block.envelopes_and_structures()
        else:
            texts += block.envelopes() if self.envelope else block.structures()
        if self.utf8 and any(block.utf8_differs):
            return [None if differs else text for text, differs in zip(texts, block.utf8_differs, strict=True)]
        return texts

    def of_row(self, kept: Kept) -> bytes | None:
        return None if self.utf8 and kept.utf8_differs else self.render(kept.envelope, kept.bodystructure)

    def render(self, envelope: bytes, bodystructure: bytes) -> bytes:
        """What is asked for, of these."""
        pieces = []
        if self.envelope:
            pieces += [b"ENVELOPE ", envelope]
        if self.bodystructure:
            pieces += [b" BODYSTRUCTURE " if pieces else b"BODYSTRUCTURE ", bodystructure]
        return b"".join(pieces)


class HeaderFields(NamedTuple):
    """A literal of the header fields of these names, and the empty line."""

    names: tuple[bytes, ...]
    """Lower case, all of KEPT_FIELDS."""
    partial: tuple[int, int] | None = None
    """Start and length, in octets."""

    def of_block(self, block: Block) -> list[bytes | None]:
        literals = self.render_all(block.headers(_ids(self.names)))
        return [text if has else None for text, has in zip(literals, block.has_header, strict=True)]

    def of_row(self, kept: Kept) -> bytes | None:
        return None if kept.header is None else self.of_header(kept.header)

    def of_header(self, header: bytes) -> bytes:
        """What is asked for, of a header as `header_fields` makes them."""
        (literal,) = self.render_all(header_fields_of_all([header], self.names))
        return literal

    def render_all(self, fields: Iterable[bytes]) -> list[bytes]:
        """The literals of what was found, cut to the partial."""
        if self.partial is not None:
            start, length = self.partial
            fields = [found[start : start + length] for found in fields]
        return [b"{%d}\r\n%b" % (len(found), found) for found in fields]


class Whole(NamedTuple):
    """Whether there is all of a row, whoever asks: empty if so."""

    def of_block(self, block: Block) -> list[bytes | None]:
        rows = zip(block.has_header, block.utf8_differs, strict=True)
        return [b"" if has and not differs else None for has, differs in rows]

    def of_row(self, kept: Kept) -> bytes | None:
        return None if kept.header is None or kept.utf8_differs else b""


WHOLE: Final = Whole()


@lru_cache(maxsize=64)
def _ids(names: tuple[bytes, ...]) -> npt.NDArray[np.bool_]:
    """Which ids are those of `names`, or end a header."""
    wanted = np.zeros(256, dtype=bool)
    wanted[[*map(FIELD_ID.__getitem__, names), EMPTY_LINE]] = True
    return wanted
