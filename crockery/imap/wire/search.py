"""What is searched for: the keys of SEARCH as a tree (RFC 3501 §6.4.4, RFC 9051 §6.4.4, and what extends them).

Few kinds, so that whoever evaluates the tree knows few: `search_keys` writes negations, NEW, OLD and the address keys
out in simpler ones. `search_program` reads a tree from a command.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from crockery.imap.wire.params import Option
from crockery.imap.wire.search_returns import PartialRange
from crockery.imap.wire.sequence import SequenceSet


@dataclass(frozen=True, slots=True)
class And:
    """All of `keys`; of none of them: every message, which is what ALL says."""

    keys: tuple["Key", ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Any of `keys`, at least two: a chain of ORs is one."""

    keys: tuple["Key", ...]


@dataclass(frozen=True, slots=True)
class Not:
    """Whatever `key` is not."""

    key: "Key"


@dataclass(frozen=True, slots=True)
class HasFlag:
    """The flag (`\\Seen`, `\\Recent`) or keyword is set; keywords compare without regard to case."""

    flag: str


@dataclass(frozen=True, slots=True)
class InSet:
    """In the sequence set, of UIDs if `uid`, else of message sequence numbers."""

    messages: SequenceSet
    uid: bool


@dataclass(frozen=True, slots=True)
class HasHeader:
    """A header field `name` holds `value`; with an empty value, there is such a field."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class HasText:
    """BODY: the text of the body parts holds `value`; TEXT, which is `headers` too: or any header does."""

    value: str
    headers: bool


@dataclass(frozen=True, slots=True)
class Dated:
    """The internal date (or the Date field, if `sent`) without time and zone is "before", "on" or "since" the day."""

    relation: str
    day: date
    sent: bool


@dataclass(frozen=True, slots=True)
class Sized:
    """More octets than `size` if `larger`, else fewer."""

    size: int
    larger: bool


@dataclass(frozen=True, slots=True)
class SavedDated:
    """The day on which the message came into this mailbox is "before", "on" or "since" the day (RFC 8514 §4.3)."""

    relation: str
    day: date


@dataclass(frozen=True, slots=True)
class Aged:
    """The internal date is further back than `seconds` if `older`, else not so far (RFC 5032)."""

    seconds: int
    older: bool


@dataclass(frozen=True, slots=True)
class Changed:
    """MODSEQ is `since` or above (RFC 7162 §3.1.5)."""

    since: int


@dataclass(frozen=True, slots=True)
class HasId:
    """EMAILID is M and the number, or THREADID is T and the number; 0 stands for an id that none has (RFC 8474)."""

    number: int
    thread: bool


@dataclass(frozen=True, slots=True)
class Named:
    """FILTER: the search that is kept under `name` (RFC 5466)."""

    name: str


Key = (
    And | Or | Not | HasFlag | InSet | HasHeader | HasText | Dated | Sized | SavedDated | Aged | Changed | HasId | Named
)


def iterate_keys(key: Key) -> Iterator[Key]:
    """A key and all within it."""
    yield key
    match key:
        case And(keys) | Or(keys):
            for one in keys:
                yield from iterate_keys(one)
        case Not(inner):
            yield from iterate_keys(inner)


@dataclass(frozen=True, slots=True)
class Search:
    """SEARCH and UID SEARCH. `returns` is None without RETURN, when a rev1 client expects the old response.

    `RETURN ()` is given as `RETURN (ALL)`, which it means.
    """

    key: Key
    returns: tuple[Option, ...] | None = None
    charset: str | None = None

    def wants(self, option: str) -> bool:
        """True if the return option was given."""
        return any(given.name == option for given in self.returns or ())

    @property
    def partial(self) -> PartialRange | None:
        """The range of the return option PARTIAL, if it was given."""
        for given in self.returns or ():
            if isinstance(given.argument, PartialRange):
                return given.argument
        return None
