"""The session loop of the package's tour, run over a transcript; and the tour's own code still names what there is."""

import ast
import textwrap
from pathlib import Path

from crockery.imap import wire
from crockery.imap.wire import errors, framer, parser, render
from crockery.imap.wire.append import Append
from crockery.imap.wire.errors import BadCommand
from crockery.imap.wire.framer import (
    BEFORE_LOGIN,
    Continuation,
    Frame,
    Framer,
    FramerLimits,
    LiteralData,
    LiteralEnd,
    LiteralStart,
    NeedMore,
    RawLine,
)
from crockery.imap.wire.parser import Command, parse_command
from crockery.imap.wire.render import render_continuation, render_error, render_status
from crockery.imap.wire.verbs import State

TRANSCRIPT = Path(__file__).parents[2] / "data" / "imap" / "session.txt"


class Session:
    """The smallest server: one mailbox, Drafts, of which it only counts the octets."""

    def __init__(self) -> None:
        self.framer = Framer(BEFORE_LOGIN)
        self.state = State.NOT_AUTHENTICATED
        self.sent = bytearray()
        self.body = 0
        self.idling: bytes = b""

    def receive(self, data: bytes) -> None:
        self.framer.receive_data(data)
        more = True
        while more:
            try:
                more = self.step()
            except BadCommand as error:
                if self.framer.in_literal:
                    self.framer.refuse_literal()
                self.sent += render_error(error)

    def step(self) -> bool:
        match self.framer.next_event():
            case NeedMore.NEED_MORE:
                return False
            case Continuation(reply):
                self.sent += reply
            case LiteralStart(head, _, reply):
                self.start_literal(parse_command(head), reply)
            case LiteralData(data):
                self.body += len(data)
            case LiteralEnd(literal):
                assert literal.size == self.body
            case RawLine(line):
                assert line == b"DONE"
                self.sent += render_status(b"OK", "IDLE", tag=self.idling)
            case Frame() as frame:
                self.handle(parse_command(frame))
        return True

    def start_literal(self, head: Command, reply: bytes) -> None:
        assert isinstance(head.arguments, Append)
        self.body = 0
        if head.arguments.mailbox == "Drafts":
            self.sent += reply
        else:
            self.framer.refuse_literal()
            self.sent += render_status(b"NO", "No such mailbox", tag=head.tag, code=b"TRYCREATE")

    def handle(self, command: Command) -> None:
        if self.state not in command.states:
            raise BadCommand(f"{command.verb} is not legal now", command.tag)
        if command.verb == "IDLE":
            self.idling = command.tag
            self.framer.expect_line()
            self.sent += render_continuation("idling")
            return
        if command.verb == "LOGIN":
            self.state = State.AUTHENTICATED
            self.framer.limits = FramerLimits()
        text = f"APPEND of {self.body} octets" if command.verb == "APPEND" else command.verb
        self.sent += render_status(b"OK", text, tag=command.tag)


def octets(line: str) -> bytes:
    """A transcript line's octets; `(n x)` is n times x."""
    if line.startswith("("):
        count, _, rest = line[1:].partition(" x)")
        return b"x" * int(count) + rest.encode("ascii") + b"\r\n"
    return line.encode("ascii") + b"\r\n"


def test_transcript() -> None:
    session = Session()
    for line in TRANSCRIPT.read_text(encoding="ascii").splitlines():
        if line.startswith("C: "):
            assert not session.sent
            session.receive(octets(line[3:]))
        elif line.startswith("S: "):
            expected = octets(line[3:])
            assert session.sent[: len(expected)].decode() == expected.decode()
            del session.sent[: len(expected)]
    assert not session.sent


def test_transcript_pipelined() -> None:
    lines = TRANSCRIPT.read_text(encoding="ascii").splitlines()
    # whoever does not wait for continuations sends the same octets; refused waiting literals never come
    received = b"".join(octets(line[3:]) for line in lines if line.startswith("C: "))
    expected = b"".join(octets(line[3:]) for line in lines if line.startswith("S: "))
    session = Session()
    session.receive(received)
    assert bytes(session.sent) == expected


def test_the_tour_is_true() -> None:
    assert wire.__doc__ is not None
    example = wire.__doc__.partition("the handlers):\n\n")[2].partition("\n\n`expect_line()`")[0]
    tree = ast.parse("async def session():\n" + textwrap.indent(textwrap.dedent(example), "    "))
    theirs = {"StagedBody"}
    known = {name for module in (errors, framer, parser, render) for name in vars(module)}
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert {name for name in used if name[0].isupper() or name.startswith(("parse_", "render_"))} <= known | theirs
