"""The damaged messages of Apache James Mime4J, against the trees given with them (tests/data/mime4j)."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from crockery.message.headers import iterate_fields
from crockery.message.structure import Part, iterate_parts, parse_structure

FOLDER = Path(__file__).parent.parent / "data" / "mime4j"

# Where we differ, and why.
DIFFERENT = {
    "base64encoded-rfc822message": "a message in base64 has no offsets: its text is shown as it stands (RFC 2046 §5.2.1"
    " forbids the encoding)",
    "base64encoded-rfc822message-nested": "as above",
    "bad-newlines-multiple-parts-base64": "as above",
    "malformedHeader-noheader": "a text without header is its own body, so that people see it",
    "malformedHeaderStartsBody-noheader": "as above; there the parser was told that its first line starts the body",
    "malformedHeaderStartsBody-nocrlfcrlf": "a line without colon inside a header is skipped: the parser there was told"
    " otherwise, and by default does as ours",
    "missing-boundary": "a multipart without parts is text/plain, as BODYSTRUCTURE cannot say it otherwise",
    "missing-inner-boundary": "as above",
    "multipartnopart": "as above",
    "missing-inner-start-boundary": "as above",
    "weird-boundary": "a boundary must not end with a blank (RFC 2046 §5.1.1), and blanks may follow it",
    "very-long-boundary": "as above",
    "very-very-long-boundary": "as above",
}
OTHER_FIELDS = {"obsolete": "a name with 8-bit characters is no field there; ours keeps what it can"}
NAMES = sorted(path.stem for path in FOLDER.glob("*.msg"))


def expected_outline(node: ElementTree.Element) -> object:
    """A leaf as its text, a multipart as a list, a message inside as a tuple."""
    found = [child for child in node if child.tag != "header"]
    assert len(found) == 1
    if found[0].tag == "multipart":
        return [expected_outline(child) for child in found[0] if child.tag == "body-part"]
    if found[0].tag == "message":
        return (expected_outline(found[0]),)
    return normal("".join(found[0].itertext()))


def outline(data: bytes, part: Part) -> object:
    if part.children:
        return [outline(data, child) for child in part.children]
    if part.message:
        return (outline(data, part.message),)
    return normal(data[part.body_start : part.body_end].decode("latin-1"))


def normal(text: str) -> str:
    """Line ends and what the XML form adds are no difference."""
    return re.sub(r"\s*\n\s*", "\n", text.replace("\r", "\n")).strip()


@pytest.mark.parametrize("name", NAMES)
def test_tree(name: str) -> None:
    data = (FOLDER / f"{name}.msg").read_bytes()
    expected = expected_outline(ElementTree.parse(FOLDER / f"{name}.xml").getroot())
    same = outline(data, parse_structure(data)) == expected
    assert same == (name not in DIFFERENT), DIFFERENT.get(name, "differs")


@pytest.mark.parametrize("name", sorted({*NAMES} - {*DIFFERENT, *OTHER_FIELDS}))
def test_fields(name: str) -> None:
    data = (FOLDER / f"{name}.msg").read_bytes()
    tree = ElementTree.parse(FOLDER / f"{name}.xml").getroot()
    expected = [normal(field.text or "") for field in tree.iterfind(".//header/field")]
    ours = [
        normal(data[start:end].decode("latin-1"))
        for part in iterate_parts(parse_structure(data))
        for _, start, _, end in iterate_fields(data, part.header_start, part.body_start)
    ]
    assert ours == expected


def test_all_are_there() -> None:
    assert len(NAMES) == 32
    assert set(DIFFERENT) < set(NAMES)
