"""Named searches (RFC 5466): a FILTER key stands for the search program kept as an annotation of the server."""

from collections.abc import Mapping
from typing import Final

from crockery import limits
from crockery.imap.errors import Refusal
from crockery.imap.wire.cursor import Cursor
from crockery.imap.wire.errors import BadCommand
from crockery.imap.wire.framer import Frame
from crockery.imap.wire.search import And, Key, Named, Not, Or, iterate_keys
from crockery.imap.wire.search_program import parse_search_program

ENTRIES: Final = ("/private/filters/values/", "/shared/filters/values/")
"""Where they are kept; the private one of a name counts."""


def expand_filters(key: Key, annotations: Mapping[str, bytes]) -> Key:
    """The key with every FILTER replaced by what it stands for. `annotations`: the server's, by entry in lower case.

    Raises Refusal where there is no such filter, where it is no search, or where filters name each other in a ring or
    deeper than IMAP_FILTER_DEPTH (§3.1).
    """
    return _Expansion(annotations).expand(key, 0)


class _Expansion:
    def __init__(self, annotations: Mapping[str, bytes]) -> None:
        self._annotations = annotations
        self._count = 0

    def expand(self, key: Key, depth: int) -> Key:
        match key:
            case And(keys):
                return And(tuple(self.expand(one, depth) for one in keys))
            case Or(keys):
                return Or(tuple(self.expand(one, depth) for one in keys))
            case Not(inner):
                return Not(self.expand(inner, depth))
            case Named(name):
                return self.expand(self._find(name, depth), depth + 1)
        return key

    def _find(self, name: str, depth: int) -> Key:
        refusal = Refusal("There is no such filter", b"UNDEFINED-FILTER " + name.encode("ascii"))
        values = [self._annotations.get(entry + name.lower()) for entry in ENTRIES]
        value = next((value for value in values if value is not None), None)
        if value is None or depth >= limits.IMAP_FILTER_DEPTH:
            raise refusal
        try:
            cursor = Cursor(Frame(value, {}))
            key = parse_search_program(cursor)
            cursor.finish()
        except BadCommand:
            raise refusal from None
        self._count += sum(1 for _ in iterate_keys(key))
        if self._count > limits.IMAP_ITEMS_MAX:
            raise refusal
        return key
