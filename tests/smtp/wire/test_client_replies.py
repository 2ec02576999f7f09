"""Replies as servers really send them, whole and in pieces; and the answer to EHLO."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crockery.smtp.wire import Reply
from crockery.smtp.wire.capabilities import parse_capabilities
from crockery.smtp.wire.client_replies import ReplyError, ReplyReader
from tests.support.smtp_wire import cuttings

GOOD = {
    "plain": (b"250 OK\r\n", Reply(250, "", "OK")),
    "multi-line": (b"250-a\r\n250-b\r\n250 c\r\n", Reply(250, "", "a\nb\nc")),
    "bare code": (b"250\r\n", Reply(250, "", "")),
    "bare code last": (b"250-a\r\n250\r\n", Reply(250, "", "a\n")),
    "empty continuation": (b"250-\r\n250 x\r\n", Reply(250, "", "\nx")),
    "bare LF": (b"250-a\n250 b\n", Reply(250, "", "a\nb")),
    "tab": (b"250\tOK\r\n", Reply(250, "", "OK")),
    "no blank": (b"250OK\r\n", Reply(250, "", "OK")),
    "enhanced": (b"550 5.1.1 nobody\r\n", Reply(550, "5.1.1", "nobody")),
    "enhanced, multi-line": (b"550-5.1.1 a\r\n550-b\r\n550 5.1.1 c\r\n", Reply(550, "5.1.1", "a\nb\nc")),
    "enhanced alone": (b"550 5.7.1\r\n", Reply(550, "5.7.1", "")),
    "enhanced of another class": (b"550 4.1.1 x\r\n", Reply(550, "", "4.1.1 x")),
    "not enhanced": (b"550 5.1.1.2 x\r\n", Reply(550, "", "5.1.1.2 x")),
    "version": (b"220 2.10 x\r\n", Reply(220, "", "2.10 x")),
    "3yz has none": (b"354 3.0.0 x\r\n", Reply(354, "", "3.0.0 x")),
    "other code in the continuation": (b"250-a\r\n550 b\r\n", Reply(550, "", "a\nb")),
    "UTF-8": ("550 nö\r\n".encode(), Reply(550, "", "nö")),
    "Latin-1": (b"550 n\xf6\r\n", Reply(550, "", "n\ufffd")),
    "controls": (b"550 a\x1b[2J\x00\tb\r\x85\r\n", Reply(550, "", "a?[2J? b?\ufffd")),
    "odd second digit": (b"299 x\r\n", Reply(299, "", "x")),
}


@pytest.mark.parametrize("name", GOOD)
def test_replies(name: str) -> None:
    octets, expected = GOOD[name]
    for pieces in cuttings(octets + b"221 bye\r\n2"):
        reader = ReplyReader()
        found = []
        for piece in pieces:
            reader.receive(piece)
            while (reply := reader.next_reply()) is not None:
                found.append(reply)
        assert found == [expected, Reply(221, "", "bye")]
        assert not reader.is_empty


BAD = [b"\r\n", b"hello\r\n", b"25\r\n", b"150 x\r\n", b"650 x\r\n", b"HTTP/1.1 400 Bad\r\n", b" 250 x\r\n", b"\xff\n"]


@pytest.mark.parametrize("octets", [*BAD, *(b"250-x\r\n" + bad for bad in BAD)])
def test_what_is_no_reply(octets: bytes) -> None:
    for pieces in cuttings(octets):
        reader = ReplyReader()
        with pytest.raises(ReplyError):
            for piece in pieces:
                reader.receive(piece)
                assert reader.next_reply() is None


@pytest.mark.parametrize("octets", [b"250 " + b"x" * 200, b"250-x\r\n" * 20, b"x" * 200])
def test_endless_replies(octets: bytes) -> None:
    for pieces in cuttings(octets):
        reader = ReplyReader(max_reply=100)
        with pytest.raises(ReplyError):
            for piece in pieces:
                reader.receive(piece)
                assert reader.next_reply() is None


def test_the_limit_is_for_one_reply() -> None:
    reader = ReplyReader(max_reply=100)
    reader.receive(b"250-aaaaaaaaaa\r\n250 b\r\n" * 50)
    assert [reader.next_reply() for _ in range(50)] == [Reply(250, "", "aaaaaaaaaa\nb")] * 50


@given(st.binary(max_size=60))
def test_any_octets_give_replies_or_the_one_error(octets: bytes) -> None:
    reader = ReplyReader()
    reader.receive(octets)
    try:
        while (reply := reader.next_reply()) is not None:
            assert 200 <= reply.code < 600
    except ReplyError:
        pass


@given(st.integers(200, 599), st.sampled_from(["", "1.1", "7.30"]), st.lists(st.text("abc .-", max_size=9), min_size=1))
def test_what_our_server_renders_is_read_back(code: int, detail: str, words: list[str]) -> None:
    enhanced = f"{code // 100}.{detail}" if detail and code // 100 != 3 else ""
    text = "\n".join("x" + word for word in words)
    reader = ReplyReader()
    reader.receive(Reply(code, enhanced, text).render())
    assert reader.next_reply() == Reply(code, enhanced, text)


def test_capabilities() -> None:
    offered = parse_capabilities(
        Reply(
            250,
            "",
            "STARTTLS mx\nsize 1000\nAuth plain Login\nAUTH=CRAM-MD5\n\nLIMITS rcptmax=7 MAILMAX=x X=0\n8bitmime",
        )
    )
    assert set(offered.keywords) == {"SIZE", "AUTH", "LIMITS", "8BITMIME"}
    assert offered.max_size == 1000
    assert offered.auth_mechs == ("PLAIN", "LOGIN", "CRAM-MD5")
    assert (offered.limit("RCPTMAX"), offered.limit("MAILMAX"), offered.limit("X")) == (7, None, None)


@pytest.mark.parametrize("line", ["SIZE", "SIZE 0", "SIZE x", "SIZE -1", "SIZE ٣", "SIZE 9999999999999999999999"])
def test_sizes_that_bind_nobody(line: str) -> None:
    assert parse_capabilities(Reply(250, "", f"mx\n{line}")).max_size is None
