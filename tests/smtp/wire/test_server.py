"""The state machine: what is legal where, in step whatever comes, however the octets are cut."""

import dataclasses

import pytest

from crockery.smtp.wire import (
    CLOSED,
    Auth,
    AuthResponse,
    DataEnd,
    DataStart,
    Hello,
    LocalProtocolError,
    Mail,
    Offer,
    Quit,
    Rcpt,
    Reply,
    Reset,
    ServerProtocol,
    StartTLS,
    State,
    replies,
)
from tests.support.smtp_wire import LETTER_OPENING, MX, Session, converse, cuttings

SUBMISSION = Offer(
    hostname="mail.example.test", is_submission=True, tls_active=True, auth_mechs=("SCRAM-SHA-256", "PLAIN", "LOGIN")
)
CLEAR_SUBMISSION = Offer(hostname="mail.example.test", is_submission=True, starttls=True)
SMALL = dataclasses.replace(MX, max_size=100, max_recipients=2, max_transactions=2, max_rcpt_domains=1)

HI = b"EHLO c.test\r\n"
FROM = b"MAIL FROM:<a@c.test>\r\n"
TO = b"RCPT TO:<b@example.test>\r\n"

# id: (offer, octets of the client, codes of the replies, messages)
DIALOGS: dict[str, tuple[Offer, bytes, list[int], list[bytes | None]]] = {
    "one letter": (MX, HI + FROM + TO + b"DATA\r\nHi\r\n.\r\nQUIT\r\n", [250, 250, 250, 354, 250, 221], [b"Hi\r\n"]),
    "HELO letter": (MX, b"HELO c\r\n" + FROM + TO + b"DATA\r\n.\r\n", [250, 250, 250, 354, 250], [b""]),
    "two letters": (
        MX,
        HI + (FROM + TO + b"DATA\r\nx\r\n.\r\n") * 2,
        [250] + [250, 250, 354, 250] * 2,
        [b"x\r\n", b"x\r\n"],
    ),
    "null sender": (MX, HI + b"MAIL FROM:<>\r\nRCPT TO:<postmaster>\r\n", [250, 250, 250], []),
    "case and blanks": (
        MX,
        b"eHlO c.test  \r\nmail from: <a@c.test> \r\nrcpt to:  <b@example.test>\t\r\ndata \r\n.\r\nquit\r\n",
        [250, 250, 250, 354, 250, 221],
        [b""],
    ),
    "MAIL before EHLO": (MX, FROM, [503], []),
    "RCPT before MAIL": (MX, HI + TO, [250, 503], []),
    "DATA before MAIL": (MX, HI + b"DATA\r\n", [250, 503], []),
    "DATA without RCPT": (MX, HI + FROM + b"DATA\r\n", [250, 250, 554], []),
    "nested MAIL": (MX, HI + FROM + FROM + TO, [250, 250, 503, 250], []),
    "RSET ends a transaction": (MX, HI + FROM + TO + b"RSET\r\nDATA\r\n", [250, 250, 250, 250, 503], []),
    "RSET before EHLO": (MX, b"RSET\r\n" + FROM, [250, 503], []),
    "EHLO ends a transaction": (MX, HI + FROM + TO + HI + b"DATA\r\n", [250, 250, 250, 250, 503], []),
    "a refused EHLO does not": (MX, HI + FROM + TO + b"EHLO\r\nDATA\r\n.\r\n", [250, 250, 250, 501, 354, 250], [b""]),
    "DATA ends a transaction": (MX, LETTER_OPENING + b"DATA\r\n.\r\nDATA\r\n", [250, 250, 250, 354, 250, 503], [b""]),
    "always": (MX, b"NOOP x y\r\nHELP\r\nHELP MAIL\r\nVRFY a\r\nEXPN l\r\n", [250, 214, 214, 252, 502], []),
    "parameters where none go": (MX, HI + b"DATA x\r\nRSET x\r\nQUIT x\r\nVRFY\r\n", [250, 503, 501, 501, 501], []),
    "unknown": (MX, b"LHLO c\r\n\r\n \r\nXYZZY\r\nMAIL\xe4 x\r\n", [500] * 5, []),
    "controls": (MX, HI + b"MAIL FROM:<a\0@c.test>\r\nNOOP\x7f\r\n", [250, 500, 500], []),
    "browser": (MX, b"GET / HTTP/1.1\r\nHost: x\r\nEHLO x\r\n", [421], []),
    "post": (MX, b"POST / HTTP/1.1\r\n\r\n" + HI, [421], []),
    "TLS without STARTTLS": (MX, b"\x16\x03\x01\x02\x00\x01\x00", [421], []),
    "long line": (MX, b"NOOP " + b"x" * 3000 + b"\r\n" + HI, [500, 250], []),
    "longest line": (MX, b"NOOP " + b"x" * 2041 + b"\r\n" + HI, [250, 250], []),
    "one more": (MX, b"NOOP " + b"x" * 2042 + b"\r\n" + HI, [500, 250], []),
    "bare LF": (MX, b"NOOP\nNOOP\r\n" + HI, [500, 250], []),
    "bare LF smuggles no MAIL": (MX, HI + b"NOOP x\n" + FROM + TO, [250, 500, 503], []),
    "bare CR": (MX, b"NOOP\rNOOP\r\n" + HI, [500, 250], []),
    "CR CR LF": (MX, b"NOOP\r\r\n" + HI, [500, 250], []),
    "LF first": (MX, b"\n\n\nNOOP\r\n" + HI, [500, 250], []),
    "after QUIT nothing": (MX, b"QUIT\r\nNOOP\r\n", [221], []),
    "unknown parameter": (MX, HI + b"MAIL FROM:<a@c.test> FOO=1\r\nRCPT TO:<b@c>\r\n", [250, 555, 503], []),
    "HELO has no parameters": (MX, b"HELO c\r\nMAIL FROM:<a@c.test> SIZE=1\r\n", [250, 555], []),
    "too big by its word": (SMALL, HI + b"MAIL FROM:<a@c.test> SIZE=101\r\n", [250, 552], []),
    "not too big": (SMALL, HI + b"MAIL FROM:<a@c.test> SIZE=100\r\n", [250, 250], []),
    "too big": (
        SMALL,
        LETTER_OPENING + b"DATA\r\n" + b"x" * 49 + b"\r\n" + b"x" * 48 + b"\r\n.\r\nNOOP\r\n",
        [250, 250, 250, 354, 552, 250],
        [None],
    ),
    "just not": (
        SMALL,
        LETTER_OPENING + b"DATA\r\n..\r\n" + b"x" * 95 + b"\r\n.\r\n",
        [250, 250, 250, 354, 250],
        [b".\r\n" + b"x" * 95 + b"\r\n"],
    ),
    "too many recipients": (SMALL, HI + FROM + TO * 3, [250, 250, 250, 250, 452], []),
    "too many domains": (SMALL, HI + FROM + TO + b"RCPT TO:<b@other>\r\n" + TO, [250, 250, 250, 452, 250], []),
    "limits are of one transaction": (
        SMALL,
        HI + FROM + TO * 2 + b"RSET\r\n" + FROM + b"RCPT TO:<b@other>\r\n" * 2,
        [250] * 8,
        [],
    ),
    "too many transactions": (SMALL, HI + (FROM + b"RSET\r\n") * 3, [250, 250, 250, 250, 250, 421], []),
    "SMTPUTF8": (
        MX,
        HI + "MAIL FROM:<ä@c.test> SMTPUTF8\r\nRCPT TO:<ö@bücher.test>\r\n".encode(),
        [250, 250, 250],
        [],
    ),
    "SMTPUTF8 not said": (MX, HI + "MAIL FROM:<ä@c.test>\r\n".encode(), [250, 553], []),
    "SMTPUTF8 not said, recipient": (MX, HI + FROM + "RCPT TO:<b@bücher.test>\r\n".encode(), [250, 250, 553], []),
    "not UTF-8": (MX, HI + b"MAIL FROM:<\xe4@c.test> SMTPUTF8\r\n", [250, 500], []),
    "BDAT": (MX, LETTER_OPENING + b"BDAT 4 LAST\r\nHi\r\nNOOP\r\n", [250, 250, 250, 250, 250], [b"Hi\r\n"]),
    "BDAT chunks": (
        MX,
        LETTER_OPENING + b"BDAT 3\r\nHi\rbdat 1\r\n\nBDAT 0 LAST\r\nQUIT\r\n",
        [250, 250, 250, 250, 250, 250, 221],
        [b"Hi\r\n"],
    ),
    "BDAT holds commands and dots": (
        MX,
        LETTER_OPENING + b"BDAT 13 LAST\r\n\r\n.\r\n..\r\nQUIT",
        [250, 250, 250, 250],
        [b"\r\n.\r\n..\r\nQUIT"],
    ),
    "BDAT without RCPT is read": (MX, HI + FROM + b"BDAT 6 LAST\r\nQUIT\r\nNOOP\r\n", [250, 250, 554, 250], []),
    "BDAT before MAIL is read": (MX, HI + b"BDAT 6\r\nQUIT\r\nNOOP\r\n", [250, 503, 250], []),
    "BDAT before EHLO is read": (MX, b"BDAT 6\r\nQUIT\r\nNOOP\r\n", [503, 250], []),
    "DATA after BDAT": (MX, LETTER_OPENING + b"BDAT 1\r\nxDATA\r\nBDAT 0 LAST\r\n", [250] * 4 + [503, 250], [b"x"]),
    "RCPT after BDAT": (MX, LETTER_OPENING + b"BDAT 1\r\nx" + TO + b"RSET\r\n", [250] * 4 + [503, 250], []),
    "BDAT after LAST": (MX, LETTER_OPENING + b"BDAT 0 LAST\r\nBDAT 1 LAST\r\nx", [250] * 4 + [503], [b""]),
    "BDAT too big": (
        SMALL,
        LETTER_OPENING + b"BDAT 99\r\n" + b"x" * 99 + b"BDAT 2\r\nyyBDAT 1 LAST\r\nz",
        [250] * 4 + [552, 503],
        [None],
    ),
    "BDAT malformed": (MX, LETTER_OPENING + b"BDAT x\r\nNOOP\r\n", [250] * 3 + [421], []),
    "STARTTLS not offered": (MX, HI + b"STARTTLS\r\n", [250, 502], []),
    "STARTTLS before EHLO": (CLEAR_SUBMISSION, b"STARTTLS\r\n", [503], []),
    "STARTTLS with a word": (CLEAR_SUBMISSION, HI + b"STARTTLS now\r\n", [250, 501], []),
    "AUTH not offered": (MX, HI + b"AUTH PLAIN\r\n", [250, 502], []),
    "AUTH before TLS": (CLEAR_SUBMISSION, HI + b"AUTH PLAIN\r\n" + FROM, [250, 530, 530], []),
    "AUTH first": (SUBMISSION, HI + FROM, [250, 530], []),
    "AUTH": (SUBMISSION, HI + b"AUTH PLAIN\r\nabcd\r\n" + FROM, [250, 334, 235, 250], []),
    "AUTH twice": (SUBMISSION, HI + b"AUTH PLAIN\r\nabcd\r\nAUTH PLAIN\r\n", [250, 334, 235, 503], []),
    "AUTH unknown": (SUBMISSION, HI + b"AUTH CRAM-MD5\r\nAUTH\r\nAUTH PLAIN x y\r\n", [250, 504, 501, 501], []),
    "AUTH long line": (
        SUBMISSION,
        HI + b"AUTH PLAIN\r\n" + b"x" * 12286 + b"\r\nNOOP\r\n",
        [250, 334, 235, 250],
        [],
    ),
    "AUTH longer line": (
        SUBMISSION,
        HI + b"auth PLAIN\r\n" + b"x" * 12287 + b"\r\nNOOP\r\n" + FROM,
        [250, 334, 500, 250, 530],
        [],
    ),
    "AUTH long initial": (SUBMISSION, HI + b"AUTH PLAIN " + b"x" * 9000 + b"\r\n\r\n", [250, 334, 235], []),
    "AUTH in a transaction": (
        SUBMISSION,
        HI + b"AUTH PLAIN\r\n\r\n" + FROM + b"AUTH PLAIN\r\n",
        [250, 334, 235, 250, 503],
        [],
    ),
}


@pytest.mark.parametrize("name", DIALOGS)
def test_dialog(name: str) -> None:
    offer, octets, codes, messages = DIALOGS[name]
    whole = converse([octets], offer)
    assert whole.codes == codes
    assert whole.messages == messages
    for pieces in cuttings(octets):
        session = converse(pieces, offer)
        assert (session.codes, session.messages, session.commands) == (codes, messages, whole.commands)


def test_the_commands_of_a_letter() -> None:
    session = converse([LETTER_OPENING + b"DATA\r\nHi\r\n.\r\nRSET\r\nQUIT\r\n"])
    kinds = [type(command) for command in session.commands]
    assert kinds == [Hello, Mail, Rcpt, DataStart, DataEnd, Reset, Quit]
    assert session.commands[0] == Hello("c.test", True)
    assert session.last is CLOSED


def test_hello_reply_lists_what_is_offered() -> None:
    text = converse([HI], SMALL).sent.decode()
    lines = [line[4:] for line in text.splitlines()]
    assert lines[1:] == [
        "PIPELINING",
        "SIZE 100",
        "8BITMIME",
        "SMTPUTF8",
        "ENHANCEDSTATUSCODES",
        "CHUNKING",
        "DSN",
        "LIMITS RCPTMAX=2 MAILMAX=2 RCPTDOMAINMAX=1",
        "HELP",
    ]
    assert "AUTH SCRAM-SHA-256 PLAIN LOGIN" in converse([HI], SUBMISSION).sent.decode()
    assert "STARTTLS" not in converse([HI], SUBMISSION).sent.decode()
    assert "STARTTLS" in converse([HI], CLEAR_SUBMISSION).sent.decode()
    assert converse([b"HELO c\r\n"]).sent == b"250 mx.example.test at your service\r\n"


@pytest.mark.parametrize("late", [False, True], ids=["pipelined", "before the answer"])
def test_what_came_in_the_clear_behind_starttls_is_dropped(late: bool) -> None:
    session = converse([HI], CLEAR_SUBMISSION)
    protocol = session.protocol
    protocol.receive_data(b"STARTTLS\r\n" + (b"" if late else b"MAIL FROM:<evil@c.test>\r\n"))
    assert protocol.next_command() == StartTLS()
    if late:
        protocol.receive_data(b"MAIL FROM:<evil@c.test>\r\n")
    assert protocol.send(replies.READY_FOR_TLS) == b"220 2.0.0 Go ahead with TLS\r\n"
    with pytest.raises(LocalProtocolError):
        protocol.next_command()
    protocol.receive_data(b"MAIL FROM:<evil2@c.test>\r\n")
    protocol.start_tls(SUBMISSION)
    assert protocol.hello is None
    session.sent = b""
    session.feed(FROM + b"EHLO c.test\r\nSTARTTLS\r\n")
    assert session.codes == [503, 250, 502]


def test_refusals_of_the_server() -> None:
    """What the server refuses has not happened."""
    session = converse([HI + FROM + TO + b"DATA\r\n"], choices={Rcpt: replies.NO_SUCH_USER})
    assert session.codes == [250, 250, 550, 554]
    session = converse([HI + FROM + TO], choices={Mail: replies.BUSY})
    assert session.codes == [250, 452, 503]
    session = converse([HI + FROM], choices={Hello: replies.INTERNAL_ERROR})
    assert session.codes == [451, 503]
    session = converse([LETTER_OPENING + b"DATA\r\nNOOP\r\n"], choices={DataStart: replies.DISK_FULL})
    assert session.codes == [250, 250, 250, 452, 250]
    assert session.protocol.state is State.READY
    session = converse([LETTER_OPENING + b"DATA\r\nx\r\n.\r\nDATA\r\n"], choices={DataEnd: replies.INTERNAL_ERROR})
    assert session.codes == [250, 250, 250, 354, 451, 503]


@pytest.mark.parametrize(
    "pieces", list(cuttings(LETTER_OPENING + b"BDAT 6\r\nQUIT\r\nBDAT 6 LAST\r\nQUIT\r\nNOOP\r\n"))
)
def test_a_refused_bdat_is_read_to_its_end_before_the_reply(pieces: list[bytes]) -> None:
    session = converse(pieces, choices={DataStart: replies.DISK_FULL})
    assert session.codes == [250, 250, 250, 452, 503, 250]
    assert session.messages == session.chunks == []


def test_a_bdat_reply_waits_for_the_chunk() -> None:
    session = converse([LETTER_OPENING, b"BDAT 5 LAST\r\nabc"], choices={DataStart: replies.DISK_FULL})
    assert session.codes == [250, 250, 250]
    assert session.feed(b"de").codes == [250, 250, 250, 452]


def test_authentication() -> None:
    session = converse([HI], SUBMISSION, {Auth: replies.AUTH_FAILED})
    session.feed(b"AUTH plain AGEAYg==\r\n" + FROM)
    assert session.commands[1] == Auth("PLAIN", b"AGEAYg==")
    assert session.codes == [250, 535, 530]
    session = converse([HI + b"AUTH LOGIN =\r\n*\r\n"], SUBMISSION, {AuthResponse: replies.AUTH_CANCELLED})
    assert session.commands[1:] == [Auth("LOGIN", b"="), AuthResponse(b"*")]
    assert not session.protocol.authenticated
    assert session.protocol.state is State.READY
    session = converse([HI + b"AUTH PLAIN x\r\n"], SUBMISSION, {Auth: replies.AUTHENTICATED})
    assert session.protocol.authenticated


def test_errors_are_counted() -> None:
    session = converse([HI + b"FOO\r\nDATA\r\nNOOP\r\n" + FROM])
    assert session.protocol.error_count == 2


@pytest.mark.parametrize("reply", [replies.SHUTTING_DOWN, replies.IDLE_TOO_LONG])
def test_a_closing_reply_may_come_at_any_time(reply: Reply) -> None:
    for octets in (b"", HI, LETTER_OPENING + b"DATA\r\nabc", LETTER_OPENING + b"BDAT 10\r\nabc"):
        session = converse([octets])
        assert session.protocol.send(reply) == reply.render()
        assert session.protocol.next_command() is CLOSED
        with pytest.raises(LocalProtocolError):
            session.protocol.send(reply)


@pytest.mark.parametrize(
    "octets", [b"", b"NOO", HI, LETTER_OPENING + b"DATA\r\nabc\r\n", LETTER_OPENING + b"BDAT 9\r\na"]
)
def test_the_end_of_the_stream_closes(octets: bytes) -> None:
    session = converse([octets, b""])
    assert session.last is CLOSED
    assert session.messages == []


def test_commands_before_the_end_of_the_stream_are_answered() -> None:
    protocol = ServerProtocol(MX)
    protocol.receive_data(HI + b"NOOP\r\n")
    protocol.receive_data(b"")
    session = Session(protocol).feed(b"")
    assert session.codes == [250, 250]
    assert session.last is CLOSED


def test_our_own_mistakes_are_told() -> None:
    protocol = ServerProtocol(MX)
    with pytest.raises(LocalProtocolError):
        protocol.send(replies.OK)
    assert protocol.send(replies.greeting("mx")) == b"220 mx ESMTP Crockery\r\n"
    protocol.receive_data(HI + FROM)
    hello = protocol.next_command()
    assert isinstance(hello, Hello)
    with pytest.raises(LocalProtocolError):
        protocol.next_command()
    with pytest.raises(LocalProtocolError):
        protocol.start_tls(SUBMISSION)
    protocol.send(protocol.hello_reply(hello))
    session = converse([LETTER_OPENING + b"DATA\r\nbare\n\r\n"])
    session.protocol.receive_data(b".\r\n")
    assert session.protocol.next_command() == DataEnd(0 + len(b"bare\n\r\n"), replies.BARE_NEWLINE)
    with pytest.raises(LocalProtocolError):
        session.protocol.send(replies.ACCEPTED)
    session = converse([LETTER_OPENING])
    session.protocol.receive_data(b"DATA\r\n")
    session.protocol.next_command()
    with pytest.raises(LocalProtocolError):
        session.protocol.send(replies.OK)


def test_a_tail_in_the_same_octets_waits_for_the_answer() -> None:
    """A client that does not wait for 354 is served in order all the same."""
    session = converse([LETTER_OPENING + b"DATA\r\n" + b"x\r\n.\r\n" + FROM + TO + b"DATA\r\n.\r\nQUIT\r\n"])
    assert session.codes == [250, 250, 250, 354, 250, 250, 250, 354, 250, 221]
    assert session.messages == [b"x\r\n", b""]
