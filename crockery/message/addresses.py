"""Address lists of header fields (RFC 5322 §3.4 and §4.4), read tolerantly in linear time; and a strict reading.

    address-list = address *("," address)      address = mailbox / group
    mailbox = [phrase] "<" [route ":"] addr-spec ">" / addr-spec      group = phrase ":" [mailbox-list] ";"

One regular expression cuts the value into tokens, one loop puts them together; what does not fit is skipped and counted
as a defect. The tolerant reading ignores defects, the strict one refuses them.
"""

import re
from dataclasses import dataclass

from crockery.limits import MAX_ADDRESSES
from crockery.message.words import decode_words


@dataclass(frozen=True, slots=True)
class Address:
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
        """local@host as text; the local part is not quoted again."""
        spec = self.local if self.host is None else self.local + b"@" + self.host
        return spec.decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class Group:
    """A named group of mailboxes, often empty ("undisclosed-recipients:;")."""

    name: bytes
    members: tuple[Address, ...]


class AddressError(ValueError):
    """A field that must hold clean addresses does not."""


_SPECIAL = rb"()<>@,:;\"\[\]"
_SIMPLE = re.compile(  # nine of ten values: one mailbox, nothing odd
    rb'(?:"([^"\\\r\n]*+)" ?<|([^\s%(s)s\\]++(?: [^\s%(s)s\\]++)*+) ?<|(<?))([^\s%(s)s\\]++)@([^\s%(s)s\\]++)(>?)'
    % {b"s": _SPECIAL}
)
_TOKEN = re.compile(
    rb'(?P<blank>\s++)|"(?P<quoted>(?:[^"\\]++|\\.)*+)"|(?P<literal>\[[^\[\]]*+\])|(?P<atom>[^\s%s]++)|(?P<special>.)'
    % _SPECIAL,
    re.DOTALL,
)
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
        try:
            specs.append(f"{address.local.decode()}@{address.host.decode()}")
        except UnicodeDecodeError:
            raise AddressError("an address that is not UTF-8") from None
    return specs


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
        self._words: list[bytes] = []  # the phrase, or the local part where no "<" comes
        self._joined = False  # no blank since the last word
        self._comment = b""
        self._host: list[bytes] | None = None  # from "@" on
        self._angle = 0  # 0 before "<", 1 inside, 2 after ">"
        self._phrase: list[bytes] = []
        self._route: bytes | None = None

    def read(self) -> list[Address | Group]:
        value = self._value
        position = 0
        while position < len(value) and self._count < MAX_ADDRESSES:
            match = _TOKEN.match(value, position)
            assert match is not None  # the last alternative takes any octet
            position = match.end()
            kind = match.lastgroup
            if kind == "blank":
                self._joined = False
            elif kind == "special":
                position = self._take_special(match[0], position)
            elif kind == "quoted":
                quoted = match["quoted"]
                self._take_word(_ESCAPE.sub(rb"\1", quoted) if b"\\" in quoted else quoted)
            else:
                self._take_word(match[0])
        self._finish_mailbox()
        if self._group is not None:
            self.defects += 1
            self._finish_group()
        return self._result

    def _take_word(self, word: bytes) -> None:
        if self._angle == 2:
            self.defects += 1
            return
        words = self._words if self._host is None else self._host
        if self._host is not None and words and not self._joined and not word.startswith(b"."):
            self.defects += 1  # "a@b c": the rest cannot belong to the domain
            return
        if words and (self._joined or (self._angle == 1 and (word[:1] == b"." or words[-1][-1:] == b"."))):
            words[-1] += word
        else:
            words.append(word)
        self._joined = True

    def _take_special(self, special: bytes, position: int) -> int:
        if special == b"(":
            return self._take_comment(position)
        if special == b",":
            if self._angle == 1 and self._host and not self._route:
                self._host.append(b",")  # between the domains of a route
                return position
            self._finish_mailbox()
        elif special == b"<" and self._angle == 0:
            self._phrase, self._words, self._angle = self._address_as_words(), [], 1
        elif special == b">" and self._angle == 1:
            self._angle = 2
        elif special == b"@" and self._angle < 2 and self._host is None:
            self._host = []
        elif special == b"@" and self._angle == 1 and self._host and self._host[-1] == b",":
            pass  # the next domain of a route
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
        self._joined = special not in b'":'
        return position

    def _address_as_words(self) -> list[bytes]:
        """The phrase before "<"; people put unquoted addresses there: joe@example.com <joe@example.com>."""
        if self._host is None:
            return self._words
        self.defects += 1
        words, self._host = [b" ".join(self._words) + b"@" + b" ".join(self._host)], None
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
            self.defects += (angle == 1) or host == [] or not words
            if angle:
                name = b" ".join(self._phrase) if self._phrase else None
                local = b"".join(words)
            elif host is None:
                name, local = self._comment or None, b" ".join(words)
            else:
                *before, local = words or [b""]
                name = b" ".join(before) or self._comment or None
                self.defects += bool(before)
            if angle and not name:
                name = self._comment or None
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
