"""Mailbox names: modified UTF-7 both ways, and LIST patterns against an obvious matcher and hostile ones."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crockery.imap.wire import utf7
from crockery.imap.wire.errors import BadMailboxName
from crockery.imap.wire.mailbox import ListPattern, decode_mailbox
from crockery.imap.wire.mailboxes import Select
from crockery.imap.wire.render import render_mailbox
from tests.support.imap_wire import parse

PAIRS = [
    (b"INBOX", "INBOX"),
    (b"~peter/mail/&U,BTFw-/&ZeVnLIqe-", "~peter/mail/台北/日本語"),
    (b"R&-D", "R&D"),
    (b"&-", "&"),
    (b"&-&-", "&&"),
    (b"Hat &AOQA9gD8- und&AN8-", "Hat äöü undß"),
    (b"&2D3eAA-", "😀"),
    (b"&AKM-1", "£1"),
    (b"a b", "a b"),
]


@pytest.mark.parametrize(("wire", "name"), PAIRS)
def test_modified_utf7(wire: bytes, name: str) -> None:
    assert utf7.decode(wire) == name
    assert utf7.encode(name) == wire


@pytest.mark.parametrize(
    "wire",
    [b"&", b"&&", b"a&b", b"&AGE-", b"&U,BTFw-&ZeVnLIqe-", b"&2D0-", b"&3gA-", b"&U-", b"&U/BTFw-", b"&AKM=-", b"\xe4",
     b"\x00", b"\x7f", b"&AAAA-", b"&A K M-", b"&!-", b"&AKN-"],
)  # fmt: skip
def test_one_spelling_only(wire: bytes) -> None:
    with pytest.raises(ValueError):
        utf7.decode(wire)


names = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\u2028\u2029"), min_size=1)


@given(names)
def test_utf7_inverse(name: str) -> None:
    assert utf7.decode(utf7.encode(name)) == name


@given(st.binary(max_size=30) | st.text("&-AGE,+/=x ", max_size=20).map(str.encode))
def test_what_decodes_is_canonical(wire: bytes) -> None:
    try:
        name = utf7.decode(wire)
    except ValueError:
        return
    assert utf7.encode(name) == wire


@given(names, st.booleans())
def test_rendered_names_are_read_back(name: str, utf8: bool) -> None:
    expected = "INBOX" if name.upper() == "INBOX" else name
    wire = render_mailbox(name, utf8=utf8).replace(b"}\r\n", b"+}\r\n")
    assert parse(b"a SELECT " + wire, utf8=utf8).arguments == Select(expected)


@pytest.mark.parametrize("wire", [b"&AAo-", b"&ICg-", b"&AIU-", b"&AH8-"])
def test_control_characters_are_refused(wire: bytes) -> None:
    with pytest.raises(BadMailboxName):
        decode_mailbox(wire, utf8=False)


def test_many_ampersands_take_linear_time() -> None:
    started = time.process_time()
    for wire in (b"&" * 200_000, b"&A" * 100_000, b"&AKM-" * 40_000):
        with pytest.raises(ValueError):
            utf7.decode(wire)
    assert time.process_time() - started < 1


MATCHES = [
    ("*", "a/b/c", True),
    ("%", "a", True),
    ("%", "a/b", False),
    ("", "", True),
    ("", "a", False),
    ("a/%", "a/b", True),
    ("a/%", "a/b/c", False),
    ("a/%", "a", False),
    ("a*", "a/b/c", True),
    ("%/%", "a/b", True),
    ("%b%", "abc", True),
    ("*b", "aab", True),
    ("*b", "aba", False),
    ("a%c*e", "abc/d/e", True),
    ("%*", "a/b", True),
    ("*%", "a/b", True),
    ("%%", "a/b", False),
    ("A", "a", False),
    ("inbox", "INBOX", True),
    ("in%", "INBOX", True),
    ("inbox/x", "INBOX/x", False),
    ("Entwürfe", "Entwürfe", True),
]


@pytest.mark.parametrize(("pattern", "name", "fits"), MATCHES)
def test_list_pattern(pattern: str, name: str, fits: bool) -> None:
    assert ListPattern(pattern).matches(name) is fits


@given(st.text("ab/%*", max_size=8), st.text("ab/", max_size=8))
def test_list_pattern_agrees_with_a_regular_expression(pattern: str, name: str) -> None:
    expression = "".join({"*": ".*", "%": "[^/]*"}.get(char, re.escape(char)) for char in pattern)
    assert ListPattern(pattern).matches(name) is bool(re.fullmatch(expression, name))


@pytest.mark.parametrize("pattern", ["*a" * 500, "%a" * 500, "*%" * 500 + "b", "%*a" * 333])
def test_hostile_patterns_are_fast(pattern: str) -> None:
    started = time.process_time()
    assert not ListPattern(pattern).matches("a" * 400 + "c")
    assert time.process_time() - started < 0.2
