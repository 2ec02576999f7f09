"""What the world's DNS says of our domain, against what it should say; told in sentences."""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import NamedTuple, Protocol

import trio

from crockery.domain.records import Kind, Record
from crockery.net.resolver import MX, Answer


class Asked(Protocol):
    """What is needed of a resolver."""

    async def mx(self, name: str) -> Answer[MX]: ...

    async def addresses(self, name: str) -> Answer[str]: ...

    async def txt(self, name: str) -> Answer[bytes]: ...


class Verdict(StrEnum):
    """How a record stands."""

    FOUND = "found"
    MISSING = "missing"
    DIFFERS = "differs"
    UNKNOWN = "unknown"


class Finding(NamedTuple):
    """One record and what was found; `sentence` is for a person."""

    record: Record
    verdict: Verdict
    found: list[str]
    sentence: str


async def check_records(records: Sequence[Record], resolver: Asked) -> list[Finding]:
    """One finding for each record, in their order."""
    found: dict[int, Finding] = {}

    async def check(index: int, record: Record) -> None:
        found[index] = await _check(record, [r for r in records if r.kind is record.kind], resolver)

    async with trio.open_nursery() as nursery:
        for index, record in enumerate(records):
            nursery.start_soon(check, index, record)
    return [found[index] for index in range(len(records))]


async def _check(record: Record, same: Sequence[Record], resolver: Asked) -> Finding:
    answer: Answer[str] | Answer[bytes] | Answer[MX]
    if record.kind is Kind.MX:
        answer = await resolver.mx(record.name)
        values = [f"{mx.preference} {mx.host}" for mx in answer.records]
    elif record.kind is Kind.ADDRESS:
        answer = await resolver.addresses(record.name)
        values = [a for a in answer.records if not record.value or (":" in a) == (record.type == "AAAA")]
    else:
        answer = await resolver.txt(record.name)
        values = [text.decode("ascii", "replace") for text in answer.records]
    return judge(record, values, answer.why if answer.is_temporary else "", same)


def judge(record: Record, values: Iterable[str], trouble: str = "", same: Sequence[Record] = ()) -> Finding:
    """A record against the values of its name and type; `trouble`: why these are not known. `same`: all of its kind."""
    mine = [value for value in values if _is_of_kind(record.kind, value)]
    what, where = _WORDS[record.kind], record.name
    if trouble:
        return Finding(record, Verdict.UNKNOWN, [], f"Nobody could say what the {what} of {where} is: {trouble}.")
    should = (
        f"it should be {_shown(record.value)}" if record.value else "it should be the public address of this machine"
    )
    if not mine:
        return Finding(record, Verdict.MISSING, [], f"There is no {what} at {where}: {should}.")
    shown = " and ".join(map(_shown, mine))
    if len(mine) > 1 and record.kind in (Kind.SPF, Kind.DMARC):
        sentence = f"There are {len(mine)} records with the {what} at {where}, so that none counts: {shown}."
        return Finding(record, Verdict.DIFFERS, mine, sentence)
    if _is_right(record, mine, same):
        return Finding(record, Verdict.FOUND, mine, f"The {what} of {where} is there: {shown}.")
    return Finding(record, Verdict.DIFFERS, mine, f"The {what} of {where} is {shown}; {should}.")


_WORDS = {
    Kind.MX: "mail server (MX)",
    Kind.ADDRESS: "address",
    Kind.SPF: "sender policy (SPF)",
    Kind.DKIM: "signing key (DKIM)",
    Kind.DMARC: "policy (DMARC)",
}


def _shown(value: str) -> str:
    """As in a sentence, which has a final dot of its own."""
    return value.removesuffix(".")


def _host(mx: str) -> str:
    return _shown(mx).lower().split(" ")[1]


def _is_of_kind(kind: Kind, value: str) -> bool:
    if kind is Kind.SPF:
        return value.lower().split(" ")[0] == "v=spf1"
    if kind is Kind.DMARC:
        return _tags(value).get("v") == "DMARC1"
    return True


def _is_right(record: Record, values: list[str], same: Sequence[Record]) -> bool:
    """Whether what is there does: others may have put more into it, where that does no harm."""
    match record.kind:
        case Kind.MX:
            return {_host(value) for value in values} == {_host(record.value)}
        case Kind.ADDRESS:
            ours = {other.value for other in same}
            return not record.value or (record.value in values and ours.issuperset(values))
        case Kind.SPF:
            terms = [term.removeprefix("+") for term in values[0].lower().split()]
            others = set(record.value.split()[2:-1])  # a smart host; its provider's word for it will do
            covered = others.issubset(terms) or any(term.startswith("include:") for term in terms)
            return "mx" in terms and terms[-1] in ("-all", "~all") and covered
        case Kind.DKIM:
            wanted = _tags(record.value)
            return any(_tags(value) == wanted for value in values)
        case Kind.DMARC:
            return _tags(values[0]).get("p") in ("quarantine", "reject")


def _tags(text: str) -> dict[str, str]:
    """`tag-list` (RFC 6376 §3.2), blanks inside values left out."""
    pairs = (part.partition("=") for part in text.split(";") if "=" in part)
    return {name.strip().lower(): "".join(value.split()) for name, _, value in pairs}
