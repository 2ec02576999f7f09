"""Mail comes out as it went in: the short form of tools/check_roundtrip.py, against a server that runs by itself."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.bench.client import parse_responses
from tools.check_corpus import read_folder
from tools.check_roundtrip import as_delivered, check
from tools.clients.material import MESSAGES, STRANGE
from tools.clients.served import Served, serving
from tools.imap_reading import differences, read_fetch

DATA = Path(__file__).parent.parent / "data"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("served")) as server:
        yield server


def test_real_mail(served: Served) -> None:
    messages = [*read_folder(DATA / "corpus"), *((f"material {n}", message) for n, message in enumerate(MESSAGES))]
    assert len(messages) > 50
    assert list(check(served, messages)) == []


def test_damaged_mail(served: Served) -> None:
    messages = list(read_folder(DATA / "mime4j"))
    messages += [(f"strange {n}", message) for n, message in enumerate(STRANGE) if b"line feeds" not in message]
    assert len(messages) > 30
    assert list(check(served, messages, read=False)) == []


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        pytest.param(b"A: b\r\n\r\nc\r\n", b"A: b\r\n\r\nc\r\n", id="as it is"),
        pytest.param(b"A: b\r\n\r\nc", b"A: b\r\n\r\nc\r\n", id="no last line end"),
        pytest.param(b"just text\r\n", b"\r\njust text\r\n", id="no header"),
        pytest.param(b"Return-Path: <x>\r\nA: b\r\n\r\nc\r\n", b"A: b\r\n\r\nc\r\n", id="forged Return-Path"),
        pytest.param(b"A: b\r\nreturn-path:\r\n <x>\r\n\r\n", b"A: b\r\n\r\n", id="folded, at the end"),
        pytest.param(
            b"Authentication-Results: mail.example.test; spf=pass\r\nAuthentication-Results: other.test; none\r\n\r\n",
            b"Authentication-Results: other.test; none\r\n\r\n",
            id="forged results",
        ),
    ],
)
def test_what_is_expected(sent: bytes, kept: bytes) -> None:
    assert as_delivered(sent) == kept


MESSAGE = b'From: a@b.test\r\nSubject: s\r\nContent-Type: text/plain; charset="x"\r\n\r\nbody\r\n'
FETCH = (
    b'* 1 FETCH (ENVELOPE (NIL "s" ((NIL NIL "a" "b.test")) ((NIL NIL "a" "b.test")) ((NIL NIL "a" "b.test")) '
    b'NIL NIL NIL NIL NIL) BODYSTRUCTURE ("text" "plain" ("charset" "x") NIL NIL "7bit" 6 1 NIL NIL NIL NIL) '
    b'BODY[HEADER.FIELDS (A)] {3}\r\n)(")\r\n'
)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (b'"s"', b'"t"'), (b"NIL \"s\"", b'"d" "s"'), (b'"a"', b'"c"'), (b'"plain"', b'"html"'), (b'"x"', b'"y"'),
        (b'"7bit"', b'"8bit"'), (b"6 1", b"7 1"), (b"6 1", b"6 2"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_seen(right: bytes, wrong: bytes) -> None:
    def found(fetch: bytes) -> list[str]:
        (response,) = parse_responses(fetch)
        return list(differences(MESSAGE, read_fetch(response)))

    assert found(FETCH) == []
    assert len(found(FETCH.replace(right, wrong, 1))) == 1
