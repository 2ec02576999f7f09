"""The client: what arrives is what was sent; ends and their time limits; servers that are odd, rude or gone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crockery.smtp.wire import LocalProtocolError, Quit, Reply, replies
from crockery.smtp.wire.client import LOST, TIMED_OUT, ClientProtocol, Stage
from crockery.smtp.wire.client_events import Closed, EnvelopeAnswered, MessageAnswered
from tests.support.smtp_client import (
    CHUNKING,
    LETTER,
    PIPELINING,
    THREE,
    codes,
    connect,
    events,
    in_content,
    pump,
    ready,
)


@given(
    messages=st.lists(
        st.lists(st.sampled_from([b"\r\n", b".", b"..", b"x", b"\r\n.\r\n"]), max_size=12), min_size=1, max_size=3
    ),
    chunking=st.booleans(),
)
def test_what_is_sent_is_what_arrives(messages: list[list[bytes]], chunking: bool) -> None:
    client, server = connect()
    if not chunking:
        client.capabilities = type(client.capabilities)({"PIPELINING": ()})
    for pieces in messages:
        client.mail(LETTER)
        assert isinstance(pump(client, server)[0], EnvelopeAnswered)
        for piece in pieces:
            client.body(piece)
        client.end()
        assert pump(client, server) == [MessageAnswered(replies.ACCEPTED, False)]
    whole = [b"".join(pieces) for pieces in messages]
    assert server.messages == [text if not text or text.endswith(b"\r\n") else text + b"\r\n" for text in whole]
    client.quit()
    assert pump(client, server) == [Closed(replies.BYE)]
    assert isinstance(server.commands[-1], Quit)


@pytest.mark.parametrize("hello", [PIPELINING, CHUNKING], ids=["DATA", "BDAT"])
@pytest.mark.parametrize("pieces", [[b"a\nb"], [b"a\rb"], [b"a\r", b"b"], [b"a\r"], [b"\n"]])
def test_bare_newlines_never_leave(hello: bytes, pieces: list[bytes]) -> None:
    client = in_content(hello)
    with pytest.raises(LocalProtocolError):
        for piece in pieces:
            client.body(piece)
        client.end()
    client.abandon(TIMED_OUT)
    assert events(client) == [MessageAnswered(TIMED_OUT, False), Closed(TIMED_OUT)]
    assert client.data_to_send() == b""


ENDS = {
    "421": (b"421 4.3.0 bye\r\n", 421, False, True),
    "end of stream": (b"", 421, True, True),
    "babble": (b"hello?\r\n", 421, True, True),
    "354": (b"354 more\r\n", 421, True, True),
    "accepted": (b"250 ok\r\n", 250, False, False),
    "refused": (b"554 spam\r\n", 554, False, False),
    "accepted, then 421": (b"250 ok\r\n421 bye\r\n", 250, False, True),
}


@pytest.mark.parametrize("name", ENDS)
def test_after_the_final_dot(name: str) -> None:
    heard, code, is_uncertain, closes = ENDS[name]
    client = in_content()
    client.end()
    client.data_to_send()
    client.receive_data(heard)
    found = events(client)
    assert isinstance(found[0], MessageAnswered)
    assert (found[0].reply.code, found[0].is_uncertain) == (code, is_uncertain)
    assert [isinstance(event, Closed) for event in found[1:]] == [True] * closes


@pytest.mark.parametrize(
    ("heard", "code"), [(b"552 too big\r\n", 552), (b"421 bye\r\n", 421), (b"250 fine\r\n", 421), (b"", 421)]
)
def test_before_the_final_dot_only_a_refusal_is_believed(heard: bytes, code: int) -> None:
    client = in_content()
    client.body(b"half of it")
    client.receive_data(heard)
    message, closed = events(client)
    assert isinstance(message, MessageAnswered) and isinstance(closed, Closed)
    assert (message.reply.code, message.is_uncertain) == (code, False)


@pytest.mark.parametrize("early", [b"250 ok\r\n", b"250-ok", b"2", b"421 bye\r\n"])
def test_a_reply_before_its_command_is_not_believed(early: bytes) -> None:
    client = ready()
    client.receive_data(early)
    client.mail(LETTER)
    assert client.data_to_send() == b""
    envelope, closed = events(client, b"250 a\r\n250 b\r\n354 go\r\n")
    assert codes(envelope) == ([421], ())
    assert isinstance(closed, Closed)


def test_421_between_transactions() -> None:
    client = ready()
    assert events(client, b"421 4.4.2 idle too long\r\n") == [Closed(Reply(421, "4.4.2", "idle too long"))]
    assert events(client, b"250 x\r\n") == []
    with pytest.raises(LocalProtocolError):
        client.mail(LETTER)


def test_the_end_of_the_stream_and_timeouts_settle_all_once() -> None:
    client = ready()
    client.mail(THREE)
    client.receive_data(b"250 m\r\n550 x\r\n")
    client.receive_data(b"")
    client.abandon(TIMED_OUT)
    envelope, closed = events(client)
    assert codes(envelope) == ([550, 421, 421], ())
    assert closed == Closed(LOST)


def test_mailmax() -> None:
    client = ready(b"250-mx\r\n250-PIPELINING\r\n250 LIMITS RCPTMAX=5 MAILMAX=1\r\n")
    assert client.may_send_more and client.capabilities.limit("RCPTMAX") == 5
    client.mail(LETTER)
    events(client, b"250 a\r\n250 b\r\n354 go\r\n")
    client.end()
    assert not client.may_send_more
    events(client, b"250 taken\r\n")
    assert client.stage is Stage.READY and not client.may_send_more


def test_the_timeouts_are_those_of_the_rfc() -> None:
    client = ClientProtocol("us.test")
    seen = [client.timeout]
    events(client, b"220 x\r\n")
    client.hello()
    events(client, b"250 x\r\n")
    client.mail(LETTER)
    for answer in (b"250 m", b"250 r", b"354 go"):
        seen.append(client.timeout)
        events(client, answer + b"\r\n")
    seen.append(client.timeout)
    client.end()
    seen.append(client.timeout)
    assert seen == [300, 300, 300, 120, 180, 600]


@given(
    data=st.lists(
        st.sampled_from(
            [b"2", b"250", b"354", b"421", b"550", b"220", b"334", b"-", b" ", b"x", b"\r\n", b"\n", b"\xff", b"\r"]
        ),
        max_size=40,
    ).map(b"".join),
    stage=st.integers(0, 5),
)
def test_remote_octets_raise_nothing_and_all_is_settled(data: bytes, stage: int) -> None:
    client = ClientProtocol("us.test") if stage == 0 else in_content() if stage > 3 else ready()
    if stage == 2:
        client.authenticate("u", "p")
    if stage == 3:
        client.mail(THREE)
    if stage == 5:
        client.end()
    found = events(client, data)
    client.receive_data(b"")
    found += events(client)
    assert sum(isinstance(event, Closed) for event in found) == 1
    assert isinstance(found[-1], Closed)
    assert sum(isinstance(event, EnvelopeAnswered) for event in found) == (stage == 3)
    expected = stage > 3 or any(isinstance(event, EnvelopeAnswered) and event.accepted for event in found)
    assert sum(isinstance(event, MessageAnswered) for event in found) == expected
