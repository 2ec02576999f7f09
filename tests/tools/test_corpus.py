"""The corpus is normalised to what a mail server holds (no download here)."""

import pytest

from tools.corpus import normalise


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        pytest.param(b"A: b\n\nc\n", b"A: b\r\n\r\nc\r\n", id="LF"),
        pytest.param(b"A: b\r\n\r\nc\r\n", b"A: b\r\n\r\nc\r\n", id="CRLF"),
        pytest.param(b"A: b\r\r\n\nc\rd\n", b"A: b\r\n\r\nc\r\nd\r\n", id="bare CR"),
        pytest.param(b"From x Thu Aug 22\nA: b\n\nFrom c", b"A: b\r\n\r\nFrom c\r\n", id="mbox From_ line"),
        pytest.param(b"From: x\n\n\xe9", b"From: x\r\n\r\n\xe9\r\n", id="From field, 8 bit, no end"),
    ],
)
def test_normalise(raw: bytes, expected: bytes) -> None:
    assert normalise(raw) == expected
