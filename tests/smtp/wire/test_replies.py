"""The table of replies tested as a table, and rendering against forgers."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crockery import limits
from crockery.smtp.wire import Reply, replies

TABLE = {name: value for name, value in vars(replies).items() if isinstance(value, Reply)}
MADE = {
    "unknown_parameter": replies.unknown_parameter("X"),
    "bad_parameter": replies.bad_parameter("X"),
    "chunk_received": replies.chunk_received(5),
    "greeting": replies.greeting("mx"),
    "hello": replies.hello("mx", ("SIZE 1",)),
    "challenge": replies.challenge(b"abcd"),
}


@pytest.mark.parametrize("name", [*TABLE, *MADE])
def test_reply(name: str) -> None:
    reply = {**TABLE, **MADE}[name]
    assert 211 <= reply.code <= 559
    if reply.enhanced:
        assert re.fullmatch(rf"{reply.code // 100}\.\d{{1,3}}\.\d{{1,3}}", reply.enhanced)
    else:
        assert reply.code // 100 == 3 or name in ("greeting", "hello")
    assert reply.text.isascii()
    assert all(len(line) <= limits.SMTP_MAX_REPLY_LINE for line in reply.render().splitlines(keepends=True))


def test_every_text_is_there_once() -> None:
    texts = [reply.text for reply in TABLE.values()]
    assert sorted(texts) == sorted(set(texts))


def test_render() -> None:
    assert Reply(250, "2.1.0", "one").render() == b"250 2.1.0 one\r\n"
    assert Reply(250, "2.1.0", "one\ntwo\nthree").render() == b"250-2.1.0 one\r\n250-2.1.0 two\r\n250 2.1.0 three\r\n"
    assert replies.hello("mx", ("SIZE 1", "HELP")).render() == b"250-mx at your service\r\n250-SIZE 1\r\n250 HELP\r\n"
    assert replies.challenge(b"").render() == b"334 \r\n"


@given(text=st.text(max_size=600), enhanced=st.sampled_from(["", "5.1.1"]))
def test_no_text_can_forge_a_reply(text: str, enhanced: str) -> None:
    rendered = Reply(550, enhanced, text).render()
    *lines, last = rendered.removesuffix(b"\r\n").split(b"\r\n")
    assert rendered.endswith(b"\r\n")
    assert last.startswith(b"550 ")
    assert all(line.startswith(b"550-") for line in lines)
    assert all(re.fullmatch(rb"[\x20-\x7e]{4,510}", line) for line in [*lines, last])
