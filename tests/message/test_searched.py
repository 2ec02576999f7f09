"""What SEARCH looks through: pieces of header and text, decoded and folded."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crockery.limits import MAX_SEARCHED_TEXT
from crockery.message.headers import iterate_fields, unfold
from crockery.message.html import html_text
from crockery.message.searched import (
    SEPARATOR,
    field_of,
    field_prefix,
    find_field,
    is_quick,
    needle,
    searched,
    searched_header,
)
from crockery.message.words import decode_words
from tests.support.mime import messages

MAIL = (
    b"From: =?utf-8?q?J=C3=BCrgen?= <j@a>\r\nSubject: =?iso-8859-1?q?Gr=FC=DFe?=\r\n aus =?utf-8?b?S8O2bG4=?=\r\n"
    b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
    b"--b\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    b"sch=F6n=\r\ngeist\r\n"
    b"--b\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\nPGI+w4k8L2I+\r\n"
    b"--b\r\nContent-Type: application/pdf; name=Rechnung.pdf\r\n\r\nsecret\r\n"
    b"--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner one\r\n\r\ninner text\r\n--b--\r\n"
)


def pieces(octets: bytes) -> list[str]:
    """Without the first, which is empty."""
    return [piece.decode() for piece in octets.split(SEPARATOR)[1:]]


def folded(*texts: str) -> list[str]:
    return [needle(text).decode() for text in texts]


def test_pieces_of_header_and_body() -> None:
    found = searched(MAIL)
    assert pieces(found.header) == folded(
        "from: Jürgen <j@a>", "subject: Grüße aus Köln", "content-type: multipart/mixed; boundary=b"
    )
    assert pieces(found.body) == folded("schöngeist", "É", "rechnung.pdf", "subject: inner one", "inner text")


@pytest.mark.parametrize(
    ("data", "header", "body"),
    [
        pytest.param(b"", [], [""], id="nothing"),
        pytest.param(b"just text", [], ["just text"], id="no header"),
        pytest.param(b"A:b\r\nno field\r\nC :  d \r\n\r\n", ["a: b", " no field", "c: d"], [""], id="stray line"),
        pytest.param(b"From anna\r\n Subject: x\r\n\r\n", [" from anna", " subject: x"], [""], id="folded stray line"),
        pytest.param(b"A: b\r\n c\r\n\r\nd", ["a: b c"], ["d"], id="folded field"),
        pytest.param(b"A: \xfcber\r\n\r\n", ["a: über"], [""], id="8-bit"),
        pytest.param(
            b"Content-Type: text/html\r\n\r\n<style>p{}</style><p>a\r\n  <b>b</b>&eacute;",
            ["content-type: text/html"],
            ["a bé"],
            id="html",
        ),
        pytest.param(
            b"Content-Type: application/pdf; name*=utf-8''%C3%9Cbersicht\r\n\r\nx",
            ["content-type: application/pdf; name*=utf-8''%c3%9cbersicht"],
            ["übersicht"],
            id="file name",
        ),
    ],
)
def test_searched(data: bytes, header: list[str], body: list[str]) -> None:
    found = searched(data)
    assert (pieces(found.header), pieces(found.body)) == (folded(*header), folded(*body))


def test_as_much_is_kept_as_the_limit_says() -> None:
    data = b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + "\ufdfa".encode() * (MAX_SEARCHED_TEXT // 8)
    assert len(searched(data).body) == MAX_SEARCHED_TEXT


@pytest.mark.parametrize(
    ("data", "quick"),
    [
        (b"Subject: x\r\n\r\n", True),
        (b"Subject: \xe4\r\n\r\n", False),
        (b"Subject: =?utf-8?q?x?=\r\n\r\n", True),
        (b"Subject: " + b"=?utf-8?q?x?= " * 30 + b"\r\n\r\n", False),
        (b"Content-Transfer-Encoding: Base64\r\n" * 30, False),
    ],
)
def test_what_may_take_long_is_known_beforehand(data: bytes, quick: bool) -> None:
    assert is_quick(data) is quick


@given(messages())
def test_anything_is_searched(data: bytes) -> None:
    for octets in searched(data):
        assert not octets or octets.startswith(SEPARATOR)
        assert all(needle(piece) == piece.encode() for piece in pieces(octets))


HEADER = searched(b"To: one\r\nSubject: to: me\r\nX-To: two\r\nTO: three\r\nEmpty:\r\n\r\n").header


@pytest.mark.parametrize(
    ("name", "value", "there"),
    [
        ("to", "one", True),
        ("To", "THREE", True),
        ("to", "me", False),
        ("to", "two", False),
        ("to", "x", False),
        ("to", "", True),
        ("empty", "", True),
        ("empty", "x", False),
        ("subject", "to: me", True),
        ("cc", "", False),
    ],
)
def test_fields_are_told_apart(name: str, value: str, there: bool) -> None:
    prefix = field_prefix(name)
    assert prefix is not None
    assert (find_field(prefix, needle(value), HEADER, 0, len(HEADER)) >= 0) is there
    column = field_of(HEADER, prefix)
    assert ((needle(value) or SEPARATOR) in column) is there


@pytest.mark.parametrize("name", ["", "to:", "a b", " to"])
def test_no_field_has_such_a_name(name: str) -> None:
    assert field_prefix(name) is None


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("a<p>b</p>c", "a b c"),
        ("f<b>o</b>o", "foo"),
        ("<head><title>x</title></head>y", "y"),
        ("<head><title>x</title><body>y", "y"),
        ("a<!-- <p>b</p> -->c", "a c"),
        ("1 &lt; 2 <3", "1 < 2 <3"),
        ("a<script>b", "a"),
        ("a<p class=x", "a"),
    ],
)
def test_html(html: str, text: str) -> None:
    assert " ".join(html_text(html).split()) == text


def line_by_line(header: bytes) -> list[bytes]:
    """The pieces of a header, without a shortcut."""
    pieces: list[bytes] = []
    end = 0
    for name, start, value, stop in [*iterate_fields(header), (b"", len(header), 0, 0)]:
        pieces += [b" " + needle(decode_words(line.strip())) for line in header[end:start].splitlines() if line.strip()]
        pieces += [needle(decode_words(name) + ": " + decode_words(unfold(header[value:stop])))] if name else []
        end = stop
    return pieces


@given(st.lists(st.sampled_from([b"A", b" ", b"\t", b":", b"\r", b"\n", b"\r\n", b"b: c\r\n", b"=?utf-8?q?=C3=BC?="])))
def test_headers_in_order_are_read_as_others_are(parts: list[bytes]) -> None:
    header = b"".join(parts)
    assert searched_header(header, 0, len(header)).split(SEPARATOR)[1:] == line_by_line(header)
