"""What SEARCH can tell without decoding, and that it is never wrong about it; the keys are in dialogs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crockery.imap.matching import surely_lacks
from crockery.message.structure import parse_structure
from crockery.message.text import fold, message_texts

PLAIN = b"Subject: lunch\r\n\r\nat noon\r\n"


@pytest.mark.parametrize(
    ("data", "word", "lacks"),
    [
        pytest.param(PLAIN, "dinner", True, id="plain"),
        pytest.param(PLAIN, "NOON", False, id="there"),
        pytest.param(PLAIN, "at noon", False, id="blanks may be folds"),
        pytest.param(PLAIN, "café", False, id="not ascii"),
        pytest.param(PLAIN + "é".encode(), "dinner", False, id="8-bit text"),
        pytest.param(b"Subject: =?utf-8?q?dinner?=\r\n\r\n", "dinner", False, id="encoded word"),
        pytest.param(b"Content-Transfer-Encoding: Base64\r\n\r\nZGlubmVy\r\n", "dinner", False, id="base64"),
        pytest.param(b"Content-Transfer-Encoding: quoted-printable\r\n\r\ndin=\r\nner\r\n", "dinner", False, id="qp"),
        pytest.param(b"Content-Type: text/plain; charset=utf-16\r\n\r\ndinner", "dinner", False, id="other charset"),
        pytest.param(b"Content-Type: text/plain; charset (x) = utf-7\r\n\r\n+AGQ-", "dinner", False, id="odd charset"),
        pytest.param(b"Content-Type: text/plain; charset=us-ascii\r\n\r\nx", "dinner", True, id="charset"),
        pytest.param(b'Content-Type: text/plain; charset="UTF-8"\r\n\r\nx', "dinner", True, id="charset quoted"),
    ],
)
def test_surely_lacks(data: bytes, word: str, lacks: bool) -> None:
    assert surely_lacks(data, fold(word)) is lacks


PIECES = st.sampled_from(
    [b"Content-Type: text/plain; charset=", b"utf-7", b"utf-8", b"iso-2022-jp", b"\r\n", b"Content-Transfer-Encoding: ",
     b"base64", b"quoted-printable", b"d", b"i", b"n", b"Subject: ", b"=?utf-8?q?", b"?=", b" ", b"=\r\n", b"+AGQ-",
     b"\x1b$B"]
)  # fmt: skip


@given(st.lists(PIECES, max_size=30).map(b"".join))
def test_it_is_never_wrong(data: bytes) -> None:
    needle = fold("din")
    found = any(needle in fold(text) for text in message_texts(data, parse_structure(data)))
    assert not (found and surely_lacks(data, needle))
