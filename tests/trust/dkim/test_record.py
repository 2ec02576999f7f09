"""TXT records of keys; that they verify signatures is tested with these."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crockery.domain.dkim_keys import generate_keys
from crockery.trust.dkim import load_key, render_record, render_zone_line, split_strings
from crockery.trust.dkim.record import record_name


def test_records() -> None:
    rsa, ed25519 = generate_keys("x1")
    assert (rsa.selector, ed25519.selector) == ("rsax1", "edx1")
    record = render_record(load_key(rsa.private))
    assert re.fullmatch(r"v=DKIM1; h=sha256; k=rsa; p=MIIBIj[A-Za-z0-9+/]+=*", record)
    assert [len(piece) for piece in split_strings(record)] == [255, len(record) - 255]
    assert re.fullmatch(r"v=DKIM1; h=sha256; k=ed25519; p=[A-Za-z0-9+/]{43}=", render_record(load_key(ed25519.private)))
    assert record_name("edx1", "example.test") == "edx1._domainkey.example.test"


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=1100))
def test_strings_join(text: str) -> None:
    pieces = split_strings(text)
    assert "".join(pieces) == text
    assert all(len(piece) <= 255 for piece in pieces)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("v=DKIM1; p=", 'a.b. IN TXT "v=DKIM1; p="'),
        ('a"b\\c', r'a.b. IN TXT "a\"b\\c"'),
        ("x" * 256, f'a.b. IN TXT "{"x" * 255}" "x"'),
        ("", 'a.b. IN TXT ""'),
    ],
    ids=["short", "quotes", "two strings", "empty"],
)
def test_zone_lines(text: str, line: str) -> None:
    assert render_zone_line("a.b", text) == line
