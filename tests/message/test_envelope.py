"""ENVELOPE, BODY and BODYSTRUCTURE as IMAP sends them."""

import pytest
from hypothesis import given

from crockery.message.bodystructure import render_bodystructure
from crockery.message.envelope import render_addresses, render_envelope, render_nstring, render_text
from crockery.message.structure import parse_structure
from tests.support.mime import messages, read_list

# RFC 9051 §8 shows this ENVELOPE for this header.
RFC_HEADER = b"""\
Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\r
From: Terry Gray <gray@cac.washington.example>\r
Subject: IMAP4rev2 WG mtg summary and minutes\r
To: imap@cac.washington.example\r
cc: minutes@CNRI.Reston.example, John Klensin <KLENSIN@MIT.example>\r
Message-Id: <B27397-0100000@cac.washington.example>\r
MIME-Version: 1.0\r
Content-Type: TEXT/PLAIN; CHARSET=US-ASCII\r
\r
"""
RFC_ENVELOPE = (
    b'("Wed, 17 Jul 1996 02:23:25 -0700 (PDT)" "IMAP4rev2 WG mtg summary and minutes" '
    b'(("Terry Gray" NIL "gray" "cac.washington.example")) (("Terry Gray" NIL "gray" "cac.washington.example")) '
    b'(("Terry Gray" NIL "gray" "cac.washington.example")) ((NIL NIL "imap" "cac.washington.example")) '
    b'((NIL NIL "minutes" "CNRI.Reston.example")("John Klensin" NIL "KLENSIN" "MIT.example")) NIL NIL '
    b'"<B27397-0100000@cac.washington.example>")'
)


def envelope_of(header: bytes, utf8: bool = False) -> bytes:
    envelope = parse_structure(header).envelope
    assert envelope is not None
    return render_envelope(envelope, utf8)


def test_rfc_example() -> None:
    assert envelope_of(RFC_HEADER) == RFC_ENVELOPE
    assert render_bodystructure(parse_structure(RFC_HEADER), False) == (
        b'("text" "plain" ("charset" "US-ASCII") NIL NIL "7bit" 0 0)'
    )


def test_empty_message() -> None:
    assert envelope_of(b"") == b"(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)"


def test_present_but_empty_is_not_missing() -> None:
    assert envelope_of(b"Subject:\r\nTo:\r\nSender: \r\nFrom: a@b\r\n\r\n") == (
        b'(NIL "" ((NIL NIL "a" "b")) ((NIL NIL "a" "b")) ((NIL NIL "a" "b")) NIL NIL NIL NIL NIL)'
    )


STRINGS = [
    ("nil", None, b"NIL", b"NIL"),
    ("empty", b"", b'""', b'""'),
    ("plain", b"a b", b'"a b"', b'"a b"'),
    ("quote and backslash", b'a"\\', b'"a\\"\\\\"', b'"a\\"\\\\"'),
    ("controls are quotable", b"\x1b$B\t\x7f", b'"\x1b$B\t\x7f"', b'"\x1b$B\t\x7f"'),
    ("line end", b"a\r\nb", b"{4}\r\na\r\nb", b"{4}\r\na\r\nb"),
    ("NUL is dropped", b"a\0b", b'"ab"', b'"ab"'),
    ("UTF-8", "ü".encode(), b'"=?utf-8?q?=C3=BC?="', '"ü"'.encode()),
    (
        "Latin-1",
        b"Gr\xfc\xdfe aus K\xf6ln",
        b'"=?utf-8?b?R3LDvMOfZQ==?= aus =?utf-8?q?K=C3=B6ln?="',
        '"Grüße aus Köln"'.encode(),
    ),
    ("NUL and UTF-8", "a\0 ü".encode(), b'"a =?utf-8?q?=C3=BC?="', '"a ü"'.encode()),
]


@pytest.mark.parametrize(("value", "rev1", "utf8"), [row[1:] for row in STRINGS], ids=[row[0] for row in STRINGS])
def test_strings(value: bytes | None, rev1: bytes, utf8: bytes) -> None:
    assert render_nstring(value) == rev1
    assert render_nstring(value, utf8=True) == utf8


def test_text_of_eight_bits_becomes_encoded_words() -> None:
    assert render_text("Grüße".encode()) == b'"=?utf-8?b?R3LDvMOfZQ==?="'
    assert render_text("Grüße".encode(), utf8=True) == '"Grüße"'.encode()
    assert render_text(b"=?utf-8?q?kept?=") == b'"=?utf-8?q?kept?="'


ADDRESSES = [
    (b"a@b", b'((NIL NIL "a" "b"))'),
    (b'"X, Y" <a@b>', b'(("X, Y" NIL "a" "b"))'),
    (b"a@b (Carl)", b'(("Carl" NIL "a" "b"))'),
    (b"<@r,@s:a@b>", b'((NIL "@r,@s" "a" "b"))'),
    (b"local", b'((NIL NIL "local" ""))'),
    (b'"a b"@c', b'((NIL NIL "a b" "c"))'),
    (b"undisclosed-recipients:;", b'((NIL NIL "undisclosed-recipients" NIL)(NIL NIL NIL NIL))'),
    (b"G: a@b, c@d;, e@f", b'((NIL NIL "G" NIL)(NIL NIL "a" "b")(NIL NIL "c" "d")(NIL NIL NIL NIL)(NIL NIL "e" "f"))'),
    ("Jürgen <a@b>".encode(), b'(("=?utf-8?q?J=C3=BCrgen?=" NIL "a" "b"))'),
    ("ü@ö".encode(), b'((NIL NIL "=?utf-8?q?=C3=BC?=" "xn--nda"))'),
    (b", ,", b"NIL"),
    (b"", b"NIL"),
    (None, b"NIL"),
]  # fmt: skip


@pytest.mark.parametrize(("value", "expected"), ADDRESSES, ids=[str(row[0]) for row in ADDRESSES])
def test_addresses(value: bytes | None, expected: bytes) -> None:
    assert render_addresses(value) == expected


MIME = (
    b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"b\"\r\nContent-Language: de, en\r\n\r\n"
    b"--b\r\nContent-Type: text/html; charset=utf-8\r\nContent-ID: <i@d>\r\nContent-Description: d\xc3\xbc\r\n"
    b"Content-Transfer-Encoding: 8bit\r\n\r\none\r\ntwo\r\n"
    b"--b\r\nContent-Type: message/rfc822\r\nContent-Disposition: attachment; filename*0*=utf-8''%C3;\r\n"
    b" filename*1*=%BC.eml\r\n\r\nSubject: in\r\n\r\ntext\r\n"
    b"--b\r\nContent-Type: image/png; name=a b.png\r\nContent-Location: l\r\nContent-Language: fr\r\n"
    b"Content-MD5: m==\r\n\r\nx\r\n--b--\r\n"
)  # fmt: skip
MIME_STRUCTURE = (
    b'(("text" "html" ("charset" "utf-8") "<i@d>" "=?utf-8?q?d=C3=BC?=" "8bit" 8 1 NIL NIL NIL NIL)'
    b'("message" "rfc822" NIL NIL NIL "7bit" 19 (NIL "in" NIL NIL NIL NIL NIL NIL NIL NIL) '
    b'("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 4 0 NIL NIL NIL NIL) 2 NIL '
    b'("attachment" ("filename*" "utf-8\'\'%C3%BC.eml")) NIL NIL)'
    b'("image" "png" ("name" "a b.png") NIL NIL "7bit" 1 "m==" NIL "fr" "l") '
    b'"mixed" ("boundary" "b") NIL ("de" "en") NIL)'
)


def test_bodystructure() -> None:
    assert render_bodystructure(parse_structure(MIME)) == MIME_STRUCTURE


def test_body_has_no_extension_data() -> None:
    assert render_bodystructure(parse_structure(MIME), extensible=False) == (
        b'(("text" "html" ("charset" "utf-8") "<i@d>" "=?utf-8?q?d=C3=BC?=" "8bit" 8 1)'
        b'("message" "rfc822" NIL NIL NIL "7bit" 19 (NIL "in" NIL NIL NIL NIL NIL NIL NIL NIL) '
        b'("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 4 0) 2)'
        b'("image" "png" ("name" "a b.png") NIL NIL "7bit" 1) "mixed")'
    )


def test_message_global_is_a_plain_type_without_utf8() -> None:
    part = parse_structure(b"Content-Type: message/global\r\n\r\nSubject: x\r\n\r\n")
    assert render_bodystructure(part, False) == b'("message" "global" NIL NIL NIL "7bit" 14)'
    assert render_bodystructure(part, False, utf8=True).startswith(
        b'("message" "global" NIL NIL NIL "7bit" 14 (NIL "x"'
    )


@given(messages())
def test_answers_are_always_well_formed(data: bytes) -> None:
    part = parse_structure(data)
    assert part.envelope is not None
    for utf8 in (False, True):
        assert len(read_list(render_envelope(part.envelope, utf8))) == 10
        assert read_list(render_bodystructure(part, True, utf8))
        assert read_list(render_bodystructure(part, False, utf8))
