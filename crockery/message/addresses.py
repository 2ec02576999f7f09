"""Address lists of header fields (RFC 5322 §3.4 and §4.4), read tolerantly in linear time; and a strict reading.

    address-list = address *("," address)      address = mailbox / group
    mailbox = [phrase] "<" [route ":"] addr-spec ">" / addr-spec      group = phrase ":" [mailbox-list] ";"

One regular expression cuts the value into tokens, one loop puts them together; what does not fit is skipped and counted
as a defect. The tolerant reading ignores defects, the strict one refuses them.
"""

import re
from typing import NamedTuple

from crockery.limits import MAX_ADDRESSES
from crockery.message.words import decode_words


class Address(NamedTuple):
    """A mailbox: raw octets without quoting. `host` is None where the sender wrote no "@"."""

    name: bytes | None
    route: bytes | None
    local: bytes
    host: bytes | None

    @property
    def display(self) -> str:
        """The name for people, encoded words decoded; empty if there is none."""
        return decode_words(self.name) if self.name else ""

    @property
    def addr_spec(self) -> str:
        """local@host as text, the local part quoted where it must be."""
        local = self.local
        if not _DOT_ATOM.fullmatch(local):
            local = b'"%b"' % local.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
        return (local if self.host is None else local + b"@" + self.host).decode("utf-8", "replace")


class Group(NamedTuple):
    """A named group of mailboxes, often empty ("undisclosed-recipients:;")."""

    name: bytes
    members: tuple[Address, ...]


class AddressError(ValueError):
    """A field that must hold clean addresses does not."""


_SPECIAL = rb"()<>@,:;\"\[\]"
# Nine of ten values: one mailbox, nothing odd. Before Python 3.11.5 a possessive repeat of a group that may fail
# halfway, `(?: a)*+`, goes wrong (gh-106052); Debian 12 has 3.11.2.
_SIMPLE = re.compile(
    rb'(?:"([^"\\\r\n]*+)" ?<|([^\s%(s)s\\]++(?: [^\s%(s)s\\]++)*) ?<|(<?))([^\s%(s)s\\]++)@([^\s%(s)s\\]++)(>?)'
    % {b"s": _SPECIAL}
)
_UNQUOTED = rb"(?P<blank>\s++)|(?P<literal>\[[^\[\]]*+\])|(?P<atom>[^\s%s]++)|(?P<special>.)" % _SPECIAL
_TOKEN = re.compile(rb'"(?P<quoted>(?:[^"\\]++|\\.)*+)"|' + _UNQUOTED, re.DOTALL)
_TOKEN_PAST_QUOTES = re.compile(_UNQUOTED, re.DOTALL)
_DOT_ATOM = re.compile(rb"[^\s\x00-\x1f\x7f%s\\]*+" % _SPECIAL)
_ESCAPE = re.compile(rb"\\(.)", re.DOTALL)
_PARENTHESIS = re.compile(rb"\\.|[()]", re.DOTALL)


def parse_addresses(value: bytes) -> list[Address | Group]:
    """The addresses in an unfolded field value, damaged ones as far as they can be read. Never raises."""
    match = _SIMPLE.fullmatch(value)
    if match is not None:
        quoted, phrase, opening, local, host, closing = match.groups()
        if (opening != b"") == (closing != b""):
            return [Address(quoted or phrase or None, None, local, host)]
    return _Reader(value).read()


def parse_mailboxes(value: bytes) -> list[str]:
    """The addr-specs of a clean mailbox-list, as for From and Sender (RFC 5322 §3.6.2).

    Raises:
        AddressError: anything is left over, a mailbox lacks its domain, there is a group, or no mailbox at all. What
            two programs could read differently must not decide who a sender is.
    """
    reader = _Reader(value)
    addresses = reader.read()
    if reader.defects or not addresses:
        raise AddressError("not a list of addresses")
    specs = []
    for address in addresses:
        if isinstance(address, Group) or address.host is None or not address.local:
            raise AddressError("an address without a mailbox or a domain")
        specs.append(address.addr_spec)
        if "\ufffd" in specs[-1]:
            raise AddressError("an address that is not UTF-8")
    return specs


def is_damaged(value: bytes) -> bool:
    """Whether anything in an unfolded value does not fit the grammar, so that other programs may read it otherwise."""
    reader = _Reader(value)
    reader.read()
    return reader.defects > 0


def mailboxes(addresses: list[Address | Group]) -> list[Address]:
    """All mailboxes, those in groups too."""
    found: list[Address] = []
    for address in addresses:
        found.extend((address,) if isinstance(address, Address) else address.members)
    return found


class _Reader:
    """The state between tokens: what was read of the mailbox at hand, the open group, what is finished."""

    def __init__(self, value: bytes) -> None:
        self._value = value
        self._result: list[Address | Group] = []
        self._group: bytes | None = None
        self._members: list[Address] = []
        self._count = 0
        self.defects = 0
        self._start_mailbox()

    def _start_mailbox(self) -> None:
        self._words: list[bytearray] = []  # the phrase, or the local part where no "<" comes
        self._joined = False  # no blank since the last word
        self._quoted = False  # the last word was a quoted string
        self._glued = False  # a quoted string and another word have neither blank nor dot between them
        self._comment = b""
        self._host: list[bytearray] | None = None  # from "@" on
        self._angle = 0  # 0 before "<", 1 inside, 2 after ">"
        self._phrase: list[bytearray] = []
        self._route: bytes | None = None

    def read(self) -> list[Address | Group]:
        value = self._value
        token = _TOKEN
        position = 0
        while position < len(value) and self._count < MAX_ADDRESSES:
            match = token.match(value, position)
            assert match is not None  # the last alternative takes any octet
            position = match.end()
            kind = match.lastgroup
            if kind == "blank":
                self._joined = False
            elif kind == "special":
                if match[0] == b'"':
                    token = _TOKEN_PAST_QUOTES  # this one has no end, so neither has any after it
                position = self._take_special(match[0], position)
            elif kind == "quoted":
                quoted = match["quoted"]
                self._take_word(_ESCAPE.sub(rb"\1", quoted) if b"\\" in quoted else quoted, True)
                self.defects += self._host is not None
            else:
                self._take_word(match[0])
                if kind == "literal":
                    self.defects += b"".join(self._host or ()) != match[0]
                else:
                    self.defects += _DOT_ATOM.fullmatch(match[0]) is None
        self._finish_mailbox()
        if self._group is not None:
            self.defects += 1
            self._finish_group()
        return self._result

    def _take_word(self, word: bytes, quoted: bool = False) -> None:
        if self._angle == 2:
            self.defects += 1
            return
        words = self._words if self._host is None else self._host
        at_dot = bool(words) and (word[:1] == b"." or words[-1][-1:] == b".")
        if self._host and not (self._joined or at_dot or self._host[-1] == b","):
            self.defects += 1  # "a@b c": the rest cannot belong to the domain
            return
        if words and (self._joined or (at_dot and (self._angle == 1 or self._host))):
            self._glued = self._glued or ((quoted or self._quoted) and not at_dot)
            words[-1] += word
        else:
            words.append(bytearray(word))
        self._joined, self._quoted = True, quoted

    def _take_special(self, special: bytes, position: int) -> int:
        if special == b"(":
            return self._take_comment(position)
        if special == b",":
            if self._angle == 1 and self._host and not self._route:
                self._host.append(bytearray(b","))  # between the domains of a route
                return position
            self._finish_mailbox()
        elif special == b"<" and self._angle == 0:
            self._phrase, self._words, self._angle, self._glued = self._address_as_words(), [], 1, False
        elif special == b">" and self._angle == 1:
            self._angle = 2
        elif special == b"@" and self._angle < 2 and self._host is None:
            self._join_local()
            self._host = []
        elif special == b"@" and self._angle == 1 and self._host and self._host[-1] == b",":
            pass  # the next domain of a route
        elif special == b"@" and self._angle < 2 and self._host:
            self.defects += 1  # "a@b@c": the last one counts
            if len(self._words) != 1:
                self._words = [bytearray(b" ".join(self._words))]
            self._words[0] += b"@" + b"".join(self._host)
            self._host = []
        elif special == b":" and self._angle == 1 and self._host is not None and not self._words:
            self._route, self._host = b",".join(b"@" + host for host in self._host if host != b","), None
        elif special == b":" and self._angle == 0 and self._group is None and self._host is None and self._words:
            self._group, self._members = b" ".join(self._words), []
            self._start_mailbox()
        elif special == b";":
            self._finish_mailbox()
            if self._group is None:
                self.defects += 1  # some programs write ";" for ","
            else:
                self._finish_group()
        else:
            self.defects += 1
        self._joined = False
        return position

    def _join_local(self) -> None:
        """RFC 5322 §4.4, obs-local-part: "a . b@c", met only now that "@" tells it from a phrase."""
        words = self._words
        while len(words) > 1 and (words[-1][:1] == b"." or words[-2][-1:] == b"."):
            last = words.pop()
            words[-1] += last

    def _address_as_words(self) -> list[bytearray]:
        """The phrase before "<"; people put unquoted addresses there: joe@example.com <joe@example.com>."""
        if self._host is None:
            return self._words
        self.defects += 1
        words, self._host = [bytearray(b" ".join(self._words) + b"@" + b" ".join(self._host))], None
        return words

    def _take_comment(self, position: int) -> int:
        """RFC 5322 §3.2.2; comments nest. Returns the position after it; an open one takes all the rest."""
        start, depth = position, 1
        for match in _PARENTHESIS.finditer(self._value, position):
            depth += {b"(": 1, b")": -1}.get(match[0], 0)
            if not depth:
                self._comment = self._comment or self._value[start : match.start()]
                self._joined = False
                return match.end()
        self.defects += 1
        return len(self._value)

    def _finish_mailbox(self) -> None:
        words, host, angle = self._words, self._host, self._angle
        if words or host or angle or self._phrase:
            self.defects += angle == 1 or not host or len(words) != 1 or self._glued
            if angle:
                name = b" ".join(self._phrase) if self._phrase else None
                local = b" ".join(words)
            elif host is None:
                name, local = self._comment or None, b" ".join(words)
            else:
                name = b" ".join(words[:-1]) or self._comment or None
                local = b"".join(words[-1:])
            if angle and not name:
                name = self._comment or None
            if not (name or local or host):
                self._start_mailbox()  # <> and the like
                return
            address = Address(name, self._route, local, None if host is None else b"".join(host))
            self._count += 1
            if self._group is None:
                self._result.append(address)
            else:
                self._members.append(address)
        self._start_mailbox()

    def _finish_group(self) -> None:
        self._result.append(Group(self._group or b"", tuple(self._members)))
        self._group, self._members = None, []
        self._count += 1
