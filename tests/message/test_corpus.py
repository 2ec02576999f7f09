"""Forty real messages (tests/data/corpus): ours and the standard library's reading agree; sections fit sizes."""

from pathlib import Path

import pytest

from tools.check_corpus import check_sections, compare, with_crlf

MAILS = sorted((Path(__file__).parent.parent / "data" / "corpus").glob("*.eml"))


@pytest.mark.parametrize("path", MAILS, ids=[path.stem for path in MAILS])
def test_reading_agrees(path: Path) -> None:
    data = path.read_bytes()
    for form in (data, with_crlf(data)):
        assert compare(form) == []
        assert check_sections(form) == []


def test_they_are_there() -> None:
    assert len(MAILS) == 40


def test_a_difference_is_seen() -> None:
    data = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b and more\r\n\r\none\r\n--b--\r\n"
    assert compare(data) == ["1: 1 parts, email 0"]
