"""A frame in, a command out: `command = tag SP (command-any / command-auth / ...) CRLF` (RFC 9051 section 9).

The verb's own parser comes from the table in `verbs.py`. Legality of the verb in the session's state is the caller's
to check, from `Command.states`: it knows the state, and a syntax error in an illegal command is BAD all the same.
"""

import re
from dataclasses import dataclass

from crockery.imap.wire.cursor import Cursor
from crockery.imap.wire.errors import BadCommand
from crockery.imap.wire.framer import Frame
from crockery.imap.wire.verbs import VERBS, Arguments, State, Trait

TAG = re.compile(rb'[^\x00-\x20\x7f-\xff(){%*"\\+]+')


@dataclass(frozen=True, slots=True)
class Command:
    """One command; `verb` is the key of its row in VERBS ("FETCH", "UID FETCH"), `arguments` of the verb's own type."""

    tag: bytes
    verb: str
    arguments: Arguments

    @property
    def uid(self) -> bool:
        """True for the UID form of a verb: its sequence set holds UIDs."""
        return self.verb.startswith("UID ")

    @property
    def speaks_of_numbers(self) -> bool:
        """True if it names messages by sequence number, and there is a form of it that does not (RFC 9586)."""
        return f"UID {self.verb}" in VERBS and self.verb != "EXPUNGE"

    @property
    def states(self) -> State:
        """The states in which the verb is legal."""
        return VERBS[self.verb].states

    @property
    def traits(self) -> Trait:
        """What the session must know of the verb."""
        return VERBS[self.verb].traits


def parse_command(frame: Frame, *, utf8: bool = False) -> Command:
    """Read a whole command; with a partial frame, its head up to the literal that is still to come.

    `utf8`: the session has enabled IMAP4rev2 or UTF8=ACCEPT. Raises BadCommand, with the tag if there is one, and
    nothing else.
    """
    cursor = Cursor(frame, utf8)
    found = cursor.match(TAG)
    if found is None or not cursor.accept_space():
        raise BadCommand("Tag and command expected", found[0] if found is not None and cursor.at_end() else None)
    try:
        verb = _parse_verb(cursor)
        arguments = VERBS[verb].parse(cursor)
        cursor.finish()
    except BadCommand as error:
        error.tag = found[0]
        raise
    return Command(found[0], verb, arguments)


def _parse_verb(cursor: Cursor) -> str:
    """`uid = "UID" SP (copy / move / fetch / search / store / uid-expunge)`, or any other verb"""
    verb = cursor.word("command")
    if verb == "UID":
        cursor.space()
        verb += " " + cursor.word("command")
    if verb not in VERBS:
        raise BadCommand(f"Unknown command {verb[:40]}")
    return verb
