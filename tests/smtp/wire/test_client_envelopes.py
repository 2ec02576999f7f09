"""The client's envelopes: an outcome a recipient, pipelined and not, in windows, with DATA and BDAT."""

from collections.abc import Iterable

import pytest

from crockery.smtp.wire import Rcpt, Reply
from crockery.smtp.wire.client import ClientProtocol, Stage
from crockery.smtp.wire.client_events import Closed, Event, MessageAnswered
from tests.support.smtp_client import CHUNKING, LETTER, THREE, codes, connect, events, in_content, pump, ready
from tests.support.smtp_wire import cuttings

ENVELOPES = {
    "all": (b"250 m,250 x,251 y,252 z,354 go", [250, 251, 252], (0, 1, 2), b""),
    "one": (b"250 m,550 x,250 y,450 z,354 go", [550, 250, 450], (1,), b""),
    "none": (b"250 m,550 x,551 y,450 z,554 no", [550, 551, 450], (), b"RSET\r\n"),
    "none, and 354": (b"250 m,550 x,551 y,450 z,354 go,554 no", [550, 551, 450], (), b"RSET\r\n"),
    "sender": (b"451 m,503 x,503 y,503 z,503 d", [451, 451, 451], (), b""),
    "data": (b"250 m,250 x,550 y,250 z,451 later", [451, 550, 451], (), b"RSET\r\n"),
    "421 at once": (b"421 bye", [421, 421, 421], (), None),
    "421 later": (b"250 m,550 x,250 y,421 bye", [421 + 129, 421, 421], (), None),
    "354 too early": (b"354 m", [421, 421, 421], (), None),
    "354 to RCPT": (b"250 m,354 x", [421, 421, 421], (), None),
    "250 to DATA": (b"250 m,250 x,250 y,250 z,250 d", [421, 421, 421], (), None),
}


def lines(text: bytes) -> bytes:
    return b"".join(line + b"\r\n" for line in text.split(b","))


@pytest.mark.parametrize("name", ENVELOPES)
def test_envelopes_pipelined(name: str) -> None:
    heard, expected, accepted, before_next = ENVELOPES[name]
    for pieces in cuttings(lines(heard)):
        client = ready()
        client.mail(THREE)
        assert client.data_to_send().count(b"\r\n") == 5
        found: list[Event] = []
        for piece in pieces:
            found += events(client, piece)
        assert codes(found[0]) == (expected, accepted)
        if before_next is None:
            assert isinstance(found[1], Closed)
            assert client.stage is Stage.CLOSED
            assert client.data_to_send() == b""
        elif not accepted:
            empty = client.data_to_send()
            assert empty == (b".\r\n" if b"354" in heard else b"")
            client.mail(LETTER)
            assert client.data_to_send().startswith(before_next + b"MAIL")
        else:
            assert client.stage is Stage.CONTENT


def dialogue(client: ClientProtocol, answers: Iterable[bytes]) -> tuple[list[bytes], list[Event]]:
    said, found = [], []
    for answer in answers:
        said.append(client.data_to_send())
        found += events(client, answer + b"\r\n")
    said.append(client.data_to_send())
    return said, found


def test_without_pipelining_one_at_a_time() -> None:
    client = ready(b"250 mx\r\n")
    client.mail(THREE)
    said, (event,) = dialogue(client, [b"250 m", b"550 x", b"250 y", b"250 z", b"354 go"])
    assert [line[:4] for line in said] == [b"MAIL", b"RCPT", b"RCPT", b"RCPT", b"DATA", b""]
    assert codes(event) == ([550, 250, 250], (1, 2))


def test_without_pipelining_nothing_is_said_in_vain() -> None:
    client = ready(b"250 mx\r\n")
    client.mail(THREE)
    said, (event,) = dialogue(client, [b"550 m"])
    assert (len(said), codes(event)) == (2, ([550] * 3, ()))
    client.mail(THREE)
    said, (event,) = dialogue(client, [b"250 m", b"550 x", b"550 y", b"450 z"])
    assert (said[-1], codes(event)) == (b"", ([550, 550, 450], ()))
    client.mail(LETTER)
    said, (event,) = dialogue(client, [b"250 reset", b"250 m", b"250 b", b"354 go"])
    assert [line[:4] for line in said] == [b"RSET", b"MAIL", b"RCPT", b"DATA", b""]
    assert codes(event) == ([250], (0,))


def test_a_window_bounds_what_is_sent_ahead() -> None:
    client = ready(window=2)
    client.mail(THREE)
    said, (event,) = dialogue(client, [b"250 m", b"250 x", b"250 y", b"250 z", b"354 go"])
    assert [line.count(b"\r\n") for line in said] == [2, 1, 1, 1, 0, 0]
    assert codes(event)[1] == (0, 1, 2)


def test_bdat_saves_the_turn_of_data() -> None:
    client = in_content(CHUNKING)
    client.body(b"one\r\n.\r")
    client.body(b"\nend")
    client.end()
    assert client.data_to_send() == b"BDAT 7\r\none\r\n.\rBDAT 4\r\n\nendBDAT 2 LAST\r\n\r\n"
    assert events(client, b"250 7\r\n250 4\r\n250 2.6.0 taken\r\n") == [
        MessageAnswered(Reply(250, "2.6.0", "taken"), False)
    ]


@pytest.mark.parametrize("ended", [True, False], ids=["ended", "not ended"])
def test_a_refused_chunk_ends_the_message_and_the_rest_does_not_matter(ended: bool) -> None:
    client = in_content(CHUNKING)
    client.body(b"a\r\n")
    client.body(b"b\r\n")
    if ended:
        client.end()
    client.data_to_send()
    assert events(client, b"552 too big\r\n") == [MessageAnswered(Reply(552, "", "too big"), False)]
    client.mail(LETTER)
    assert client.data_to_send().startswith(b"RSET\r\nMAIL")
    answers = b"503 no\r\n" * (2 if ended else 1) + b"250 reset\r\n250 m\r\n250 r\r\n"
    assert [codes(event) for event in events(client, answers)] == [([250], (0,))]


def test_recipients_arrive_in_order() -> None:
    client, server = connect()
    client.mail(THREE)
    pump(client, server)
    assert [command.forward_path.local for command in server.commands if isinstance(command, Rcpt)] == ["x", "y", "z"]
