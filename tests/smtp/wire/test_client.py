"""The client: order of commands, pipelining, outcomes per recipient, and servers that are odd, rude or gone."""

import base64
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crockery.smtp.wire import LocalProtocolError, Offer, Quit, Rcpt, Reply, ServerProtocol, replies
from crockery.smtp.wire.client import LOST, NO_MECHANISM, TIMED_OUT, ClientProtocol, Stage
from crockery.smtp.wire.client_commands import DeliverBy, Recipient, Transaction, obstacle
from crockery.smtp.wire.client_events import (
    AuthAnswered,
    Closed,
    EnvelopeAnswered,
    Event,
    Greeted,
    HelloAnswered,
    MessageAnswered,
    TLSAnswered,
)
from tests.support.smtp_wire import MX, Session, cuttings

PIPELINING = b"250-mx.test hi\r\n250 PIPELINING\r\n"
CHUNKING = b"250-mx.test hi\r\n250-PIPELINING\r\n250 CHUNKING\r\n"
LETTER = Transaction(reverse_path="a@c.test", recipients=(Recipient("b@example.test"),))
THREE = Transaction(reverse_path="", recipients=tuple(Recipient(f"{name}@example.test") for name in "xyz"))


def events(client: ClientProtocol, data: bytes = b"") -> list[Event]:
    """Give `data` if any, and take all that comes of it."""
    if data:
        client.receive_data(data)
    found = []
    while (event := client.next_event()) is not None:
        found.append(event)
    return found


def ready(hello: bytes = PIPELINING, window: int = 100) -> ClientProtocol:
    """A client after the server's answer to EHLO."""
    client = ClientProtocol("us.test", window=window)
    events(client, b"220 mx.test ESMTP\r\n")
    client.hello()
    assert client.data_to_send() == b"EHLO us.test\r\n"
    assert isinstance(events(client, hello)[0], HelloAnswered)
    return client


def in_content(hello: bytes = PIPELINING) -> ClientProtocol:
    client = ready(hello)
    client.mail(LETTER)
    client.data_to_send()
    (event,) = events(client, b"250 a\r\n250 b\r\n" + (b"" if b"CHUNKING" in hello else b"354 go\r\n"))
    assert event == EnvelopeAnswered((Reply(250, "", "b"),), (0,))
    return client


# --- the whole way, against our own server ---


def pump(client: ClientProtocol, server: Session) -> list[Event]:
    """Carry octets to and fro until both are silent."""
    found: list[Event] = []
    while True:
        found += events(client)
        out = client.data_to_send()
        if not out:
            return found
        before = len(server.sent)
        server.feed(out)
        client.receive_data(server.sent[before:])


def connect(offer: Offer = MX) -> tuple[ClientProtocol, Session]:
    client, server = ClientProtocol("us.test"), Session(ServerProtocol(offer))
    events(client, server.protocol.send(replies.greeting("mx.example.test")))
    client.hello()
    (hello,) = pump(client, server)
    assert isinstance(hello, HelloAnswered)
    return client, server


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


def test_parameters_go_to_servers_that_offer_them() -> None:
    client = ready(
        b"250-mx\r\n250-size 1000\r\n250-8bitmime\r\n250-SMTPUTF8\r\n250-REQUIRETLS\r\n250-PIPELINING\r\n250 dsn\r\n"
    )
    letter = Transaction(
        reverse_path="ä@c.test",
        recipients=(Recipient("ö@example.test", notify="NEVER", orcpt="utf-8;x"),),
        size=900,
        eight_bit=True,
        smtputf8=True,
        require_tls=True,
        ret="HDRS",
        envid="QQ",
    )
    client.mail(letter)
    assert client.data_to_send().decode() == (
        "MAIL FROM:<ä@c.test> SIZE=900 BODY=8BITMIME SMTPUTF8 REQUIRETLS RET=HDRS ENVID=QQ\r\n"
        "RCPT TO:<ö@example.test> NOTIFY=NEVER ORCPT=utf-8;x\r\nDATA\r\n"
    )


def test_parameters_do_not_go_to_others() -> None:
    client = ready()
    client.mail(
        Transaction(
            reverse_path="",
            recipients=(Recipient("b@example.test", notify="NEVER"),),
            size=9,
            eight_bit=True,
            ret="FULL",
        )
    )
    assert client.data_to_send() == b"MAIL FROM:<>\r\nRCPT TO:<b@example.test>\r\nDATA\r\n"


@pytest.mark.parametrize(
    ("needs", "enhanced"),
    [({"smtputf8": True}, "5.6.7"), ({"require_tls": True}, "5.7.30"), ({"size": 11}, "5.3.4"), ({"size": 10}, None)],
)
def test_obstacles(needs: dict[str, int], enhanced: str | None) -> None:
    client = ready(b"250-mx\r\n250 SIZE 10\r\n")
    letter = Transaction(reverse_path="", recipients=LETTER.recipients, **needs)  # type: ignore[arg-type]
    found = obstacle(letter, client.capabilities)
    assert (found and found.enhanced) == enhanced
    if found:
        with pytest.raises(LocalProtocolError):
            client.mail(letter)


@pytest.mark.parametrize(
    ("offered", "deadline", "said"),
    [
        (b"DELIVERBY", DeliverBy(90, False), b" BY=90;N"),
        (b"DELIVERBY 60", DeliverBy(90, True, True), b" BY=90;RT"),
        (b"DELIVERBY 60", DeliverBy(30, False), b" BY=30;N"),
        (b"deliverby", DeliverBy(-30, False, True), b" BY=-30;NT"),
        (b"DELIVERBY", DeliverBy(1 << 40, False), b" BY=999999999;N"),
        (b"DELIVERBY x", DeliverBy(1, True), b" BY=1;R"),
        (b"HELP", DeliverBy(90, False, True), b""),
        (b"HELP", DeliverBy(90, True), "5.3.3"),
        (b"DELIVERBY 60", DeliverBy(30, True), "5.4.7"),
        (b"DELIVERBY", DeliverBy(0, True), "5.4.7"),
    ],
)
def test_a_deadline_is_passed_on_with_the_time_left(offered: bytes, deadline: DeliverBy, said: bytes | str) -> None:
    client = ready(b"250-mx\r\n250 %s\r\n" % offered)
    letter = Transaction(reverse_path="a@c.test", recipients=LETTER.recipients, deliver_by=deadline)
    found = obstacle(letter, client.capabilities)
    if isinstance(said, str):
        assert found is not None and found.enhanced == said
        return
    assert found is None
    client.mail(letter)
    assert client.data_to_send().startswith(b"MAIL FROM:<a@c.test>%s\r\n" % said)


@pytest.mark.parametrize("address", ["a\r\nRSET@c.test", "a\n@c.test", "a\0@c.test", "ä@c.test", "\ud800@c.test"])
def test_no_address_smuggles(address: str) -> None:
    for letter in (
        Transaction(reverse_path=address, recipients=LETTER.recipients),
        Transaction(reverse_path="", recipients=(Recipient(address),)),
    ):
        client = ready()
        with pytest.raises(LocalProtocolError):
            client.mail(letter)
        assert client.data_to_send() == b""
        assert client.stage is Stage.READY


# --- greeting, hello, TLS, AUTH ---


def test_a_greeting_that_refuses_leaves_quit() -> None:
    client = ClientProtocol("us.test")
    assert events(client, b"554-no\r\n554 mail here\r\n") == [Greeted(Reply(554, "", "no\nmail here"))]
    client.quit()
    assert client.data_to_send() == b"QUIT\r\n"
    assert events(client, b"221 bye\r\n") == [Closed(Reply(221, "", "bye"))]


def test_helo_where_ehlo_is_unknown() -> None:
    client = ClientProtocol("us.test")
    events(client, b"220 x\r\n")
    client.hello()
    client.data_to_send()
    assert events(client, b"502 what?\r\n") == []
    assert client.data_to_send() == b"HELO us.test\r\n"
    (hello,) = events(client, b"250 PIPELINING\r\n")
    assert isinstance(hello, HelloAnswered) and not hello.capabilities.keywords
    assert client.stage is Stage.READY


def test_hello_refused_for_now() -> None:
    client = ClientProtocol("us.test")
    events(client, b"220 x\r\n")
    client.hello()
    (hello,) = events(client, b"451 later\r\n")
    assert isinstance(hello, HelloAnswered) and hello.reply.code == 451
    assert client.stage is Stage.GREETED


def test_octets_behind_the_answer_to_starttls_are_dropped() -> None:
    client = ready(b"250-mx\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n")
    client.start_tls()
    assert client.data_to_send() == b"STARTTLS\r\n"
    injected = b"250-evil\r\n250 AUTH PLAIN\r\n235 ok\r\n"
    assert events(client, b"220 go\r\n" + injected) == [TLSAnswered(Reply(220, "", "go"), len(injected))]
    client.tls_started()
    assert client.tls and not client.capabilities.keywords
    with pytest.raises(LocalProtocolError):
        client.mail(LETTER)
    client.hello()
    assert events(client) == []
    assert client.data_to_send() == b"EHLO us.test\r\n"
    assert isinstance(events(client, PIPELINING)[0], HelloAnswered)


def test_starttls_refused_goes_on_in_the_clear_if_the_caller_wants() -> None:
    client = ready()
    client.start_tls()
    client.data_to_send()
    assert events(client, b"454 4.7.0 no\r\n") == [TLSAnswered(Reply(454, "4.7.0", "no"), 0)]
    assert client.stage is Stage.READY and not client.tls


def test_tls_from_the_first_octet() -> None:
    client = ClientProtocol("us.test")
    client.tls_started()
    assert events(client, b"220 x\r\n") == [Greeted(Reply(220, "", "x"))]


AUTH = {
    "plain": (b"AUTH LOGIN PLAIN", [b"AUTH PLAIN AHUAcA==\r\n"], [b"235 2.7.0 ok"], 235),
    "plain refused": (b"AUTH PLAIN", [b"AUTH PLAIN AHUAcA==\r\n"], [b"535 no"], 535),
    "plain asked again": (b"AUTH PLAIN", [b"AUTH PLAIN AHUAcA==\r\n", b"AHUAcA==\r\n"], [b"334", b"235 ok"], 235),
    "login": (b"auth login", [b"AUTH LOGIN\r\n", b"dQ==\r\n", b"cA==\r\n"], [b"334 VQ==", b"334 UA==", b"235 k"], 235),
    "old form": (b"AUTH=LOGIN", [b"AUTH LOGIN\r\n", b"dQ==\r\n", b"cA==\r\n"], [b"334 x", b"334 y", b"235 k"], 235),
    "too curious": (
        b"AUTH PLAIN",
        [b"AUTH PLAIN AHUAcA==\r\n", b"AHUAcA==\r\n", b"*\r\n"],
        [b"334 x", b"334 y", b"501 cancelled"],
        501,
    ),
}


@pytest.mark.parametrize("name", AUTH)
def test_auth(name: str) -> None:
    offered, said, heard, code = AUTH[name]
    client = ready(b"250-mx\r\n250 " + offered + b"\r\n")
    client.authenticate("u", "p")
    found: list[Event] = []
    for line, answer in zip(said, heard, strict=True):
        assert found == []
        assert client.data_to_send() == line
        found = events(client, answer + b"\r\n")
    assert isinstance(found[0], AuthAnswered) and found[0].reply.code == code
    assert client.authenticated is (code == 235)
    assert base64.b64decode("AHUAcA==") == b"\0u\0p"


def test_auth_without_a_mechanism_of_ours() -> None:
    client = ready(b"250-mx\r\n250 AUTH GSSAPI\r\n")
    client.authenticate("u", "p")
    assert events(client) == [AuthAnswered(NO_MECHANISM)]


def test_auth_without_end() -> None:
    client = ready(b"250-mx\r\n250 AUTH PLAIN\r\n")
    client.authenticate("u", "p")
    (closed,) = events(client, b"334 x\r\n" * 4)
    assert isinstance(closed, Closed) and closed.reply.enhanced == "4.5.0"


# --- envelopes ---


def codes(event: Event) -> tuple[list[int], tuple[int, ...]]:
    assert isinstance(event, EnvelopeAnswered)
    return [reply.code for reply in event.replies], event.accepted


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


# --- content, and ends ---


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


def test_recipients_arrive_in_order() -> None:
    client, server = connect()
    client.mail(THREE)
    pump(client, server)
    assert [command.forward_path.local for command in server.commands if isinstance(command, Rcpt)] == ["x", "y", "z"]
