"""Which mails belong together."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crockery.message.conversation import NO_CONVERSATION, read_conversation

FIRST = b"Message-ID: <1@a>\r\nSubject: Lunch\r\n\r\n"

JOINED = [
    pytest.param(b"Message-ID: <2@a>\r\nIn-Reply-To: <1@a>\r\nSubject: Re: Lunch\r\n\r\n", id="in-reply-to"),
    pytest.param(b"Message-ID: <2@a>\r\nReferences: <0@a>\r\n <1@a>\r\nSubject: RE: lunch\r\n\r\n", id="references"),
    pytest.param(b"In-Reply-To: <1@a>\r\nSubject: AW: Lunch\r\n\r\n", id="german"),
    pytest.param(b"In-Reply-To: <1@a>\r\nSubject: Re: AW: SV[2]: Lunch (fwd)\r\n\r\n", id="many prefixes"),
    pytest.param(b"In-Reply-To: <1@a>\r\nSubject: =?utf-8?q?Re=3A_Lunch?=\r\n\r\n", id="encoded"),
    pytest.param(b"Message-ID: <1@a>\r\nSubject: Lunch\r\nReceived: x\r\n\r\n", id="the same again"),
]

APART = [
    pytest.param(b"Message-ID: <2@a>\r\nSubject: Re: Lunch\r\n\r\n", id="subject alone"),
    pytest.param(b"In-Reply-To: <1@a>\r\nSubject: Dinner\r\n\r\n", id="another subject"),
    pytest.param(b"Subject: Lunch\r\n\r\n<1@a>\r\n", id="in the body"),
]


@pytest.mark.parametrize("answer", JOINED)
def test_answers_share_a_key(answer: bytes) -> None:
    assert set(read_conversation(answer).keys) & set(read_conversation(FIRST).keys)


@pytest.mark.parametrize("other", APART)
def test_others_share_none(other: bytes) -> None:
    assert not set(read_conversation(other).keys) & set(read_conversation(FIRST).keys)


def test_own_key_first_then_the_nearest() -> None:
    said = read_conversation(b"References: <a@x> <b@x>\r\nMessage-ID: <c@x>\r\n\r\n")
    alone = [read_conversation(b"Message-ID: <%c@x>\r\n\r\n" % name).keys[0] for name in b"cba"]
    assert said.message_id == "c@x"
    assert list(said.keys) == alone


def test_no_ids_no_conversation() -> None:
    assert read_conversation(b"Subject: Lunch\r\n\r\n") == NO_CONVERSATION
    assert read_conversation(b"") == NO_CONVERSATION


def test_very_many_references() -> None:
    data = b"References: " + b" ".join(b"<%d@x>" % n for n in range(5000)) + b"\r\n\r\n"
    assert len(read_conversation(data).keys) == 21


@given(st.binary(max_size=200))
def test_anything(data: bytes) -> None:
    read_conversation(b"Message-ID: <1@a>\r\nReferences: " + data)
    read_conversation(b"Message-ID: <1@a>\r\nSubject: " + data)
