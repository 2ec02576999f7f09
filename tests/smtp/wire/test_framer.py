"""Lines, end of data, chunks; and that a message which smuggles is refused whole, with the session in step."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from crockery.smtp.wire import Rcpt, replies
from crockery.smtp.wire.framer import Content, ContentFault, Framer, LineFault
from tests.support.smtp_wire import LETTER_OPENING, converse, cuttings

# Wrong ends of data, as seen in the SMTP smuggling of 2023 and before: each must be content, and be refused.
SMUGGLING = {
    "LF.LF": b"\n.\n",
    "LF.CRLF": b"\n.\r\n",
    "CRLF.LF": b"\r\n.\n",
    "CRLF.CR": b"\r\n.\r",
    "CR.CR": b"\r.\r",
    "CR.LF": b"\r.\n",
    "CR.CRLF": b"\r.\r\n",
    "CR CRLF.CRLF": b"\r\r\n.\r",
    "LF CRLF .LF": b"\n\r\n.\n",
    "CRLF.CR CRLF": b"\r\n.\r\r\n",
    "CRLF. CR LF": b"\r\n.\rx\n",
    "LFCR.LFCR": b"\n\r.\n\r",
    "CRLF..LF": b"\r\n..\n",
    "CRLF NUL.LF": b"\r\n\0.\n",
    "bare CR": b"\r",
    "bare LF": b"\n",
}
SMUGGLED = b"MAIL FROM:<evil@c.test>\r\nRCPT TO:<victim@example.test>\r\n"


@pytest.mark.parametrize("name", SMUGGLING)
def test_data_smuggles_nothing(name: str) -> None:
    octets = LETTER_OPENING + b"DATA\r\nHi" + SMUGGLING[name] + SMUGGLED + b"x\r\n.\r\nNOOP\r\nRSET\r\n"
    for pieces in cuttings(octets):
        session = converse(pieces)
        assert session.codes == [250, 250, 250, 354, 550, 250, 250]
        assert session.messages == [None]
        assert sum(isinstance(command, Rcpt) for command in session.commands) == 1
        assert replies.BARE_NEWLINE.render() in session.sent


@pytest.mark.parametrize("name", SMUGGLING)
@pytest.mark.parametrize("last", [b" LAST", b""], ids=["last", "not last"])
def test_bdat_smuggles_nothing(name: str, last: bytes) -> None:
    body = b"Hi" + SMUGGLING[name] + SMUGGLED
    octets = LETTER_OPENING + b"BDAT %d%b\r\n" % (len(body), last) + body + b"NOOP\r\nBDAT 6 LAST\r\nQUIT\r\nRSET\r\n"
    for pieces in cuttings(octets):
        session = converse(pieces)
        assert session.codes == [250, 250, 250, 550, 250, 503, 250]
        assert session.messages == [None]


def test_a_pair_may_lie_across_chunks_but_a_cr_may_not_end_the_message() -> None:
    assert converse([LETTER_OPENING + b"BDAT 3\r\nHi\rBDAT 1 LAST\r\n\n"]).messages == [b"Hi\r\n"]
    assert converse([LETTER_OPENING + b"BDAT 3 LAST\r\nHi\r"]).messages == [None]
    assert converse([LETTER_OPENING + b"BDAT 3\r\nHi\rBDAT 0 LAST\r\n"]).messages == [None]
    assert converse([LETTER_OPENING + b"BDAT 3\r\nHi\rBDAT 1 LAST\r\nx"]).messages == [None]


CONTENTS = {
    "empty": (b".\r\n", b""),
    "empty line": (b"\r\n.\r\n", b"\r\n"),
    "dot line": (b"..\r\n.\r\n", b".\r\n"),
    "dots": (b"...\r\n..x\r\n.y\r\n\r\n..\r\n.\r\n", b"..\r\n.x\r\ny\r\n\r\n.\r\n"),
    "dots in the line": (b"a.b.\r\n.\r\n", b"a.b.\r\n"),
    "NUL and 8 bits": (b"\0\xff\xe4\r\n.\r\n", b"\0\xff\xe4\r\n"),
    "dot and blank": (b". \r\n.\r\n", b" \r\n"),
    "looks like commands": (b"QUIT\r\nDATA\r\n.\r\n", b"QUIT\r\nDATA\r\n"),
}


@pytest.mark.parametrize("name", CONTENTS)
def test_data(name: str) -> None:
    octets, content = CONTENTS[name]
    for pieces in cuttings(LETTER_OPENING + b"DATA\r\n" + octets + b"NOOP\r\n"):
        session = converse(pieces)
        assert session.messages == [content]
        assert session.codes[-2:] == [250, 250]


def read_data(pieces: list[bytes], content: Content) -> tuple[bytes, bool, Framer]:
    framer = Framer()
    framer.begin_data(content)
    body, ended = b"", False
    for piece in pieces:
        framer.receive(piece)
        if not ended:
            data, ended = framer.next_data()
            body += data
    return body, ended, framer


LINES_OF_DATA = st.lists(
    st.one_of(st.sampled_from([b"", b".", b"..", b". ", b"x"]), st.binary(max_size=8)).map(
        lambda line: line.replace(b"\r", b"r").replace(b"\n", b"n")
    ),
    max_size=12,
)


@given(lines=LINES_OF_DATA, sizes=st.lists(st.integers(1, 9), min_size=1))
@example(lines=[b".", b"."], sizes=[1])
def test_stuffing_and_unstuffing_are_inverse_however_cut(lines: list[bytes], sizes: list[int]) -> None:
    message = b"".join(line + b"\r\n" for line in lines)
    stuffed = b"".join((b"." if line.startswith(b".") else b"") + line + b"\r\n" for line in lines) + b".\r\n"
    pieces: list[bytes] = []
    at = 0
    while at < len(stuffed):
        size = sizes[len(pieces) % len(sizes)]
        pieces.append(stuffed[at : at + size])
        at += size
    content = Content(10_000)
    body, ended, framer = read_data([*pieces, b"TAIL\r\n"], content)
    assert (body, ended, content.fault, content.size) == (message, True, None, len(message))
    assert framer.next_line(100) == b"TAIL"


@given(octets=st.lists(st.sampled_from([b"\r", b"\n", b".", b"x", b"\r\n", b"\r\n.\r\n"]), max_size=14).map(b"".join))
def test_the_verdict_does_not_depend_on_the_cuts(octets: bytes) -> None:
    """Against the plain definition: the first CRLF "." CRLF ends; CR and LF elsewhere only in pairs."""
    wire = b"\r\n" + octets
    end = wire.find(b"\r\n.\r\n")
    raw = wire[2 : end + 2] if end >= 0 else b""
    bare = b"\r" in raw.replace(b"\r\n", b"") or b"\n" in raw.replace(b"\r\n", b"")
    for pieces in cuttings(octets) if octets else [[b""]]:
        content = Content(10_000)
        body, ended, _ = read_data(pieces, content)
        assert ended == (end >= 0)
        if ended and bare:
            assert content.fault is ContentFault.BARE_NEWLINE
        elif ended:
            assert content.fault is None
            assert body == wire[: end + 2].replace(b"\r\n.", b"\r\n")[2:]


@pytest.mark.parametrize(
    ("octets", "fault"),
    [
        (b"x" * 8 + b"\r\n", None),
        (b"x" * 9 + b"\r\n", ContentFault.LINE_TOO_LONG),
        (b"a\r\n" * 10 + b"x" * 9 + b"\r\n" + b"a\r\n" * 10, ContentFault.LINE_TOO_LONG),
        ((b"x" * 8 + b"\r\n") * 9, None),
        ((b"x" * 7 + b"\r\n") * 11, None),
        (b"x" * 99 + b"\r\n", ContentFault.TOO_BIG),
        (b"x\r\n" * 34, ContentFault.TOO_BIG),
        (b"x\r\n" * 33, None),
        (b"x" * 99 + b"\n\r\n", ContentFault.BARE_NEWLINE),
    ],
)
def test_limits_of_content(octets: bytes, fault: ContentFault | None) -> None:
    for pieces in cuttings(octets + b".\r\n"):
        content = Content(100, max_line=10)
        body, ended, _ = read_data(pieces, content)
        assert ended
        assert content.finish() is fault
        assert fault is not None or body == octets


@pytest.mark.parametrize(
    ("octets", "fault"),
    [
        (b"a\r\n\0.\r\nMAIL FROM:<x@y>\r\n", ContentFault.NUL),
        (b"\0.\r\nb\r\n", ContentFault.NUL),
        (b"a\r\n\0\0\0.\0\0\r\n", ContentFault.NUL),
        (b"a\r\n.\0\r\n", ContentFault.NUL),
        (b"a\r\n\0.\r\n\n\r\n", ContentFault.BARE_NEWLINE),
        (b"a\r\n\0\r\n", None),
        (b"a\r\nb\0.\r\n", None),
        (b"a\r\n\0..\r\n\0.a\r\n..\0\r\n\0 .\r\n", None),
        (b"a.\0\r\nab\0\0\r\n", None),
    ],
)
def test_dots_behind_nuls(octets: bytes, fault: ContentFault | None) -> None:
    for pieces in cuttings(octets + b".\r\n"):
        content = Content(1000)
        _, ended, _ = read_data(pieces, content)
        assert ended and content.finish() is fault
    chunks = Framer()
    content = Content(1000)
    chunks.begin_chunk(len(octets), content)
    chunks.receive(octets)
    chunks.next_chunk()
    assert content.finish() is fault or b"\r\n.." in octets  # nothing is stuffed there


@pytest.mark.parametrize("octets", [b"a\0b\r\n", b"\0\r\n", b"a\r\nb\r\n\0.\r\n"])
def test_no_nul_at_all(octets: bytes) -> None:
    for pieces in cuttings(octets + b".\r\n"):
        content = Content(1000, refuse_nul=True)
        _, ended, _ = read_data(pieces, content)
        assert ended and content.finish() is ContentFault.NUL


def test_memory_is_bounded() -> None:
    """What is refused, skipped or streamed is not kept."""
    framer = Framer()
    framer.begin_data(Content(100))
    for _ in range(100):
        framer.receive(b"\r\n.x" * 1000)
        framer.next_data()
    assert len(framer._buffer) < 5
    framer = Framer()
    for _ in range(100):
        framer.receive(b"x" * 1000)
        framer.next_line(500)
    assert len(framer._buffer) < 500
    framer = Framer()
    framer.begin_chunk(10**6, None)
    framer.receive(b"x" * 1000)
    assert framer.next_chunk() == (b"", False)
    assert not framer._buffer


LINES = {
    "line": (b"NOOP\r\n", [b"NOOP"]),
    "empty": (b"\r\n", [b""]),
    "two": (b"A\r\nB\r\n", [b"A", b"B"]),
    "longest": (b"x" * 8 + b"\r\n", [b"x" * 8]),
    "too long": (b"x" * 9 + b"\r\nB\r\n", [LineFault.TOO_LONG, b"B"]),
    "much too long": (b"x" * 99 + b"\r\nB\r\n", [LineFault.TOO_LONG, b"B"]),
    "too long, told before its end": (b"x" * 11, [LineFault.TOO_LONG]),
    "too long with bare LF": (b"x" * 99 + b"\n\n" + b"x" * 99 + b"\r\nB\r\n", [LineFault.TOO_LONG, b"B"]),
    "bare LF": (b"A\nB\r\nC\r\n", [LineFault.BARE_NEWLINE, b"C"]),
    "bare LF, told before the end": (b"A\n", [LineFault.BARE_NEWLINE]),
    "bare LF and long": (b"A\n" + b"x" * 99 + b"\r\nC\r\n", [LineFault.BARE_NEWLINE, b"C"]),
    "bare CR": (b"A\rB\r\nC\r\n", [LineFault.BARE_NEWLINE, b"C"]),
    "CR at the end": (b"A\r\r\nC\r\n", [LineFault.BARE_NEWLINE, b"C"]),
}


@pytest.mark.parametrize("name", LINES)
def test_lines(name: str) -> None:
    octets, expected = LINES[name]
    for pieces in cuttings(octets):
        framer, lines = Framer(), []
        for piece in pieces:
            framer.receive(piece)
            while (line := framer.next_line(10)) is not None:
                lines.append(line)
        assert lines == expected
