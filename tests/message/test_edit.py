"""What is added to and removed from a message in transit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crockery.message.edit import (
    count_fields,
    find_bare_newline,
    header_separator,
    missing_fields,
    read_authserv_id,
    remove_bcc,
    remove_forged,
)
from tests.support.mime import messages

NEWLINES = [(b"", None), (b"a\r\nb", None), (b"a\nb", 1), (b"a\rb", 1), (b"a\r\nb\n", 4), (b"\r", 0), (b"\r\r\n", 0)]


@pytest.mark.parametrize(("data", "expected"), [*NEWLINES, (b"\n\r", 0), (b"a\r\n\n\r\r\n", 3)], ids=repr)
def test_bare_newlines(data: bytes, expected: int | None) -> None:
    assert find_bare_newline(data) == expected


@given(st.lists(st.sampled_from([b"\r", b"\n", b"\r\n", b"a"])).map(b"".join))
def test_bare_newlines_are_found(data: bytes) -> None:
    rest = data.replace(b"\r\n", b"")
    assert (find_bare_newline(data) is None) == (b"\r" not in rest and b"\n" not in rest)


MISSING = [
    (b"Date: x\r\nmessage-id: y\r\n\r\n", b""),
    (b"Date: x\r\n\r\nMessage-ID: y\r\n", b"Message-ID: <i>\r\n"),
    (b"From: x\r\n\r\n", b"Date: D\r\nMessage-ID: <i>\r\n"),
    (b"Just text\r\n", b"Date: D\r\nMessage-ID: <i>\r\n\r\n"),
    (b"", b"Date: D\r\nMessage-ID: <i>\r\n\r\n"),
]


@pytest.mark.parametrize(("data", "prefix"), MISSING, ids=repr)
def test_missing_fields(data: bytes, prefix: bytes) -> None:
    assert missing_fields(data, b"D", b"<i>") == prefix


def test_separator() -> None:
    assert header_separator(b"A: b\r\n\r\n") == header_separator(b"\r\nx") == b""
    assert header_separator(b"text") == b"\r\n"


def test_bcc() -> None:
    data = b"To: a\r\nbcc: b,\r\n c\r\nSubject: x\r\nBCC : d\r\nbccx: e\r\n\r\nBcc: in the body\r\n"
    assert remove_bcc(data) == b"To: a\r\nSubject: x\r\nbccx: e\r\n\r\nBcc: in the body\r\n"
    kept = b"To: a\r\n\r\n"
    assert remove_bcc(kept) is kept


FORGED = [
    (b"mx.example.test; spf=pass", b"mx.example.test"),
    (b" (c (d)) MX.example.test 1; none", b"mx.example.test"),
    (b"(;) mx.example.test", b"mx.example.test"),
    (b'"mx.\\example.test" ; x', b"mx.example.test"),
    (b"other.test (mx.example.test); x", b"other.test"),
    (b"((((", b""),
    (b"", b""),
]


@pytest.mark.parametrize(("value", "expected"), FORGED, ids=repr)
def test_authserv_id(value: bytes, expected: bytes) -> None:
    assert read_authserv_id(value) == expected


def test_forged() -> None:
    data = (
        b"Return-Path: <x@y>\r\nReceived: a\r\nAuthentication-Results: mx.example.test;\r\n spf=pass\r\n"
        b"authentication-results : other.test; spf=pass\r\nA: b\r\n\r\nReturn-Path: kept\r\n"
    )
    assert remove_forged(data, "MX.example.test") == (
        b"Received: a\r\nauthentication-results : other.test; spf=pass\r\nA: b\r\n\r\nReturn-Path: kept\r\n"
    )


def test_hops() -> None:
    assert count_fields(b"Received: a\r\nReceived: b\r\n c\r\nX-Received: d\r\n\r\nReceived: e\r\n", b"received") == 2


@given(messages())
def test_removing_leaves_the_rest_alone(data: bytes) -> None:
    changed = remove_forged(data, "x")
    assert changed is data or len(changed) < len(data)
    assert count_fields(remove_bcc(data), b"bcc") == 0
