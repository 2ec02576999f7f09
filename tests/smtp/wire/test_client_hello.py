"""The client before its first mail: greeting, EHLO and HELO, STARTTLS, AUTH."""

import base64

import pytest

from crockery.smtp.wire import LocalProtocolError, Reply
from crockery.smtp.wire.client import NO_MECHANISM, ClientProtocol, Stage
from crockery.smtp.wire.client_events import AuthAnswered, Closed, Event, Greeted, HelloAnswered, TLSAnswered
from tests.support.smtp_client import LETTER, PIPELINING, events, ready


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
