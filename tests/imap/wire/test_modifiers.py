"""Modifiers of FETCH and STORE, parameters of SELECT, and URLs of CATENATE: what they mean, and what they cannot."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crockery.imap.wire.append import Append, AppendMessage, Replace
from crockery.imap.wire.cursor import Cursor
from crockery.imap.wire.errors import BadCommand
from crockery.imap.wire.fetch import FetchSection
from crockery.imap.wire.framer import Frame, Literal
from crockery.imap.wire.modifiers import (
    FetchModifiers,
    Resync,
    SelectParams,
    read_fetch_modifiers,
    read_select_params,
    read_unchanged_since,
)
from crockery.imap.wire.params import Param, parse_params
from crockery.imap.wire.search_returns import PartialRange
from crockery.imap.wire.sequence import SequenceSet
from crockery.imap.wire.url import MessageUrl, parse_url
from tests.support.imap_wire import parse

GOOD = [
    (read_fetch_modifiers, b"(CHANGEDSINCE 12345)", FetchModifiers(12345)),
    (read_fetch_modifiers, b"(CHANGEDSINCE 12345 VANISHED)", FetchModifiers(12345, True)),
    (read_fetch_modifiers, b"(vanished changedsince 1)", FetchModifiers(1, True)),
    (read_fetch_modifiers, b"(PARTIAL -1:-30 CHANGEDSINCE 98305)", FetchModifiers(98305, False, PartialRange(-1, -30))),
    (read_fetch_modifiers, b"", FetchModifiers()),
    (read_unchanged_since, b"(UNCHANGEDSINCE 0)", 0),
    (read_unchanged_since, b"(UNCHANGEDSINCE 9223372036854775807)", 2**63 - 1),
    (read_unchanged_since, b"", None),
    (read_select_params, b"(CONDSTORE)", SelectParams(True)),
    (
        read_select_params,
        b"(QRESYNC (67890007 20050715194045000))",
        SelectParams(False, Resync(67890007, 20050715194045000)),
    ),
    (
        read_select_params,
        b"(QRESYNC (67890007 90060115194045000 41:211,214:541))",
        SelectParams(False, Resync(67890007, 90060115194045000, SequenceSet(((41, 211), (214, 541))))),
    ),
    (
        read_select_params,
        b"(QRESYNC (67890007 90060115194045000 41:211 (1,15,19 41,120,211)) CONDSTORE)",
        SelectParams(True, Resync(67890007, 90060115194045000, SequenceSet(((41, 211),)), True)),
    ),
    (read_select_params, b"(QRESYNC (1 2 (1 1)))", SelectParams(False, Resync(1, 2, None, True))),
]

BAD = [
    (read_fetch_modifiers, b"(CHANGEDSINCE)"),
    (read_fetch_modifiers, b"(CHANGEDSINCE 9223372036854775808)"),
    (read_fetch_modifiers, b"(CHANGEDSINCE 1 CHANGEDSINCE 2)"),
    (read_fetch_modifiers, b"(CHANGEDSINCE 1x)"),
    (read_fetch_modifiers, b"(CHANGEDSINCE (1))"),
    (read_fetch_modifiers, b"(VANISHED)"),
    (read_fetch_modifiers, b"(CHANGEDSINCE 1 VANISHED 2)"),
    (read_fetch_modifiers, b"(PARTIAL 1)"),
    (read_fetch_modifiers, b"(PARTIAL 1:-2)"),
    (read_fetch_modifiers, b"(UNCHANGEDSINCE 1)"),
    (read_unchanged_since, b"(UNCHANGEDSINCE)"),
    (read_unchanged_since, b"(CHANGEDSINCE 1)"),
    (read_select_params, b"(CONDSTORE 1)"),
    (read_select_params, b"(QRESYNC)"),
    (read_select_params, b"(QRESYNC 1)"),
    (read_select_params, b"(QRESYNC ())"),
    (read_select_params, b"(QRESYNC (1 2 3 4))"),
    (read_select_params, b"(QRESYNC (1 2 1:*))"),
    (read_select_params, b"(QRESYNC (1 2 $))"),
    (read_select_params, b"(QRESYNC (1 2 3 (4)))"),
    (read_select_params, b"(QRESYNC (1 2 3 (4 (5))))"),
    (read_select_params, b"(QRESYNC (1 2 3 (4 5) 6))"),
]

Reader = Callable[[tuple[Param, ...]], object]


def params(text: bytes) -> tuple[Param, ...]:
    return parse_params(Cursor(Frame(text, {})))


@pytest.mark.parametrize(("read", "text", "expected"), GOOD)
def test_good(read: Reader, text: bytes, expected: object) -> None:
    assert read(params(text)) == expected


@pytest.mark.parametrize(("read", "text"), BAD)
def test_bad(read: Reader, text: bytes) -> None:
    with pytest.raises(BadCommand):
        read(params(text))


WHOLE = FetchSection("BODY", b"BODY[]", peek=True)

URLS = [
    ("/Drafts;UIDVALIDITY=385759045/;UID=20", MessageUrl("Drafts", 385759045, 20, WHOLE)),
    ("/Drafts/;UID=20", MessageUrl("Drafts", None, 20, WHOLE)),
    (";UID=20", MessageUrl(None, None, 20, WHOLE)),
    ("/;uid=20", MessageUrl(None, None, 20, WHOLE)),
    (
        "/a%2Fb/c%C3%A9;UIDVALIDITY=1/;UID=20/;section=1.2.MIME/;PARTIAL=5.10",
        MessageUrl("a/b/cé", 1, 20, FetchSection("BODY", b"BODY[1.2.MIME]", (1, 2), "MIME", peek=True), (5, 10)),
    ),
    ("/x/;UID=20/;PARTIAL=5", MessageUrl("x", None, 20, WHOLE, (5, None))),
]

NO_URLS = [
    "",
    "/Drafts",
    "/Drafts/;UID=0",
    "/Drafts/;UID=4294967296",
    "/Drafts/;UID=1:2",
    "imap://anna@example.test/Drafts/;UID=1",
    "//example.test/Drafts/;UID=1",
    "/Drafts/;UID=1/;SECTION=NONSENSE",
    "/Drafts/;UID=1/;SECTION=1]%20BODY[2",
    "/Drafts/;UID=1/;PARTIAL=0.0",
    "/Drafts/;UID=1;URLAUTH=anonymous:internal:1",
    "/%FF/;UID=1",
    "/" + "x" * 5000 + "/;UID=1",
]


@pytest.mark.parametrize(("text", "expected"), URLS)
def test_url(text: str, expected: MessageUrl) -> None:
    assert parse_url(text) == expected


@pytest.mark.parametrize("text", NO_URLS)
def test_no_url(text: str) -> None:
    assert parse_url(text) is None


@given(st.text(max_size=80) | st.text("/;UID=1SECTONPARL.%2Fé[]", max_size=80).map("/x/;UID=1/;SECTION=".__add__))
def test_any_text_is_a_url_or_none(text: str) -> None:
    parse_url(text)


def test_catenate() -> None:
    command = parse(b'a APPEND Sent (\\Seen) CATENATE (TEXT {2+}\r\nab URL "/x/;UID=1" TEXT {1+}\r\nc)')
    pieces = (Literal(0, 2, False, b"ab"), "/x/;UID=1", Literal(1, 1, False, b"c"))
    assert command.arguments == Append("Sent", (AppendMessage(None, ("\\Seen",), catenate=pieces),))


def test_replace() -> None:
    command = parse(b"a UID REPLACE 4 Drafts {1+}\r\nx")
    append = Append("Drafts", (AppendMessage(Literal(0, 1, False, b"x")),))
    assert command.arguments == Replace(SequenceSet(((4, 4),)), append)
