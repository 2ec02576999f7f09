"""What a client of IMAP4rev1 gets of header fields with octets above 127."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crockery.message.addresses import Address, parse_addresses
from crockery.message.bodystructure import render_bodystructure
from crockery.message.downgrade import (
    downgrade_domain,
    downgrade_parameter,
    downgrade_route,
    downgrade_structured,
    downgrade_text,
    downgrade_uri,
)
from crockery.message.envelope import render_envelope
from crockery.message.parameters import parameter_text
from crockery.message.structure import parse_structure
from crockery.message.summary import summarize
from crockery.message.words import decode_words
from tests.support.mime import messages, read_list

DOMAINS = [
    ("ASCII is not looked at", b"Under_Score.-x-", b"Under_Score.-x-"),
    ("A-labels", "z.ü.test".encode(), b"z.xn--tda.test"),
    ("IDNA 2008", "straße.de".encode(), b"xn--strae-oqa.de"),
    ("capitals and wide dots", "Ü。TEST.x".encode(), b"xn--tda.test.x"),
    ("other labels stay", "a_b.ü".encode(), b"a_b.xn--tda"),
    ("no label", "☃.test".encode(), b"???.test"),
    ("bad label", "-ü.test".encode(), b"-??.test"),
    ("not UTF-8", b"z.\xfc.test", b"z.?.test"),
    ("literal", "[ü]".encode(), b"[??]"),
    ("too long a label", b"\xc3\xbc" * 100, b"?" * 200),
    ("too long a domain", b"\xc3\xbc." * 400, b"??." * 400),
]


@pytest.mark.parametrize(("value", "expected"), [row[1:] for row in DOMAINS], ids=[row[0] for row in DOMAINS])
def test_domains(value: bytes, expected: bytes) -> None:
    assert downgrade_domain(value) == expected


def test_routes() -> None:
    assert downgrade_route("@ü.x,@b,@\udcff".encode("utf-8", "surrogateescape")) == b"@xn--tda.x,@b,@?"


STRUCTURED = [
    ("ASCII", b"<a@b> =?x", b"<a@b> =?x"),
    (
        "a date is still one",
        "Thu, 1 Jan 2026 10:00:00 +0100 (Mitteleuropäische Zeit)".encode(),
        b"Thu, 1 Jan 2026 10:00:00 +0100 (=?utf-8?q?Mitteleurop=C3=A4ische?= Zeit)",
    ),
    ("ids are still ids", "<a@b> <ü1@c>".encode(), b"<a@b> <=?utf-8?q?=C3=BC1?=@c>"),
    ("Latin-1", b"<K\xf6ln1@c>", b"<=?utf-8?q?K=C3=B6ln1?=@c>"),
]


@pytest.mark.parametrize(("value", "expected"), [row[1:] for row in STRUCTURED], ids=[row[0] for row in STRUCTURED])
def test_structured(value: bytes, expected: bytes) -> None:
    assert downgrade_structured(value) == expected


def test_a_long_atom_stays_one() -> None:
    atom = "ü" * 100
    assert re.fullmatch(rb"<[^\s<>@]+@x>", downgrade_structured(f"<{atom}@x>".encode()))
    assert decode_words(downgrade_structured(atom.encode())) == atom


def test_an_id_is_the_same_in_every_field() -> None:
    assert downgrade_structured("<a@b> <ü@x>".encode()).endswith(b" " + downgrade_structured("<ü@x>".encode()))


def test_uris() -> None:
    assert downgrade_uri("http://x/ä b?%20".encode()) == b"http://x/%C3%A4 b?%20"
    assert downgrade_uri(b"http://x/\xe4") == b"http://x/%C3%A4"


PARAMETERS = [
    ("text", (b"name", "ä.txt".encode()), "ä.txt"),
    ("Latin-1", (b"name", b"Gr\xfc\xdfe.txt"), "Grüße.txt"),
    ("with encoded words", (b"name", "=?iso-8859-1?q?=FC?= ä".encode()), "ü ä"),
    ("RFC 2231", (b"name*", b"utf-8'de'\xc3\xa4%20.txt"), "ä .txt"),
    ("RFC 2231 in its charset", (b"name*", b"koi8-r''\xf0"), "П"),
]


@pytest.mark.parametrize(("pair", "expected"), [row[1:] for row in PARAMETERS], ids=[row[0] for row in PARAMETERS])
def test_parameters_keep_name_and_text(pair: tuple[bytes, bytes], expected: str) -> None:
    name, value = downgrade_parameter(*pair)
    assert name == pair[0]
    assert value.isascii()
    assert parameter_text(((name, value),), b"name") == expected


def test_parameter_names() -> None:
    assert downgrade_parameter(b"n\xc3\xa4me", b"x") == (b"n??me", b"x")


HEADER = """\
Date: 1 Jan 2026 00:00 (ä)\r
Subject: ä\r
From: Ä <ü@ö.test>\r
Sender: <@ä.test:z@ü.test>\r
To: ä: z@ü.test;\r
In-Reply-To: <ä@x>\r
Message-ID: <x@ä>\r
""".encode()
PART = """\
Content-Type: image/pñg; name="ä.txt"; ñ=x\r
Content-Transfer-Encoding: ä\r
Content-Disposition: ätt; filename="ä"\r
Content-Language: ä, de\r
Content-Location: ä\r
Content-MD5: ä\r
Content-ID: <ä>\r
Content-Description: ä\r
""".encode()
NESTED = (
    HEADER + b"Content-Type: multipart/mixed; boundary=b; x=\xc3\xa4\r\n\r\n--b\r\n" + PART + b"\r\nx\r\n"
    b"--b\r\nContent-Type: message/rfc822\r\n\r\n" + HEADER + PART + b"\r\nx\r\n--b--\r\n"
)  # fmt: skip
ENVELOPE = (
    b'("1 Jan 2026 00:00 (=?utf-8?q?=C3=A4?=)" "=?utf-8?q?=C3=A4?=" '
    b'(("=?utf-8?q?=C3=84?=" NIL "=?utf-8?q?=C3=BC?=" "xn--nda.test")) ((NIL "@xn--4ca.test" "z" "xn--tda.test")) '
    b'(("=?utf-8?q?=C3=84?=" NIL "=?utf-8?q?=C3=BC?=" "xn--nda.test")) '
    b'((NIL NIL "=?utf-8?q?=C3=A4?=" NIL)(NIL NIL "z" "xn--tda.test")(NIL NIL NIL NIL)) NIL NIL '
    b'"<=?utf-8?q?=C3=A4?=@x>" "<x@=?utf-8?q?=C3=A4?=>")'
)


def test_all_of_a_nested_mail() -> None:
    summary = summarize(NESTED)
    assert summary.utf8_differs
    assert summary.envelope == ENVELOPE
    assert summary.bodystructure.isascii()
    assert ENVELOPE in summary.bodystructure
    assert summary.bodystructure.count(
        b'("name" "=?utf-8?q?=C3=A4=2Etxt?=" "??" "x") "<=?utf-8?q?=C3=A4?=>" "=?utf-8?q?=C3=A4?=" '
    ) == 2  # fmt: skip


def test_with_utf8_all_stays() -> None:
    part = parse_structure(NESTED)
    assert part.envelope is not None
    assert '((NIL "@ä.test" "z" "ü.test"))'.encode() in render_envelope(part.envelope, utf8=True)
    assert '("name" "ä.txt" "ñ" "x") "<ä>" "ä"'.encode() in render_bodystructure(part, utf8=True)


NAMES = [line.partition(b":")[0] for line in (HEADER + PART).splitlines()]
VALUES = st.one_of(
    st.binary(max_size=40),
    st.text(max_size=20).map(lambda text: text.encode("utf-8", "replace")),
    st.binary(max_size=20).map(lambda octets: b'a/b; name="' + octets + b'"; x*=' + octets),
    st.binary(max_size=20).map(lambda octets: b"<@" + octets + b":" + octets + b"@" + octets + b">"),
)
HEADERS = st.lists(st.tuples(st.sampled_from(NAMES), VALUES), max_size=12).map(
    lambda fields: b"".join(b"%b: %b\r\n" % pair for pair in fields)
)


@given(HEADERS, HEADERS, messages())
def test_answers_are_ascii_whatever_the_octets(outer: bytes, inner: bytes, body: bytes) -> None:
    nested = b"--b\r\nContent-Type: message/rfc822\r\n\r\n" + inner + b"\r\n" + body + b"\r\n--b--\r\n"
    for data in (
        outer + b"\r\n" + body,
        b"Content-Type: multipart/mixed; boundary=b\r\n" + outer + b"\r\n--b\r\n" + inner + b"\r\nx\r\n" + nested,
    ):
        part = parse_structure(data)
        assert part.envelope is not None
        for answer in (
            render_envelope(part.envelope),
            render_bodystructure(part),
            render_bodystructure(part, extensible=False),
        ):
            assert answer.isascii()
            assert read_list(answer)


@given(st.binary(max_size=60))
def test_whatever_the_octets(value: bytes) -> None:
    for downgrade in (downgrade_text, downgrade_structured, downgrade_domain, downgrade_route, downgrade_uri):
        result = downgrade(value)
        assert result.isascii()
        assert result == value or not value.isascii()
        assert downgrade(result) == result


def test_an_address_is_still_one() -> None:
    address = b"%b@%b" % (downgrade_structured("ü".encode()), downgrade_domain("ö.test".encode()))
    assert parse_addresses(address) == [Address(None, None, b"=?utf-8?q?=C3=BC?=", b"xn--nda.test")]
