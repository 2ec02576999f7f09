"""The terminals of the IMAP grammar, read from a frame by a cursor that only moves forward (RFC 9051 section 9).

Tolerated as Dovecot does, since clients send it: several spaces for one, spaces before the end of a line or list, and
in an astring the characters `%`, `*`, `\\` and `]` unquoted (passwords). Nothing else.
"""

import re
from collections.abc import Callable
from typing import Final, NoReturn, TypeVar

from crockery import limits
from crockery.imap.wire.errors import BadCommand
from crockery.imap.wire.framer import Frame, Literal

T = TypeVar("T")

ATOM = re.compile(rb'[^\x00-\x20\x7f-\xff(){%*"\\\]]+')
ASTRING_ATOM = re.compile(rb'[^\x00-\x20\x7f-\xff(){"]+')
QUOTED = re.compile(rb'"((?:[^"\\\x00\r\n]|\\[^\x00\r\n])*+)"')
ESCAPED = re.compile(rb"\\(.)")
ANNOUNCEMENT = re.compile(rb"~?\{[0-9]+\+?\}\n")
SPACES = re.compile(rb" *")
DIGITS = re.compile(rb"[0-9]{1,20}")

NUMBER_MAX: Final = 2**32 - 1
NUMBER64_MAX: Final = 2**63 - 1


class Cursor:
    """A place in a frame. Every method either consumes what its rule describes or raises BadCommand.

    `utf8`: the session has enabled IMAP4rev2 or UTF8=ACCEPT, so mailbox names are UTF-8.
    """

    __slots__ = ("_depth", "_items", "frame", "position", "text", "utf8")

    def __init__(self, frame: Frame, utf8: bool = False) -> None:
        self.frame = frame
        self.text = frame.text
        self.position = 0
        self.utf8 = utf8
        self._depth = 0
        self._items = 0

    def fail(self, wanted: str) -> NoReturn:
        """Raise BadCommand saying what was wanted, and where."""
        raise BadCommand(f"{wanted} expected at octet {self.position}")

    def peek(self) -> bytes:
        """The next octet, empty at the end."""
        return self.text[self.position : self.position + 1]

    def accept(self, token: bytes) -> bool:
        """Consume exactly `token` if it comes next."""
        if self.text.startswith(token, self.position):
            self.position += len(token)
            return True
        return False

    def expect(self, token: bytes) -> None:
        """Consume exactly `token`."""
        if not self.accept(token):
            self.fail(token.decode("ascii"))

    def match(self, pattern: re.Pattern[bytes]) -> re.Match[bytes] | None:
        """Consume what `pattern` matches here, if it does."""
        found = pattern.match(self.text, self.position)
        if found is not None:
            self.position = found.end()
        return found

    def accept_space(self) -> bool:
        """Consume spaces, if any."""
        start = self.position
        self.match(SPACES)
        return self.position > start

    def space(self) -> None:
        """`SP`: one or, tolerated, more."""
        if not self.accept_space():
            self.fail("space")

    def at_end(self) -> bool:
        """True if nothing but spaces is left; consumes these."""
        self.accept_space()
        return self.position >= len(self.text)

    def finish(self) -> None:
        """`CRLF`: the end of the command."""
        if not self.at_end():
            self.fail("end of command")

    def atom(self, what: str = "atom") -> bytes:
        """`atom = 1*ATOM-CHAR`"""
        found = self.match(ATOM)
        return found[0] if found is not None else self.fail(what)

    def word(self, what: str = "atom") -> str:
        """An atom that names something, in upper case: verbs, items, options compare without regard to case."""
        return self.atom(what).decode("ascii").upper()

    def accept_word(self, word: str) -> bool:
        """Consume the atom `word`, in any letter case, if it comes next."""
        found = ATOM.match(self.text, self.position)
        if found is None or found[0].upper() != word.encode("ascii"):
            return False
        self.position = found.end()
        return True

    def number(self, largest: int = NUMBER_MAX, smallest: int = 0) -> int:
        """`number = 1*DIGIT`; `number64` and `nz-number` by their bounds."""
        found = self.match(DIGITS)
        if found is None or not smallest <= int(found[0]) <= largest:
            self.fail("number")
        return int(found[0])

    def accept_literal(self) -> Literal | None:
        """`literal = "{" number64 ["+"] "}" CRLF *CHAR8`, or `literal8` with its `~`, if one stands here."""
        found = self.match(ANNOUNCEMENT)
        if found is None:
            return None
        literal = self.frame.literals.get(found.end())
        return literal if literal is not None else self.fail("literal")

    def accept_string(self) -> bytes | None:
        """`string = quoted / literal`, if one stands here."""
        found = self.match(QUOTED)
        if found is not None:
            return ESCAPED.sub(rb"\1", found[1]) if b"\\" in found[1] else found[1]
        literal = self.accept_literal()
        if literal is None:
            return None
        if literal.data is None or literal.binary or b"\0" in literal.data:
            self.fail("shorter string without NUL")
        return literal.data

    def string(self) -> bytes:
        """`string = quoted / literal`"""
        value = self.accept_string()
        return value if value is not None else self.fail("string")

    def astring(self) -> bytes:
        """`astring = 1*ASTRING-CHAR / string`"""
        value = self.accept_string()
        if value is not None:
            return value
        found = self.match(ASTRING_ATOM)
        return found[0] if found is not None else self.fail("string")

    def nstring(self) -> bytes | None:
        """`nstring = string / nil`"""
        value = self.accept_string()
        if value is None and not self.accept_word("NIL"):
            self.fail("string or NIL")
        return value

    def utf8_string(self) -> str:
        """An astring that is text: UTF-8, of which ASCII is a part."""
        return self.decode(self.astring())

    def decode(self, value: bytes) -> str:
        """UTF-8 octets to text; raises BadCommand for any other."""
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError:
            raise BadCommand("String is not valid UTF-8") from None

    def items(self, parse: Callable[["Cursor"], T], *, empty: bool = False) -> tuple[T, ...]:
        """`"(" item *(SP item) ")"`, or `"()"` where `empty` allows it. Bounded in number and depth."""
        self.expect(b"(")
        self.descend()
        self.accept_space()
        values: list[T] = []
        while not self.accept(b")"):
            self.count_item()
            values.append(parse(self))
            if not self.accept_space() and self.peek() != b")":
                self.fail("space or )")
        self.ascend()
        if not values and not empty:
            raise BadCommand("Empty list")
        return tuple(values)

    def count_item(self) -> None:
        """One more list item or search key; raises BadCommand past the limit for one command."""
        self._items += 1
        if self._items > limits.IMAP_ITEMS_MAX:
            raise BadCommand("Too many items")

    def descend(self) -> None:
        """Enter one more level of nesting; raises BadCommand past the limit, so that no input exhausts the stack."""
        self._depth += 1
        if self._depth > limits.IMAP_NESTING_MAX:
            raise BadCommand("Nested too deeply")

    def ascend(self) -> None:
        """Leave a level of nesting."""
        self._depth -= 1
