"""Decoded texts and how they compare; base subjects and message ids."""

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crockery.limits import MAX_REFERENCES
from crockery.message.structure import parse_structure
from crockery.message.subjects import base_subject, message_ids
from crockery.message.text import fold, header_texts, part_text


def test_header_texts() -> None:
    data = b"From: =?utf-8?q?J=C3=BCrgen?= <j@a>\r\nSubject: =?iso-8859-1?q?Gr=FC=DFe?=\r\n =?utf-8?b?S8O2?=\r\n\r\n"
    assert header_texts(data, b"subject") == ["GrüßeKö"]
    assert header_texts(data, b"FROM") == ["Jürgen <j@a>"]
    assert header_texts(data, b"X") == []


def test_part_text_is_bounded_and_takes_any_encoding() -> None:
    data = b"Content-Transfer-Encoding: x-unknown\r\n\r\nabcdef"
    assert part_text(data, parse_structure(data)) == "abcdef"
    assert part_text(data, parse_structure(data), 3) == "abc"


FOLDED = [("abc", "ABC"), ("é", "É"), ("ﬁ", "FI"), ("ǆ", "ǅ"), ("Ａ", "a"), ("σ", "Σ"), ("É", "e\u0301"), ("가", "가")]


@pytest.mark.parametrize(("one", "other"), FOLDED)
def test_fold_makes_equal(one: str, other: str) -> None:
    assert fold(one) == fold(other)


def test_fold_keeps_apart() -> None:
    assert fold("ß") != fold("ss")  # RFC 5051 maps single characters alone
    assert fold("e") != fold("é")


@given(st.text(), st.text())
def test_fold_is_the_same_for_parts_of_a_text(one: str, other: str) -> None:
    assert fold(one) in fold(other + one)
    assert fold(one + other) == fold(one) + fold(other)
    assert fold(fold(one)) == fold(one)


def test_fold_takes_linear_time_for_marks_out_of_order() -> None:
    marks = "\u0301\u0323" * 200_000
    start = time.process_time()
    fold(marks)
    assert time.process_time() - start < 2
    assert unicodedata.combining(marks[0])


SUBJECTS = [
    ("", "", False),
    ("Hello", "Hello", False),
    ("Re: Hello", "Hello", True),
    ("RE:Re: re : Fwd: FW: Hello", "Hello", True),
    ("Re[2]: Hello", "Hello", True),
    ("[list] Hello", "Hello", False),
    ("[list] Re: [list] Hello", "Hello", True),
    ("Hello (fwd)", "Hello", True),
    ("Hello (fwd)  (FWD) ", "Hello", True),
    ("[fwd: Hello]", "Hello", True),
    ("[Fwd: Re: Hello (fwd)]", "Hello", True),
    ("[list]", "[list]", False),
    ("Re: [list]", "[list]", True),
    ("Re:", "", True),
    ("  two   words\t", "two words", False),
    ("Regarding: Hello", "Regarding: Hello", False),
    ("[ Hello", "[ Hello", False),
]


@pytest.mark.parametrize(("subject", "base", "is_reply"), SUBJECTS, ids=[repr(row[0]) for row in SUBJECTS])
def test_base_subject(subject: str, base: str, is_reply: bool) -> None:
    assert base_subject(subject) == (base, is_reply)


@given(st.lists(st.sampled_from(["re:", "[x]", " ", "(fwd)", "[fwd:", "]", "a", "fw"]), max_size=20).map("".join))
def test_base_subject_is_its_own_base(subject: str) -> None:
    base, _ = base_subject(subject)
    assert base_subject(base) == (base, False)


def test_message_ids() -> None:
    assert message_ids(None) == message_ids(b"") == message_ids(b"Your mail of Monday") == ()
    assert message_ids(b"<a@b> (that) <c d> <e@f>") == (b"<a@b>", b"<e@f>")
    many = b" ".join(b"<%d@x>" % n for n in range(1000))
    kept = message_ids(many)
    assert len(kept) == MAX_REFERENCES
    assert (kept[0], kept[1], kept[-1]) == (b"<0@x>", b"<901@x>", b"<999@x>")
