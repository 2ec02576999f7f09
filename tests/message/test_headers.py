"""Where a header ends, its fields, HEADER.FIELDS and HEADER.FIELDS.NOT."""

import pytest
from hypothesis import given

from crockery.message.headers import (
    field_values,
    header_fields,
    header_fields_not,
    header_length,
    iterate_fields,
    read_fields,
    unfold,
)
from crockery.message.structure import parse_structure
from tests.support.mime import messages

ENDS = [
    ("empty", b"", 0),
    ("CRLF", b"A: b\r\n\r\nx", 8),
    ("LF", b"A: b\n\nx", 6),
    ("LF before CRLF", b"A: b\n\nx\r\n\r\ny", 6),
    ("mixed", b"A: b\n\r\nx", 7),
    ("empty header", b"\r\nx", 2),
    ("empty LF header", b"\nx", 1),
    ("no end", b"A: b\r\n", 6),
    ("no header", b"text\r\n\r\nmore", 0),
    ("blank line goes on", b"A: b\r\n \r\nC: d\r\n\r\nx", 17),
    ("From_ line", b"From x\r\nA: b\r\n\r\n", 16),
]


@pytest.mark.parametrize(("data", "length"), [row[1:] for row in ENDS], ids=[row[0] for row in ENDS])
def test_header_length(data: bytes, length: int) -> None:
    assert header_length(data) == length


@given(messages())
def test_header_length_is_that_of_the_structure(data: bytes) -> None:
    assert header_length(data) == parse_structure(data).body_start


HEADER = (
    b"From: a@b\r\nReceived: x\r\n\ty\r\nSUBJECT : one\r\n two\r\njunk line: no\r\nTo:c@d\r\nsubject: three\r\n"
    b"\r\nTo: body"
)


def test_fields() -> None:
    assert read_fields(HEADER, 0, header_length(HEADER)) == {
        b"from": b" a@b\r",
        b"received": b" x\r\n\ty\r",
        b"subject": b" one\r\n two\r",
        b"to": b"c@d\r",
    }
    assert field_values(HEADER, b"Subject") == [b"one two", b"three"]


def test_iterate_fields_covers_each_field_whole() -> None:
    found = [
        (name, HEADER[start:end], HEADER[value:end])
        for name, start, value, end in iterate_fields(HEADER, 0, header_length(HEADER))
    ]
    assert found[2] == (b"SUBJECT", b"SUBJECT : one\r\n two\r\n", b" one\r\n two\r\n")
    assert [name for name, _, _ in found] == [b"From", b"Received", b"SUBJECT", b"To", b"subject"]


def test_unfold() -> None:
    assert unfold(b"  a\r\n b\n\tc\rd \r\n") == b"a b\tcd"


CHOICES: list[tuple[tuple[bytes, ...], bytes]] = [
    ((b"FROM", b"TO"), b"From: a@b\r\nTo:c@d\r\n\r\n"),
    ((b"subject",), b"SUBJECT : one\r\n two\r\nsubject: three\r\n\r\n"),
    ((b"received",), b"Received: x\r\n\ty\r\n\r\n"),
    ((b"X",), b"\r\n"),
    ((b"Fro",), b"\r\n"),
    ((b"junk",), b"\r\n"),
    ((b".*",), b"\r\n"),
    ((b"",), b"\r\n"),
    ((b"", b"]", b"^-", b"\xff\0\n", b"to"), b"To:c@d\r\n\r\n"),
    ((), b"\r\n"),
]


@pytest.mark.parametrize(("names", "expected"), CHOICES, ids=[str(row[0]) for row in CHOICES])
def test_header_fields(names: tuple[bytes, ...], expected: bytes) -> None:
    assert header_fields(HEADER, names) == expected
    many = (*names, *(b"X-%d" % n for n in range(100)))
    assert header_fields(HEADER, many) == expected


def test_header_fields_not() -> None:
    assert header_fields_not(HEADER, (b"subject", b"RECEIVED")) == b"From: a@b\r\nTo:c@d\r\n\r\n"
    assert header_fields_not(b"A: b", ()) == b"A: b\r\n\r\n"


def test_line_ends_stay_as_they_are() -> None:
    assert header_fields(b"To: a\nFrom: b\n\nx", (b"To",)) == b"To: a\n\n"


def test_a_header_without_its_end_gets_one() -> None:
    assert header_fields(b"To: a", (b"To",)) == b"To: a\r\n\r\n"
    assert header_fields(b"no header", (b"To",)) == b"\r\n"


@given(messages())
def test_each_field_is_chosen_or_left_out(data: bytes) -> None:
    names = (b"Subject", b"content-type")
    chosen, rest = header_fields(data, names), header_fields_not(data, names)
    fields = [data[start:end] for _, start, _, end in iterate_fields(data, 0, header_length(data))]
    assert len(chosen) + len(rest) >= sum(map(len, fields))
    assert all(field.strip() in chosen + rest for field in fields)
