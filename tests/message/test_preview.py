"""The first words of a message."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crockery.limits import PREVIEW_LENGTH
from crockery.message.html import html_text
from crockery.message.preview import preview
from crockery.message.structure import parse_structure

HTML = b"Content-Type: text/html; charset=utf-8\r\n\r\n"

MESSAGES = [
    pytest.param(b"Subject: x\r\n\r\nHello,\r\n\r\n  you\tthere\r\n", "Hello, you there", id="plain"),
    pytest.param(b"Subject: x\r\n\r\n> Shall we?\r\n\r\nYes\r\n-- \r\nAnna\r\n", "Yes", id="quotes and signature"),
    pytest.param(b"Subject: x\r\n\r\n> only a quote\r\n", "> only a quote", id="nothing but a quote"),
    pytest.param(HTML + b"<p>Ti&eacute;ns, <b>b</b>old</p><p>next", "Tiéns, bold next", id="html"),
    pytest.param(HTML + b"<HEAD><title>no</title></HEAD><style>no</style>yes<!-- no > --> so", "yes so", id="not text"),
    pytest.param(HTML + b"<script>never ends", "", id="script without end"),
    pytest.param(b"Content-Type: image/png\r\n\r\nabc", "", id="no text"),
    pytest.param(b"Content-Type: text/plain; charset=utf-8\r\n\r\n\xc3\xa9t\xc3\xa9", "été", id="utf-8"),
    pytest.param(
        b"Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n\r\n \r\n--b\r\n"
        + HTML
        + b"<i>two</i>\r\n--b--",
        "two",
        id="the first part that has any",
    ),
]


@pytest.mark.parametrize(("data", "expected"), MESSAGES)
def test_preview(data: bytes, expected: str) -> None:
    assert preview(data, parse_structure(data)) == expected


def test_no_longer_than_the_limit() -> None:
    data = b"\r\n\r\n" + b"word " * 1000
    assert len(preview(data, parse_structure(data))) == PREVIEW_LENGTH - 1


@given(st.text("<>!-/ab &;scriptyle\"'", max_size=100))
def test_any_html(text: str) -> None:
    assert len(html_text(text)) <= 2 * len(text) + 1


@pytest.mark.parametrize("piece", ["<", "<!--", "<style>", "<a ", "</style", "<p>", "&", ">\n"])
def test_hostile_html_is_read_in_linear_time(piece: str) -> None:
    data = HTML + piece.encode() * 200_000
    root = parse_structure(data)
    started = time.process_time()
    preview(data, root)
    assert time.process_time() - started < 1
