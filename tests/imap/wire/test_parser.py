"""The verbs: what each command means, what is refused, and with which tag."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from crockery.imap.wire.access import Authenticate, Enable, Id, Login, NoArguments, decode_sasl_line
from crockery.imap.wire.append import Append, AppendMessage
from crockery.imap.wire.errors import BadCommand, BadMailboxName, UnknownCharset
from crockery.imap.wire.framer import Framer, Literal, LiteralStart
from crockery.imap.wire.listing import List
from crockery.imap.wire.mailboxes import Create, MailboxArgument, Rename, Select, Status
from crockery.imap.wire.messages import Copy, Store, UidExpunge
from crockery.imap.wire.params import Option, Param
from crockery.imap.wire.parser import parse_command
from crockery.imap.wire.render import render_error
from crockery.imap.wire.sequence import STAR, SequenceSet
from crockery.imap.wire.verbs import VERBS, Arguments, State, Trait
from tests.support.imap_wire import frames, parse

EXAMPLES = Path(__file__).parents[2] / "data" / "imap" / "rfc_examples.txt"

ONE = SequenceSet(((1, 1),))

MEANINGS: dict[bytes, Arguments] = {
    b"a NOOP": NoArguments(),
    b"a noop  ": NoArguments(),
    b"a LOGIN anna secret": Login("anna", "secret"),
    b'a LOGIN "an\\"na" "se\\\\cret"': Login('an"na', "se\\cret"),
    b"a LOGIN anna@example.test p%a*s]s\\": Login("anna@example.test", "p%a*s]s\\"),
    b"a LOGIN {4+}\r\nanna {8+}\r\np\r\nss {}": Login("anna", "p\r\nss {}"),
    'a LOGIN "änna" "пароль"'.encode(): Login("änna", "пароль"),
    b'a LOGIN "" ""': Login("", ""),
    b"a  LOGIN  anna   secret": Login("anna", "secret"),
    b"a AUTHENTICATE plain": Authenticate("PLAIN"),
    b"a AUTHENTICATE PLAIN AGEAYg==": Authenticate("PLAIN", b"\0a\0b"),
    b"a AUTHENTICATE PLAIN =": Authenticate("PLAIN", b""),
    b"a ID NIL": Id(None),
    b"a ID ()": Id(()),
    b'a ID ("name" "x" "version" NIL)': Id((("name", "x"), ("version", None))),
    b"a ENABLE condstore imap4rev2 CONDSTORE": Enable(("CONDSTORE", "IMAP4REV2")),
    b"a SELECT inbox": Select("INBOX"),
    b'a SELECT "a/b c" (CONDSTORE)': Select("a/b c", (Param("CONDSTORE"),)),
    b"a SELECT x (QRESYNC (1 2 3:4 (5 6)) X)": Select(
        "x", (Param("QRESYNC", (b"1", b"2", b"3:4", (b"5", b"6"))), Param("X"))
    ),
    b"a EXAMINE Entw&APw-rfe": Select("Entwürfe"),
    b"a CREATE x/": Create("x/"),
    b"a CREATE x (USE (\\Sent \\Junk) OTHER)": Create("x", ("\\Sent", "\\Junk"), (Param("OTHER"),)),
    b"a DELETE x": MailboxArgument("x"),
    b"a RENAME x INBOX": Rename("x", "INBOX"),
    b"a STATUS x (messages UNSEEN MESSAGES)": Status("x", ("MESSAGES", "UNSEEN")),
    b"a STATUS x(MESSAGES )": Status("x", ("MESSAGES",)),
    b'a LIST "" *': List("", ("*",)),
    b'a LIST "" inbox': List("", ("INBOX",)),
    b'a LIST "" (a "b%")': List("", ("a", "b%"), extended=True),
    b'a LIST () "" %': List("", ("%",), extended=True),
    b'a LIST (SUBSCRIBED RECURSIVEMATCH) "" % RETURN (CHILDREN STATUS (MESSAGES))': List(
        "",
        ("%",),
        (Option("SUBSCRIBED"), Option("RECURSIVEMATCH")),
        (Option("CHILDREN"), Option("STATUS", ("MESSAGES",))),
        extended=True,
    ),
    b'a LIST "" % RETURN ()': List("", ("%",), extended=True),
    b'a LSUB "x." %': List("x.", ("%",)),
    b"a APPEND x {3+}\r\nabc": Append("x", (AppendMessage(Literal(0, 3, False, b"abc")),)),
    b'a APPEND x (\\seen foo \\Seen) " 7-Feb-1994 22:43:04 -0830" ~{1+}\r\n\0': Append(
        "x",
        (
            AppendMessage(
                Literal(0, 1, True, b"\0"),
                ("\\Seen", "foo"),
                datetime(1994, 2, 7, 22, 43, 4, tzinfo=timezone(-timedelta(hours=8, minutes=30))),
            ),
        ),
    ),
    b'a APPEND x "1-Jan-2000 23:59:60 +0000" {1+}\r\na {1+}\r\nb': Append(
        "x",
        (
            AppendMessage(Literal(0, 1, False, b"a"), internal_date=datetime(2000, 1, 1, 23, 59, 59, tzinfo=UTC)),
            AppendMessage(Literal(1, 1, False, b"b")),
        ),
    ),
    b"a APPEND x UTF8 (~{1+}\r\na)": Append("x", (AppendMessage(Literal(0, 1, True, b"a"), utf8=True),)),
    b"a STORE 1 FLAGS (\\seen $Junk)": Store(ONE, "", ("\\Seen", "$Junk")),
    b"a STORE 1 +FLAGS(\\Deleted)": Store(ONE, "+", ("\\Deleted",)),
    b"a STORE 1 -flags.silent \\Seen \\Answered": Store(ONE, "-", ("\\Seen", "\\Answered"), silent=True),
    b"a STORE 1 (UNCHANGEDSINCE 5) FLAGS ()": Store(ONE, "", (), modifiers=(Param("UNCHANGEDSINCE", b"5"),)),
    b"a COPY 1 inbox": Copy(ONE, "INBOX"),
    b"a UID MOVE 1:* x": Copy(SequenceSet(((1, STAR),)), "x"),
    b"a UID EXPUNGE 1": UidExpunge(ONE),
    b"a uid  copy 1 x": Copy(ONE, "x"),
}


@pytest.mark.parametrize(("line", "arguments"), MEANINGS.items(), ids=[line.decode() for line in MEANINGS])
def test_meaning(line: bytes, arguments: Arguments) -> None:
    command = parse(line)
    assert command.tag == b"a"
    assert command.arguments == arguments
    assert parse(line + b"  ").arguments == arguments


@pytest.mark.parametrize("line", MEANINGS, ids=[line.decode() for line in MEANINGS])
def test_a_cut_command_is_read_or_refused(line: bytes) -> None:
    for place in range(len(line)):
        for data in (line[:place], line[:place] + b")", line[:place] + b" ("):
            try:
                found = frames(data + b"\r\n")
                assert all(parse_command(frame).tag for frame in found)
            except BadCommand:
                pass


@pytest.mark.parametrize(
    "line", [line for line in EXAMPLES.read_text(encoding="ascii").splitlines() if not line.startswith("#")]
)
def test_rfc_example(line: str) -> None:
    wire = line.replace("\\r\\n", "\r\n").encode("ascii")
    assert parse(wire).tag == wire.split()[0]


REFUSED = {
    b"": b"* BAD Tag and command expected\r\n",
    b"a": b"a BAD Tag and command expected\r\n",
    b"+ NOOP": b"* BAD Tag and command expected\r\n",
    b"\xff NOOP": b"* BAD Tag and command expected\r\n",
    b" a NOOP": b"* BAD Tag and command expected\r\n",
    b"a FROB": b"a BAD Unknown command FROB\r\n",
    b"a UID NOOP": b"a BAD Unknown command UID NOOP\r\n",
    b"a UID": b"a BAD space expected at octet 5\r\n",
    b"a NOOP x": b"a BAD end of command expected at octet 7\r\n",
    b"a LOGIN anna": b"a BAD space expected at octet 12\r\n",
    b'a LOGIN "anna b': b"a BAD string expected at octet 8\r\n",
    b'a LOGIN "\0" b': b"a BAD string expected at octet 8\r\n",
    b'a LOGIN "\xff" b': b"a BAD String is not valid UTF-8\r\n",
    b"a LOGIN {1+}\r\n\0 b": b"a BAD shorter string without NUL expected at octet 13\r\n",
    b"a LOGIN ~{1+}\r\nx b": b"a BAD shorter string without NUL expected at octet 14\r\n",
    b"a LOGIN {5} b": b"a BAD string expected at octet 8\r\n",
    b"a AUTHENTICATE PLAIN x": b"a BAD Invalid base64\r\n",
    b"a SELECT A&B": b"a NO [CANNOT] Mailbox name is not valid modified UTF-7\r\n",
    b'a SELECT "A\xc3\xa4"': b"a NO [CANNOT] Mailbox name is not valid modified UTF-7\r\n",
    b'a SELECT ""': b"a NO [CANNOT] Mailbox name is empty\r\n",
    b'a SELECT "x\x01"': b"a NO [CANNOT] Mailbox name is not valid modified UTF-7\r\n",
    b"a SELECT {3+}\r\nx\ny": b"a NO [CANNOT] Mailbox name is not valid modified UTF-7\r\n",
    b"a SELECT x&AAA-": b"a NO [CANNOT] Mailbox name has control characters\r\n",
    b"a SELECT " + b"x" * 1001: b"a NO [CANNOT] Mailbox name too long\r\n",
    b"a STATUS x ()": b"a BAD Empty list\r\n",
    b"a STATUS x (FROB)": b"a BAD Unknown status item FROB\r\n",
    b'a LIST "" % RETURN (FROB)': b"a BAD Unknown option FROB\r\n",
    b'a LIST (FROB) "" %': b"a BAD Unknown option FROB\r\n",
    b'a LIST (RECURSIVEMATCH) "" %': b"a BAD RECURSIVEMATCH needs another selection option\r\n",
    b'a LIST "" (' + b"x " * 101 + b")": b"a BAD Too many patterns\r\n",
    b"a ID (" + b'"a" "b" ' * 31 + b")": b"a BAD Too many ID fields\r\n",
    b"a SELECT x " + b"(X " * 30 + b"(" * 40: b"a BAD Nested too deeply\r\n",
    b"a APPEND x abc": b"a BAD literal expected at octet 11\r\n",
    b'a APPEND x "31-Feb-2000 00:00:00 +0000" {1+}\r\nx': b"a BAD No such date\r\n",
    b'a APPEND x " 1-Jan-2000 00:00:00 +9999" {1+}\r\nx': b"a BAD No such date\r\n",
    b'a APPEND x " 1-Jan-0001 00:00:00 +0100" {1+}\r\nx': b"a BAD No such date\r\n",
    b"a STORE 1 FROB \\Seen": b"a BAD FLAGS expected at octet 10\r\n",
    b"a STORE 1 +FLAGS": b"a BAD flag expected at octet 16\r\n",
    b"a STORE 1 +FLAGS (\\*)": b"a BAD flag expected at octet 18\r\n",
    b"a STORE 0 +FLAGS \\Seen": b"a BAD sequence set expected at octet 8\r\n",
    b"a FETCH 1": b"a BAD Fetch item expected\r\n",
    b"a SEARCH CHARSET KOI8-R ALL": b"a NO [BADCHARSET (US-ASCII UTF-8)] Charset not supported\r\n",
}


@pytest.mark.parametrize(("line", "reply"), REFUSED.items(), ids=[repr(line)[2:40] for line in REFUSED])
def test_refused(line: bytes, reply: bytes) -> None:
    with pytest.raises(BadCommand) as refused:
        parse(line)
    assert render_error(refused.value) == reply


def test_kinds_of_refusal() -> None:
    with pytest.raises(BadMailboxName):
        parse(b"a SELECT &")
    with pytest.raises(UnknownCharset):
        parse(b"a SEARCH CHARSET X ALL")


def test_utf8_sessions_send_names_as_utf8() -> None:
    name = "Entwürfe & mehr"
    assert parse(f'a SELECT "{name}"'.encode(), utf8=True).arguments == Select(name)
    with pytest.raises(BadMailboxName):
        parse(b'a SELECT "\xff"', utf8=True)
    with pytest.raises(BadMailboxName):
        parse(b"a SELECT {3+}\r\nx\ny", utf8=True)


def test_head_of_an_append_tells_its_mailbox_before_the_message_comes() -> None:
    for line in (b"a APPEND x (\\Seen) {99999}\r\n", b"a APPEND x (\\Seen) UTF8 (~{99999}\r\n"):
        framer = Framer()
        framer.receive_data(line)
        start = framer.next_event()
        assert isinstance(start, LiteralStart)
        append = parse_command(start.head).arguments
        assert isinstance(append, Append)
        assert append.mailbox == "x"
        assert append.messages[0].flags == ("\\Seen",)
        assert append.messages[0].literal == start.literal


def test_streamed_literal_is_no_string() -> None:
    framer = Framer()
    framer.receive_data(b"a APPEND {99999}\r\n")
    start = framer.next_event()
    assert isinstance(start, LiteralStart)
    with pytest.raises(BadCommand):
        parse_command(start.head)


def test_names_of_uid_commands() -> None:
    command = parse(b"a uid fetch 1 flags")
    assert (command.verb, command.uid) == ("UID FETCH", True)
    assert command.states is State.SELECTED
    assert Trait.HOLDS_EXPUNGE not in command.traits
    assert Trait.HOLDS_EXPUNGE in parse(b"a fetch 1 flags").traits


def test_every_base_verb_has_its_row() -> None:
    base = """CAPABILITY NOOP LOGOUT STARTTLS AUTHENTICATE LOGIN ENABLE SELECT EXAMINE CREATE DELETE RENAME SUBSCRIBE
    UNSUBSCRIBE LIST LSUB NAMESPACE STATUS APPEND IDLE CHECK CLOSE UNSELECT EXPUNGE SEARCH FETCH STORE COPY MOVE ID"""
    uid_forms = ["UID " + verb for verb in ("FETCH", "SEARCH", "STORE", "COPY", "MOVE", "EXPUNGE")]
    assert set(VERBS) >= {*base.split(), *uid_forms}


def test_sasl_lines() -> None:
    assert decode_sasl_line(b"AGEAYg==") == b"\0a\0b"
    assert decode_sasl_line(b"") == b""
    assert decode_sasl_line(b"*") is None
    for line in (b"AGEAYg=", b"A GEAYg==", b"\xff", b"AGEAYg==x", b"="):
        with pytest.raises(BadCommand):
            decode_sasl_line(line)


def test_password_is_not_shown() -> None:
    assert "secret" not in repr(parse(b"a LOGIN anna secret"))
    assert "secret" not in repr(parse(b"a AUTHENTICATE PLAIN c2VjcmV0"))
