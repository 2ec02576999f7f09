"""The tree of parts: damaged and odd messages, and the limits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crockery import limits
from crockery.message import structure
from crockery.message.structure import Part, iterate_parts, parse_structure
from tests.support.mime import messages


def outline(data: bytes, part: Part) -> object:
    """A part as (type, body) or (type, [parts])."""
    kind = f"{part.maintype}/{part.subtype}"
    if part.children:
        return kind, [outline(data, child) for child in part.children]
    if part.message:
        return kind, [outline(data, part.message)]
    return kind, data[part.body_start : part.body_end]


MIXED = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
TREES: list[tuple[str, bytes, object]] = [
    ("empty", b"", ("text/plain", b"")),
    ("only an empty line", b"\r\n", ("text/plain", b"")),
    ("header alone", b"Subject: x\r\n", ("text/plain", b"")),
    ("header without line end", b"Subject: x", ("text/plain", b"")),
    ("body", b"Subject: x\r\n\r\nbody\r\n", ("text/plain", b"body\r\n")),
    ("bare line feeds", b"Subject: x\n\nbody\n", ("text/plain", b"body\n")),
    ("no header", b"Just text.\r\nMore: text.\r\n", ("text/plain", b"Just text.\r\nMore: text.\r\n")),
    ("empty header", b"\r\nbody", ("text/plain", b"body")),
    ("From_ line", b"From a@b Sat\r\nContent-Type: text/html\r\n\r\nx", ("text/html", b"x")),
    ("line without colon", b"Subject: x\r\njunk\r\nContent-Type: text/html\r\n\r\nx", ("text/html", b"x")),
    ("NUL in header", b"Subject: \0x\0\r\nContent-Type: text/html\r\n\r\n\0", ("text/html", b"\0")),
    ("8-bit header", b"S\xfcbject: \xe4\r\nContent-Type: text/html\r\n\r\nx", ("text/html", b"x")),
    ("comment in type", b"Content-Type: (a) text (b) / (c) html (d); charset=x\r\n\r\n", ("text/html", b"")),
    ("type without subtype", b"Content-Type: text\r\n\r\nx", ("text/plain", b"x")),
    ("first of two types counts", b"Content-Type: a/b\r\nContent-Type: c/d\r\n\r\n", ("a/b", b"")),
    ("no boundary parameter", b"Content-Type: multipart/mixed\r\n\r\nx", ("text/plain", b"x")),
    ("no part", MIXED + b"preamble\r\n--b--\r\n", ("text/plain", b"preamble\r\n--b--\r\n")),
    ("one part", MIXED + b"--b\r\n\r\none\r\n--b--\r\n", ("multipart/mixed", [("text/plain", b"one")])),
    ("no end", MIXED + b"--b\r\n\r\none\r\n", ("multipart/mixed", [("text/plain", b"one\r\n")])),
    (
        "preamble and epilogue",
        MIXED + b"pre\r\n--b\r\n\r\none\r\n--b \t\r\n\r\ntwo\r\n--b-- \r\nepi\r\n--b\r\n\r\nno",
        ("multipart/mixed", [("text/plain", b"one"), ("text/plain", b"two")]),
    ),
    (
        "empty parts",
        MIXED + b"--b\r\n--b\r\n\r\n--b\r\n\r\n\r\n--b--",
        ("multipart/mixed", [("text/plain", b""), ("text/plain", b""), ("text/plain", b"")]),
    ),
    (
        "part header without empty line",
        MIXED + b"--b\r\nContent-Type: a/b\r\n--b\r\n\r\nx\r\n--b--",
        ("multipart/mixed", [("a/b", b""), ("text/plain", b"x")]),
    ),
    (
        "part without header or empty line",
        MIXED + b"--b\r\nhello there\r\n\r\nyou: all\r\n--b--",
        ("multipart/mixed", [("text/plain", b"hello there\r\n\r\nyou: all")]),
    ),
    (
        "boundary that begins like another",
        MIXED + b"--b\r\nContent-Type: multipart/alternative; boundary=bb\r\n\r\n--bb\r\n\r\none\r\n--bb--\r\n--b--",
        ("multipart/mixed", [("multipart/alternative", [("text/plain", b"one")])]),
    ),
    (
        "outer delimiter ends inner parts",
        MIXED + b"--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n\r\none\r\n--b\r\n\r\ntwo\r\n--b--",
        ("multipart/mixed", [("multipart/mixed", [("text/plain", b"one")]), ("text/plain", b"two")]),
    ),
    (
        "inner multipart with the same boundary",
        MIXED + b"--b\r\n" + MIXED + b"--b\r\n\r\none\r\n--b--\r\n--b\r\n\r\ntwo\r\n--b--",
        ("multipart/mixed", [("multipart/mixed", [("text/plain", b"one")]), ("text/plain", b"two")]),
    ),
    (
        "message inside",
        MIXED + b"--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\ninner\r\n--b--",
        ("multipart/mixed", [("message/rfc822", [("text/plain", b"inner")])]),
    ),
    (
        "message inside without its header",
        b"Content-Type: message/rfc822\r\n\r\nNothing here\r\n",
        ("message/rfc822", [("text/plain", b"Nothing here\r\n")]),
    ),
    (
        "message inside in base64",
        b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\nQTogYg0K\r\n",
        ("message/rfc822", [("text/plain", b"QTogYg0K\r\n")]),
    ),
    (
        "digest",
        b"Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\nSubject: x\r\n\r\ninner\r\n--b--",
        ("multipart/digest", [("message/rfc822", [("text/plain", b"inner")])]),
    ),
]


@pytest.mark.parametrize(("data", "expected"), [row[1:] for row in TREES], ids=[row[0] for row in TREES])
def test_tree(data: bytes, expected: object) -> None:
    assert outline(data, parse_structure(data)) == expected


@pytest.mark.parametrize(("data", "expected"), [row[1:] for row in TREES], ids=[row[0] for row in TREES])
def test_tree_is_the_same_from_any_buffer(data: bytes, expected: object) -> None:
    assert parse_structure(memoryview(data)) == parse_structure(bytearray(data)) == parse_structure(data)


@pytest.mark.parametrize("data", [row[1] for row in TREES], ids=[row[0] for row in TREES])
def test_cut_anywhere(data: bytes) -> None:
    for end in range(len(data)):
        check_invariants(data[:end])


def check_invariants(data: bytes) -> Part:
    """Offsets are ordered, parts lie in their parents one after the other, lines are counted."""
    root = parse_structure(data)
    assert (root.header_start, root.body_end) == (0, len(data))
    for part in iterate_parts(root):
        assert part.header_start <= part.body_start <= part.body_end
        assert part.lines == data.count(b"\n", part.body_start, part.body_end)
        position = part.body_start
        for child in (*part.children, *((part.message,) if part.message else ())):
            assert position <= child.header_start
            position = max(child.body_end, position)
        # an empty last part may share the line end of its empty line with the delimiter after it
        assert position <= part.body_end + 2
    return root


@given(messages())
def test_invariants(data: bytes) -> None:
    check_invariants(data)


@given(st.binary(max_size=300))
def test_byte_soup(data: bytes) -> None:
    check_invariants(data)


def test_fields_of_a_part() -> None:
    data = (
        b'Content-Type: application/PDF; name*0="a b"; name*1=c.pdf\r\nContent-Transfer-Encoding: BASE64 (really)\r\n'
        b"Content-Disposition: Attachment; filename*=utf-8''%e2%82%ac.pdf; filename=euro.pdf\r\nContent-ID: <i@d>\r\n"
        b"Content-Description: a\r\n file\r\nContent-MD5: abc==\r\nContent-Language: en, fr\r\n"
        b"Content-Location: http://x/\r\n\r\nAAAA\r\n"
    )
    part = parse_structure(data)
    assert (part.maintype, part.subtype, part.encoding) == ("application", "pdf", "base64")
    assert part.params == ((b"name", b"a bc.pdf"),)
    assert part.disposition == b"attachment"
    assert part.filename == "€.pdf"
    assert (part.content_id, part.description, part.md5) == (b"<i@d>", b"a file", b"abc==")
    assert (part.language, part.location) == (b"en, fr", b"http://x/")
    assert (part.size, part.lines) == (6, 1)


def test_deepest_level_is_opaque() -> None:
    levels = 10_000
    data = b"".join(b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (n, n) for n in range(levels))
    parts = list(iterate_parts(parse_structure(data)))
    assert len(parts) == limits.MAX_MIME_DEPTH + 1
    assert (parts[-1].maintype, parts[-1].subtype) == ("application", "octet-stream")
    assert parts[-1].body_end == len(data)


def test_messages_in_messages_end_too() -> None:
    data = b"Content-Type: message/rfc822\r\n\r\n" * 10_000
    parts = list(iterate_parts(parse_structure(data)))
    assert len(parts) == limits.MAX_MIME_DEPTH + 1
    assert parts[-1].message is None


def test_last_part_takes_the_rest() -> None:
    data = MIXED + b"--b\r\n\r\nx\r\n" * 20_000 + b"--b--\r\n"
    root = parse_structure(data)
    assert len(root.children) == limits.MAX_MIME_PARTS - 1  # the root is one, too
    assert root.children[0].size == 1
    assert root.children[-1].body_end == len(data)


def test_fields_past_the_header_limit_are_not_seen() -> None:
    filler = b"X: " + b"y" * 997 + b"\r\n"
    data = filler * (limits.MAX_PARSED_HEADER // len(filler) + 1) + b"Content-Type: text/html\r\n\r\nbody"
    part = parse_structure(data)
    assert part.subtype == "plain"
    assert data[part.body_start :] == b"body"


def test_only_so_many_lines_are_compared_with_boundaries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(structure, "MAX_HYPHEN_LINES", 10)
    few = MIXED + b"--b\r\n\r\n" + b"-- \r\n" * 8 + b"--b\r\n\r\nx\r\n--b--\r\n"
    many = MIXED + b"--b\r\n\r\n" + b"-- \r\n" * 9 + b"--b\r\n\r\nx\r\n--b--\r\n"
    assert len(parse_structure(few).children) == 2
    assert [part.body_end for part in parse_structure(many).children] == [len(many)]
