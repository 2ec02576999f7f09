"""Finding TLSA records and policies: which names are asked, and what failures mean."""

import dataclasses

import pytest

from crockery.delivery.routes import Host
from crockery.delivery.tls.dane import Dane, State
from crockery.delivery.tls.lookup import Sts, find_dane, find_sts
from crockery.delivery.tls.mta_sts import Kept, Mode, Policy
from crockery.net.https import FetchFailed, Page
from crockery.net.resolver import TLSA, Answer, Status

RECORD = TLSA(3, 1, 1, b"x" * 32)
FOUND = Answer(Status.FOUND, (RECORD,), 300, True)
UNSIGNED = Answer(Status.FOUND, (RECORD,), 300, False)
UNUSABLE = Answer(Status.FOUND, (TLSA(0, 1, 1, b"x" * 32),), 300, True)
NONE: Answer[TLSA] = Answer(Status.NXDOMAIN, secure=True)
FAIL: Answer[TLSA] = Answer(Status.SERVFAIL)
BOGUS: Answer[TLSA] = Answer(Status.BOGUS, why="bad signature")


@dataclasses.dataclass
class Table:
    records: dict[str, Answer[TLSA]] = dataclasses.field(default_factory=dict)
    aliases: dict[str, Answer[str]] = dataclasses.field(default_factory=dict)
    texts: Answer[bytes] = dataclasses.field(default_factory=lambda: Answer(Status.NXDOMAIN))
    asked: list[str] = dataclasses.field(default_factory=list)

    async def txt(self, name: str) -> Answer[bytes]:
        self.asked.append(name)
        return self.texts

    async def tlsa(self, name: str) -> Answer[TLSA]:
        self.asked.append(name)
        return self.records.get(name.removeprefix("_25._tcp."), NONE)

    async def alias(self, name: str) -> Answer[str]:
        self.asked.append(name)
        return self.aliases.get(name, Answer(Status.NODATA))


def host(*, secure: bool = True, canonical: str = "mx.test") -> Host:
    return Host("mx.test", 0, ("192.0.2.1",), secure, canonical)


SIGNED_ALIAS = {"mx.test": Answer(Status.FOUND, ("far.test",), 300, True)}
DANE = {
    "found": (host(), {"mx.test": FOUND}, {}, Dane(State.USABLE, (RECORD,), "mx.test"), 1),
    "unusable": (host(), {"mx.test": UNUSABLE}, {}, State.UNUSABLE, 1),
    "none": (host(), {}, {}, Dane(), 1),
    "unsigned records": (host(), {"mx.test": UNSIGNED}, {}, Dane(), 1),
    "failed": (host(), {"mx.test": FAIL}, {}, State.FAILED, 1),
    "bogus": (host(), {"mx.test": BOGUS}, {}, Dane(State.FAILED, (), "mx.test", "bad signature"), 1),
    "unsigned host": (host(secure=False), {"mx.test": FAIL}, {}, Dane(), 0),
    "alias, at the target": (
        host(canonical="far.test"),
        {"far.test": FOUND, "mx.test": FAIL},
        {},
        Dane(State.USABLE, (RECORD,), "far.test"),
        1,
    ),
    "alias, at the name": (
        host(canonical="far.test"),
        {"mx.test": FOUND},
        {},
        Dane(State.USABLE, (RECORD,), "mx.test"),
        2,
    ),
    "alias, target fails": (host(canonical="far.test"), {"far.test": FAIL, "mx.test": FOUND}, {}, State.FAILED, 1),
    "signed alias to an unsigned host": (
        host(secure=False, canonical="far.test"),
        {"mx.test": FOUND, "far.test": FAIL},
        SIGNED_ALIAS,
        Dane(State.USABLE, (RECORD,), "mx.test"),
        2,
    ),
    "unsigned alias": (host(secure=False, canonical="far.test"), {"mx.test": FOUND}, {}, Dane(), 1),
    "alias fails": (
        host(secure=False, canonical="far.test"),
        {"mx.test": FOUND},
        {"mx.test": Answer(Status.BOGUS)},
        State.FAILED,
        1,
    ),
}


@pytest.mark.parametrize("name", DANE)
async def test_dane(name: str) -> None:
    asked_for, records, aliases, expected, questions = DANE[name]
    resolver = Table(records, aliases)  # type: ignore[arg-type]
    found = await find_dane(asked_for, resolver)
    assert found == expected if isinstance(expected, Dane) else found.state is expected
    assert bool(found.why) is (found.state in (State.FAILED, State.UNUSABLE))
    assert len(resolver.asked) == questions


ENFORCE = Policy(Mode.ENFORCE, ("mx.test",), 1000)
BODY = b"version: STSv1\nmode: enforce\nmx: mx.test\nmax_age: 1000\n"
RECORD_2: Answer[bytes] = Answer(Status.FOUND, (b"v=STSv1; id=2",))
OLD = Kept(Policy(Mode.ENFORCE, ("old.test",), 1000), "1", 5000)
NEW = Kept(ENFORCE, "2", 5100)
NO_RECORD: Answer[bytes] = Answer(Status.NODATA)
GOOD = Page("text/plain", BODY)

STS = {
    "new": (None, RECORD_2, GOOD, Sts(NEW, ENFORCE)),
    "changed": (OLD, RECORD_2, GOOD, Sts(NEW, ENFORCE)),
    "known": (NEW, RECORD_2, None, Sts(NEW, ENFORCE)),
    "hidden": (OLD, NO_RECORD, None, Sts(OLD, OLD.policy)),
    "no answer": (OLD, Answer(Status.SERVFAIL), None, Sts(OLD, OLD.policy)),
    "nothing": (None, NO_RECORD, None, Sts(None, None)),
    "unreachable": (None, RECORD_2, FetchFailed("x"), Sts(None, None, "sts-policy-fetch-error", "x")),
    "unreachable, known": (OLD, RECORD_2, FetchFailed("x"), Sts(OLD, OLD.policy, "sts-policy-fetch-error", "x")),
    "bad certificate": (
        None,
        RECORD_2,
        FetchFailed("x", is_certificate=True),
        Sts(None, None, "sts-webpki-invalid", "x"),
    ),
    "bad policy": (None, RECORD_2, Page("text/plain", b""), "sts-policy-invalid"),
    "bad type": (None, RECORD_2, Page("text/html", BODY), "sts-policy-invalid"),
}


@pytest.mark.parametrize("name", STS)
async def test_sts(name: str) -> None:
    kept, texts, page, expected = STS[name]
    fetched: list[tuple[str, str]] = []

    async def fetch(host: str, path: str) -> Page:
        fetched.append((host, path))
        if isinstance(page, Exception):
            raise page
        assert page is not None
        return page

    resolver = Table(texts=texts)
    found = await find_sts("example.test", kept, resolver, fetch, 5100)
    assert found == expected if isinstance(expected, Sts) else found.failure == expected
    assert fetched == ([("mta-sts.example.test", "/.well-known/mta-sts.txt")] if page is not None else [])
    assert resolver.asked == ["_mta-sts.example.test"]
