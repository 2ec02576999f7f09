"""Part numbers (the example of RFC 9051 §6.4.5) and the octets of every section, which agree with BODYSTRUCTURE."""

import pytest
from hypothesis import given

from crockery.message.bodystructure import render_bodystructure
from crockery.message.sections import find_part, section_bytes, section_range
from crockery.message.structure import Part, parse_structure
from tests.support.mime import messages, read_list


def entity(kind: bytes, body: bytes) -> bytes:
    return b"Content-Type: %b\r\n\r\n%b" % (kind, body)


def multipart(subtype: bytes, boundary: bytes, *parts: bytes) -> bytes:
    body = b"".join(b"--%b\r\n%b\r\n" % (boundary, part) for part in parts)
    return entity(b"multipart/%b; boundary=%b" % (subtype, boundary), b"%b--%b--\r\n" % (body, boundary))


INNER_3 = b"Subject: three\r\n" + multipart(
    b"mixed", b"b3", entity(b"text/plain", b"t31"), entity(b"application/octet-stream", b"a32")
)
INNER_42 = b"Subject: four two\r\n" + multipart(
    b"mixed",
    b"b42",
    entity(b"text/plain", b"t421"),
    multipart(b"alternative", b"b422", entity(b"text/plain", b"t4221"), entity(b"text/richtext", b"t4222")),
)
EXAMPLE = b"Subject: example\r\nTo: a@b\r\n" + multipart(
    b"mixed",
    b"b0",
    entity(b"text/plain", b"t1"),
    entity(b"application/octet-stream", b"a2"),
    entity(b"message/rfc822", INNER_3),
    multipart(b"mixed", b"b4", entity(b"image/gif", b"i41"), entity(b"message/rfc822", INNER_42)),
)
TYPES = {
    (): "multipart/mixed", (1,): "text/plain", (2,): "application/octet-stream", (3,): "message/rfc822",
    (3, 1): "text/plain", (3, 2): "application/octet-stream", (4,): "multipart/mixed", (4, 1): "image/gif",
    (4, 2): "message/rfc822", (4, 2, 1): "text/plain", (4, 2, 2): "multipart/alternative",
    (4, 2, 2, 1): "text/plain", (4, 2, 2, 2): "text/richtext",
}  # fmt: skip
MISSING = [(0,), (5,), (1, 1), (1, 1, 1), (3, 3), (3, 1, 1), (4, 3), (4, 1, 1), (4, 2, 2, 3), (4, 2, 2, 1, 1)]


@pytest.mark.parametrize(("numbers", "kind"), TYPES.items(), ids=str)
def test_example_numbering(numbers: tuple[int, ...], kind: str) -> None:
    part = find_part(parse_structure(EXAMPLE), numbers)
    assert part is not None
    assert f"{part.maintype}/{part.subtype}" == kind


@pytest.mark.parametrize("numbers", MISSING, ids=str)
def test_example_has_no_such_part(numbers: tuple[int, ...]) -> None:
    assert section_range(parse_structure(EXAMPLE), numbers) is None


def split(message: bytes) -> tuple[bytes, bytes]:
    head, _, body = message.partition(b"\r\n\r\n")
    return head + b"\r\n\r\n", body


SECTIONS: list[tuple[tuple[int, ...], str, bytes | None]] = [
    ((), "", EXAMPLE),
    ((), "HEADER", split(EXAMPLE)[0]),
    ((), "TEXT", split(EXAMPLE)[1]),
    ((), "MIME", None),
    ((1,), "", b"t1"),
    ((1,), "MIME", b"Content-Type: text/plain\r\n\r\n"),
    ((1,), "HEADER", None),
    ((1,), "TEXT", None),
    ((3,), "", INNER_3),
    ((3,), "MIME", b"Content-Type: message/rfc822\r\n\r\n"),
    ((3,), "HEADER", split(INNER_3)[0]),
    ((3,), "TEXT", split(INNER_3)[1]),
    ((3, 1), "", b"t31"),
    ((4, 1), "MIME", b"Content-Type: image/gif\r\n\r\n"),
    ((4, 2), "HEADER", split(INNER_42)[0]),
    ((4, 2, 2, 2), "", b"t4222"),
    ((4,), "HEADER", None),
]


@pytest.mark.parametrize(("numbers", "text", "expected"), SECTIONS, ids=str)
def test_example_sections(numbers: tuple[int, ...], text: str, expected: bytes | None) -> None:
    assert section_bytes(EXAMPLE, parse_structure(EXAMPLE), numbers, text) == expected


def test_header_fields_of_a_nested_message() -> None:
    root = parse_structure(EXAMPLE)
    assert section_bytes(EXAMPLE, root, (3,), "HEADER.FIELDS", (b"SUBJECT",)) == b"Subject: three\r\n\r\n"
    assert section_bytes(EXAMPLE, root, (), "HEADER.FIELDS", (b"subject", b"x")) == b"Subject: example\r\n\r\n"
    assert section_bytes(EXAMPLE, root, (), "HEADER.FIELDS.NOT", (b"content-type", b"TO")) == (
        b"Subject: example\r\n\r\n"
    )
    assert section_bytes(EXAMPLE, root, (1,), "HEADER.FIELDS", (b"subject",)) is None


def test_a_message_without_multipart_has_part_1() -> None:
    data = b"Subject: x\r\n\r\nbody"
    root = parse_structure(data)
    assert section_bytes(data, root, (1,)) == b"body"
    assert section_bytes(data, root, (1,), "MIME") == b"Subject: x\r\n\r\n"
    assert section_range(root, (2,)) is None
    assert section_range(root, (1, 1)) is None


def test_a_message_in_a_message_without_multipart() -> None:
    inner = b"Subject: inner\r\n\r\nbody"
    data = entity(b"message/rfc822", entity(b"message/rfc822", inner))
    root = parse_structure(data)
    assert section_bytes(data, root, (1,)) == entity(b"message/rfc822", inner)
    assert section_bytes(data, root, (1,), "HEADER") == b"Content-Type: message/rfc822\r\n\r\n"
    assert section_bytes(data, root, (1, 1)) == inner
    assert section_bytes(data, root, (1, 1), "HEADER") == b"Subject: inner\r\n\r\n"
    assert section_bytes(data, root, (1, 1), "TEXT") == b"body"
    assert section_bytes(data, root, (1, 1, 1)) == b"body"


def check_agreement(data: bytes, root: Part, structure: list[object], numbers: tuple[int, ...]) -> None:
    """Walks a BODYSTRUCTURE as a client does, and asks for every part it names."""
    bounds = section_range(root, numbers)
    assert bounds is not None
    if isinstance(structure[0], list):
        place = 0
        for place, child in enumerate(structure, 1):
            if not isinstance(child, list):
                break
            check_agreement(data, root, child, (*numbers, place))
        assert section_range(root, (*numbers, place)) is None
        return
    kind, subtype, size = structure[0], structure[1], structure[6]
    assert bounds[1] - bounds[0] == size
    if kind == b"text":
        assert structure[7] == data.count(b"\n", *bounds)
    if (kind, subtype) == (b"message", b"rfc822"):
        inner = structure[8]
        assert isinstance(inner, list)
        assert structure[9] == data.count(b"\n", *bounds)
        check_agreement(data, root, inner, numbers if isinstance(inner[0], list) else (*numbers, 1))


@given(messages())
def test_sizes_agree_with_sections(data: bytes) -> None:
    root = parse_structure(data)
    for extensible in (False, True):
        structure = read_list(render_bodystructure(root, extensible))
        check_agreement(data, root, structure, () if isinstance(structure[0], list) else (1,))


@given(messages())
def test_header_and_text_are_the_message(data: bytes) -> None:
    root = parse_structure(data)
    head, text = section_bytes(data, root, (), "HEADER"), section_bytes(data, root, (), "TEXT")
    assert head is not None
    assert text is not None
    assert bytes(head) + bytes(text) == data
