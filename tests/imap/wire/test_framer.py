"""The framer: every case whole, octet by octet, cut in two at every place, and with a tail."""

import pytest

from crockery import limits
from crockery.imap.wire.errors import BadCommand, StreamLost, TooBig
from crockery.imap.wire.framer import (
    BEFORE_LOGIN,
    NEED_MORE,
    Continuation,
    Event,
    Frame,
    Framer,
    FramerLimits,
    Literal,
    LiteralData,
    LiteralEnd,
    LiteralStart,
    RawLine,
)
from crockery.imap.wire.render import render_error
from tests.support.imap_wire import SMALL, read

BIG = b"m" * 300


def streamed(index: int, size: int, binary: bool = False) -> Literal:
    return Literal(index, size, binary, None)


CASES: dict[str, tuple[bytes, list[Event | bytes]]] = {
    "line": (b"a NOOP\r\n", [Frame(b"a NOOP", {})]),
    "bare LF": (b"a NOOP\n", [Frame(b"a NOOP", {})]),
    "empty line": (b"\r\n", [Frame(b"", {})]),
    "CR inside": (b"a NO\rOP\r\n", [Frame(b"a NO\rOP", {})]),
    "pipelined": (b"a NOOP\r\nb NOOP\r\n", [Frame(b"a NOOP", {}), Frame(b"b NOOP", {})]),
    "synchronising": (
        b"a LOGIN {4}\r\nanna {3}\r\na\r\n\r\n",
        [
            Continuation(),
            Continuation(),
            Frame(b"a LOGIN {4}\n {3}\n", {12: Literal(0, 4, False, b"anna"), 17: Literal(1, 3, False, b"a\r\n")}),
        ],
    ),
    "non-synchronising": (
        b"a LOGIN {4+}\r\nanna {0+}\r\n\r\n",
        [Frame(b"a LOGIN {4+}\n {0+}\n", {13: Literal(0, 4, False, b"anna"), 19: Literal(1, 0, False, b"")})],
    ),
    "literal after bare LF": (
        b"a X {1+}\n{\n",
        [Frame(b"a X {1+}\n", {9: Literal(0, 1, False, b"{")})],
    ),
    "literal8": (b"a X ~{2+}\r\n\0\0\r\n", [Frame(b"a X ~{2+}\n", {10: Literal(0, 2, True, b"\0\0")})]),
    "literal holding an announcement": (
        b"a X {6+}\r\nb {9}\n\r\n",
        [Frame(b"a X {6+}\n", {9: Literal(0, 6, False, b"b {9}\n")})],
    ),
    "braces elsewhere": (b"a X {5} \r\n", [Frame(b"a X {5} ", {})]),
    "no number": (b"a X {}\r\n", [Frame(b"a X {}", {})]),
    "small message is held": (
        b"a APPEND x {3+}\r\nabc\r\n",
        [Frame(b"a APPEND x {3+}\n", {16: Literal(0, 3, False, b"abc")})],
    ),
    "message streams, waiting": (
        b"a append x {300}\r\n" + BIG + b"\r\n",
        [
            LiteralStart(
                Frame(b"a append x {300}\n", {17: streamed(0, 300)}, True), streamed(0, 300), Continuation().reply
            ),
            LiteralData(BIG),
            LiteralEnd(streamed(0, 300)),
            Frame(b"a append x {300}\n", {17: streamed(0, 300)}),
        ],
    ),
    "message streams, not waiting, mailbox as literal": (
        b"a APPEND {1+}\r\nx ~{300+}\r\n" + BIG + b"\r\n",
        [
            LiteralStart(
                Frame(b"a APPEND {1+}\n ~{300+}\n", {14: Literal(0, 1, False, b"x"), 23: streamed(1, 300, True)}, True),
                streamed(1, 300, True),
                b"",
            ),
            LiteralData(BIG),
            LiteralEnd(streamed(1, 300, True)),
            Frame(b"a APPEND {1+}\n ~{300+}\n", {14: Literal(0, 1, False, b"x"), 23: streamed(1, 300, True)}),
        ],
    ),
    "many small messages stream once enough is held": (
        b"a APPEND x {20+}\r\n" + b"1" * 20 + b" {20+}\r\n" + b"2" * 20 + b" {20+}\r\n" + b"3" * 20 + b"\r\n",
        [
            LiteralStart(
                Frame(
                    b"a APPEND x {20+}\n {20+}\n {20+}\n",
                    {
                        17: Literal(0, 20, False, b"1" * 20),
                        24: Literal(1, 20, False, b"2" * 20),
                        31: streamed(2, 20),
                    },
                    True,
                ),
                streamed(2, 20),
                b"",
            ),
            LiteralData(b"3" * 20),
            LiteralEnd(streamed(2, 20)),
            Frame(
                b"a APPEND x {20+}\n {20+}\n {20+}\n",
                {17: Literal(0, 20, False, b"1" * 20), 24: Literal(1, 20, False, b"2" * 20), 31: streamed(2, 20)},
            ),
        ],
    ),
    "line too long": (b"a " + b"x" * 300 + b"\r\n", [b"a BAD Command line too long\r\n"]),
    "line too long, no tag": (b"x" * 300 + b"\r\n", [b"* BAD Command line too long\r\n"]),
    "line too long in all its pieces": (
        b"a " + b"x" * 150 + b" {1+}\r\ny" + b"x" * 100 + b"\r\n",
        [b"a BAD Command line too long\r\n"],
    ),
    "line too long announces what is skipped": (
        b"a " + b"x" * 300 + b" {12+}\r\nb CAPABILITY more\r\n",
        [b"a BAD Command line too long\r\n"],
    ),
    "line too long announces what will not come": (
        b"a " + b"x" * 300 + b" {12}\r\n",
        [b"a BAD Command line too long\r\n"],
    ),
    "literal too long, waiting": (b"a LOGIN {21}\r\n", [b"a BAD Literal too long\r\n"]),
    "literal too long, not waiting": (
        b"a LOGIN {21+}\r\n" + b"b NOOP\r\n" + b"x" * 13 + b" {8+}\r\nb NOOP\r\n {3}\r\n",
        [b"a BAD Literal too long\r\n"],
    ),
    "literals too long together": (
        b"a X {20+}\r\n" + b"x" * 20 + b" {20+}\r\n" + b"x" * 20 + b" {20}\r\n",
        [b"a BAD Literal too long\r\n"],
    ),
    "message too long": (b"a APPEND x {1001}\r\n", [b"a NO [TOOBIG] Message too large\r\n"]),
    "message too long, not waiting": (
        b"a APPEND x {1001+}\r\n" + b"x" * 1001 + b"\r\n",
        [b"a NO [TOOBIG] Message too large\r\n"],
    ),
    "too many literals": (b"a X" + b" {0+}\r\n" * 6 + b"\r\n", [b"a BAD Too many literals\r\n"]),
    "literal of absurd size, waiting": (b"a X {99999999999999999999}\r\n", [b"a BAD Literal too long\r\n"]),
}


def shown(events: list[Event | BadCommand]) -> list[Event | bytes]:
    return [render_error(event) if isinstance(event, BadCommand) else event for event in events]


@pytest.mark.parametrize(("data", "expected"), CASES.values(), ids=CASES.keys())
def test_every_way_to_arrive(data: bytes, expected: list[Event | bytes]) -> None:
    tail = [Frame(b"z NOOP", {})]
    assert shown(read([data], SMALL)) == expected
    assert shown(read([data + b"z NOOP\r\n"], SMALL)) == expected + tail
    assert shown(read([data[place : place + 1] for place in range(len(data))], SMALL)) == expected
    for place in range(len(data)):
        assert shown(read([data[:place], data[place:], b"z NOOP\r\n"], SMALL)) == expected + tail


@pytest.mark.parametrize(("data", "expected"), CASES.values(), ids=CASES.keys())
def test_a_cut_command_needs_more(data: bytes, expected: list[Event | bytes]) -> None:
    for place in range(len(data)):
        events = shown(read([data[:place]], SMALL))
        assert len(events) <= len(expected)
        assert events != expected


def test_literal_too_long_to_skip_ends_the_stream() -> None:
    framer = Framer(SMALL)
    framer.receive_data(b"a LOGIN {1500+}\r\n" + b"x" * 1500 + b" {600+}\r\nb NOOP\r\n")
    with pytest.raises(StreamLost) as lost:
        framer.next_event()
    assert render_error(lost.value) == b"* BYE [TOOBIG] Literal too long\r\n"


def test_message_at_the_limit_is_taken_one_more_is_not() -> None:
    assert isinstance(read([b"a APPEND x {1000}\r\n"], SMALL)[0], LiteralStart)
    assert isinstance(read([b"a APPEND x {1001}\r\n"], SMALL)[0], TooBig)


def test_text_at_the_limit_is_taken_one_more_is_not() -> None:
    assert isinstance(read([b"a " + b"x" * 196 + b"\r\n"], SMALL)[0], Frame)
    assert isinstance(read([b"a " + b"x" * 197 + b"\r\n"], SMALL)[0], BadCommand)


def test_nothing_streams_before_login() -> None:
    (refused,) = read([b"a APPEND x {5000}\r\n"], BEFORE_LOGIN)
    assert isinstance(refused, TooBig)


def test_memory_stays_bounded_while_skipping() -> None:
    framer = Framer()
    piece = b"x" * (limits.IMAP_COMMAND_TEXT_MAX + 1)
    for _ in range(100):
        framer.receive_data(piece)
        assert framer.next_event() is NEED_MORE
        assert len(framer._buffer) <= 64
    framer.receive_data(b"\r\n")
    with pytest.raises(BadCommand, match="too long"):
        framer.next_event()


@pytest.mark.parametrize("waits", [True, False])
def test_refused_literal_leaves_the_framer_in_step(waits: bool) -> None:
    framer = Framer(SMALL)
    framer.receive_data(b"a APPEND x {300%b}\r\n" % (b"" if waits else b"+"))
    assert isinstance(framer.next_event(), LiteralStart)
    assert framer.in_literal
    framer.refuse_literal()
    assert not framer.in_literal
    framer.receive_data((b"" if waits else BIG + b" {1+}\r\nx {700}\r\n") + b"b NOOP\r\n")
    assert framer.next_event() == Frame(b"b NOOP", {})


def test_literal_refused_half_way() -> None:
    framer = Framer(SMALL)
    framer.receive_data(b"a APPEND x {300}\r\n")
    assert isinstance(framer.next_event(), LiteralStart)
    framer.receive_data(BIG[:100])
    assert framer.next_event() == LiteralData(BIG[:100])
    framer.refuse_literal()
    framer.receive_data(BIG[100:] + b"\r\nb NOOP\r\n")
    assert framer.next_event() == Frame(b"b NOOP", {})


def test_literal_refused_once_continued_before_any_octet() -> None:
    framer = Framer(SMALL)
    framer.receive_data(b"a APPEND x {300}\r\n")
    assert isinstance(framer.next_event(), LiteralStart)
    assert framer.next_event() is NEED_MORE  # whoever goes on has sent the continuation
    framer.refuse_literal()
    framer.receive_data(BIG + b"\r\nb NOOP\r\n")
    assert framer.next_event() == Frame(b"b NOOP", {})


def test_there_must_be_a_literal_to_refuse() -> None:
    with pytest.raises(RuntimeError):
        Framer().refuse_literal()


def test_raw_lines_come_one_by_one() -> None:
    framer = Framer()
    framer.receive_data(b"a IDLE\r\nDO")
    assert framer.next_event() == Frame(b"a IDLE", {})
    framer.expect_line()
    assert framer.next_event() is NEED_MORE
    framer.receive_data(b"NE\r\nb NOOP {1+}\r\nx\r\n")
    assert framer.next_event() == RawLine(b"DONE")
    assert isinstance(framer.next_event(), Frame)


def test_raw_line_is_no_command_whatever_it_ends_with() -> None:
    framer = Framer()
    framer.expect_line()
    framer.receive_data(b"x {5}\r\n*\n")
    assert framer.next_event() == RawLine(b"x {5}")
    framer.expect_line()
    assert framer.next_event() == RawLine(b"*")


@pytest.mark.parametrize("pieces", [1, 7])
def test_raw_line_too_long(pieces: int) -> None:
    framer = Framer()
    framer.expect_line()
    line = b"x" * (limits.IMAP_RAW_LINE_MAX + 10)
    for start in range(0, len(line), len(line) // pieces + 1):
        framer.receive_data(line[start : start + len(line) // pieces + 1])
        assert framer.next_event() is NEED_MORE
    framer.receive_data(b"\r\na NOOP\r\n")
    with pytest.raises(BadCommand):
        framer.next_event()
    assert framer.next_event() == Frame(b"a NOOP", {})


def test_starttls_drops_what_was_sent_too_early() -> None:
    framer = Framer()
    framer.receive_data(b"a STARTTLS\r\nb LOGIN mallory")
    assert framer.next_event() == Frame(b"a STARTTLS", {})
    assert framer.discard_buffer()
    assert framer.next_event() is NEED_MORE
    assert not framer.discard_buffer()
    framer.receive_data(b"c NOOP\r\n")
    assert framer.next_event() == Frame(b"c NOOP", {})


def test_take_buffer_gives_what_follows_the_command() -> None:
    framer = Framer()
    framer.receive_data(b"a COMPRESS DEFLATE\r\n\x78\x9c")
    framer.next_event()
    assert framer.take_buffer() == b"\x78\x9c"


def test_limits_may_change_between_commands() -> None:
    framer = Framer(FramerLimits(text=10))
    framer.receive_data(b"a NOOP\r\n")
    framer.next_event()
    framer.limits = FramerLimits()
    framer.receive_data(b"a NOOP and more than ten\r\n")
    assert isinstance(framer.next_event(), Frame)
