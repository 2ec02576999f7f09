"""Parameters and modifiers of SELECT, FETCH, STORE and CREATE, and option lists (RFC 4466, RFC 9051 section 6.3.1).

Kept raw: an extension (CONDSTORE, QRESYNC) reads its own from `Param.value` and the server refuses unknown names.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from crockery.imap.wire.cursor import Cursor
from crockery.imap.wire.errors import BadCommand

Value = bytes | tuple["Value", ...] | None


@dataclass(frozen=True, slots=True)
class Param:
    """A name in upper case and its value: octets of a number, set or string, a nested tuple of these, or None."""

    name: str
    value: Value = None


@dataclass(frozen=True, slots=True)
class Option:
    """An option of a fixed list: its name in upper case and its argument as the option's own parser read it."""

    name: str
    argument: object = None


OptionParsers = Mapping[str, Callable[[Cursor], object] | None]
"""The options a list may hold; None: takes no argument, else reads the argument after its space."""


def parse_params(cursor: Cursor) -> tuple[Param, ...]:
    """`select-params = SP "(" select-param *(SP select-param) ")"`, and store-, fetch- and create- alike; or nothing.

    `select-param = select-param-name [SP select-param-value]`, `tagged-ext-val = tagged-ext-simple /
    "(" [tagged-ext-comp] ")"`. Since a value may be left out, a name is taken for the value of the name before it
    only where it cannot be a name: where it is a list, a string or begins with a digit, `*`, `$` or `-`.
    """
    start = cursor.position
    cursor.accept_space()
    if cursor.peek() != b"(":
        cursor.position = start
        return ()
    return cursor.items(_param)


def _param(cursor: Cursor) -> Param:
    name = cursor.word("parameter")
    start = cursor.position
    if cursor.accept_space() and cursor.peek() in b'("{0123456789*$-' and cursor.peek():
        return Param(name, _value(cursor))
    cursor.position = start
    return Param(name)


def _value(cursor: Cursor) -> Value:
    if cursor.peek() == b"(":
        return cursor.items(_value, empty=True)
    return cursor.astring()


def parse_options(cursor: Cursor, known: OptionParsers, optional: frozenset[str] = frozenset()) -> tuple[Option, ...]:
    """`"(" [option *(SP option)] ")"` of known options, each once; any other is BAD (RFC 5258 section 3).

    Those of `optional` can do without their argument, which is a list, with or without a space before it.
    """

    def option(cursor: Cursor) -> Option:
        name = cursor.word("option")
        if name not in known:
            raise BadCommand(f"Unknown option {name}")
        parse = known[name]
        if parse is None:
            return Option(name)
        start = cursor.position
        if name not in optional:
            cursor.space()
        else:
            cursor.accept_space()
            if cursor.peek() != b"(":
                cursor.position = start
                return Option(name)
        return Option(name, parse(cursor))

    options = cursor.items(option, empty=True)
    return tuple({option.name: option for option in options}.values())
