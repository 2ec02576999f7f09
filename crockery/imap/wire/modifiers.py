"""What parameters of SELECT and modifiers of FETCH and STORE mean (RFC 7162 §7, RFC 9394 §4).

Read from the raw `Param`s of a command; whatever is not of these, or comes twice, is BAD.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from crockery.imap.wire.cursor import NUMBER64_MAX, Cursor
from crockery.imap.wire.errors import BadCommand
from crockery.imap.wire.framer import Frame
from crockery.imap.wire.params import Param, Value
from crockery.imap.wire.search_returns import PartialRange, parse_partial_range
from crockery.imap.wire.sequence import STAR, SequenceSet, parse_sequence_set

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class FetchModifiers:
    """`changed_since` a modseq, None without; `vanished`: also what is gone; `partial`: some of the messages only."""

    changed_since: int | None = None
    vanished: bool = False
    partial: PartialRange | None = None


@dataclass(frozen=True, slots=True)
class Resync:
    """What a client knows of a mailbox that it opens again; `numbers`: it told of sequence numbers too."""

    uid_validity: int
    modseq: int
    known: SequenceSet | None = None
    numbers: bool = False


@dataclass(frozen=True, slots=True)
class SelectParams:
    """Parameters of SELECT and EXAMINE."""

    condstore: bool = False
    resync: Resync | None = None


def read_fetch_modifiers(params: tuple[Param, ...]) -> FetchModifiers:
    """`fetch-modifier =/ chgsince-fetch-mod / rexpunges-fetch-mod / modifier-partial`

    `chgsince-fetch-mod = "CHANGEDSINCE" SP mod-sequence-value`, `rexpunges-fetch-mod = "VANISHED"`,
    `modifier-partial = "PARTIAL" SP partial-range`. Raises BadCommand.
    """
    values = _by_name(params, ("CHANGEDSINCE", "VANISHED", "PARTIAL"), "fetch modifier")
    changed = _modseq(values["CHANGEDSINCE"]) if "CHANGEDSINCE" in values else None
    partial = _read(values["PARTIAL"], parse_partial_range) if "PARTIAL" in values else None
    if values.get("VANISHED") is not None or ("VANISHED" in values and changed is None):
        raise BadCommand("VANISHED goes with CHANGEDSINCE")
    return FetchModifiers(changed, "VANISHED" in values, partial)


def read_unchanged_since(params: tuple[Param, ...]) -> int | None:
    """`store-modifier =/ "UNCHANGEDSINCE" SP mod-sequence-valzer`; None without. Raises BadCommand."""
    values = _by_name(params, ("UNCHANGEDSINCE",), "store modifier")
    return _modseq(values["UNCHANGEDSINCE"]) if values else None


def read_select_params(params: tuple[Param, ...]) -> SelectParams:
    """`select-param =/ condstore-param / "QRESYNC" SP "(" uidvalidity SP mod-sequence-value [SP known-uids]

    [SP seq-match-data] ")"`, `seq-match-data = "(" known-sequence-set SP known-uid-set ")"`. Raises BadCommand.
    """
    values = _by_name(params, ("CONDSTORE", "QRESYNC"), "select parameter")
    if values.get("CONDSTORE") is not None:
        raise BadCommand("CONDSTORE takes no value")
    resync = _resync(values["QRESYNC"]) if "QRESYNC" in values else None
    return SelectParams("CONDSTORE" in values, resync)


def _resync(value: Value) -> Resync:
    if not isinstance(value, tuple) or len(value) < 2:
        raise BadCommand("UIDVALIDITY and modseq expected")
    rest = list(value[2:])
    known = _known(rest.pop(0)) if rest and isinstance(rest[0], bytes) else None
    match = rest.pop(0) if rest else None
    if rest or (match is not None and (not isinstance(match, tuple) or len(match) != 2)):
        raise BadCommand("Too much in QRESYNC")
    if isinstance(match, tuple):
        for part in match:
            _known(part)
    uid_validity = _read(value[0], lambda cursor: cursor.number(smallest=1))
    return Resync(uid_validity, _modseq(value[1]), known, match is not None)


def _known(value: Value) -> SequenceSet:
    """`known-uids = sequence-set ;; "*" is not allowed`"""
    numbers = _read(value, parse_sequence_set)
    if numbers.saved or any(STAR in pair for pair in numbers.ranges):
        raise BadCommand("Neither * nor $ is known")
    return numbers


def _modseq(value: Value) -> int:
    """`mod-sequence-valzer = "0" / mod-sequence-value`, which has 63 bits"""
    return _read(value, lambda cursor: cursor.number(NUMBER64_MAX))


def _read(value: Value, parse: Callable[[Cursor], T]) -> T:
    if not isinstance(value, bytes):
        raise BadCommand("A value is missing")
    cursor = Cursor(Frame(value, {}))
    result = parse(cursor)
    cursor.finish()
    return result


def _by_name(params: tuple[Param, ...], known: tuple[str, ...], what: str) -> dict[str, Value]:
    values = {param.name: param.value for param in params}
    unknown = next((name for name in values if name not in known), None)
    if unknown is not None:
        raise BadCommand(f"Unknown {what} {unknown[:40]}")
    if len(values) != len(params):
        raise BadCommand(f"The same {what} twice")
    return values
