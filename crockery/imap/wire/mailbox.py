"""Mailbox names: in octets on the wire, in Unicode everywhere else (RFC 3501 section 5.1, RFC 9051 section 5.1).

A session that has enabled IMAP4rev2 or UTF8=ACCEPT sends UTF-8, any other modified UTF-7. INBOX, in any letter case,
becomes "INBOX". Names with control characters are refused here, so that no mailbox can have one.
"""

import re

from crockery import limits
from crockery.imap.wire import utf7
from crockery.imap.wire.cursor import Cursor
from crockery.imap.wire.errors import BadMailboxName

LIST_ATOM = re.compile(rb'[^\x00-\x20\x7f-\xff(){"]+')
FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def parse_mailbox(cursor: Cursor) -> str:
    """`mailbox = "INBOX" / astring`

    Raises BadMailboxName for octets that are no name in this session's encoding.
    """
    name = decode_mailbox(cursor.astring(), cursor.utf8)
    if not name:
        raise BadMailboxName("Mailbox name is empty")
    return name


def parse_list_mailbox(cursor: Cursor) -> str:
    """`list-mailbox = 1*list-char / string`: a name with the wildcards `%` and `*`; may be empty."""
    value = cursor.accept_string()
    if value is None:
        found = cursor.match(LIST_ATOM)
        value = found[0] if found is not None else cursor.fail("mailbox pattern")
    return decode_mailbox(value, cursor.utf8)


def decode_mailbox(value: bytes, utf8: bool) -> str:
    """A name's octets to text; raises BadMailboxName."""
    if len(value) > limits.IMAP_MAILBOX_NAME_MAX:
        raise BadMailboxName("Mailbox name too long")
    try:
        name = value.decode("utf-8") if utf8 else utf7.decode(value)
    except ValueError:
        encoding = "UTF-8" if utf8 else "modified UTF-7"
        raise BadMailboxName(f"Mailbox name is not valid {encoding}") from None
    if FORBIDDEN.search(name):
        raise BadMailboxName("Mailbox name has control characters")
    return "INBOX" if name.upper() == "INBOX" else name


class ListPattern:
    """A LIST pattern: `*` stands for anything, `%` for anything without the hierarchy delimiter (section 6.3.9).

    All ways to match are followed at once, a bit for each place in the pattern, so that time is linear in the name
    (and a machine word holds 64 places of the pattern): no pattern makes it backtrack.
    """

    def __init__(self, pattern: str, delimiter: str = "/") -> None:
        # neighbouring wildcards are one, of the stronger kind: so a wildcard is always followed by a plain place
        pattern = re.sub("[%*]{2,}", lambda run: "*" if "*" in run[0] else "%", pattern)
        self._delimiter = delimiter
        self._plain: dict[str, int] = {}
        self._wild = self._star = 0
        for place, character in enumerate(pattern):
            if character in "%*":
                self._wild |= 1 << place
                self._star |= (character == "*") << place
            else:
                self._plain[character] = self._plain.get(character, 0) | 1 << place
        self._accepting = 1 << len(pattern)
        self._folded = ListPattern(pattern.upper(), delimiter) if pattern != pattern.upper() else self

    def matches(self, name: str) -> bool:
        """True if the whole of `name` fits; INBOX fits in any letter case."""
        if name == "INBOX" and self._folded is not self:
            return self._folded.matches(name)
        places = 1 | (self._wild & 1) << 1
        for character in name:
            stay = self._star if character == self._delimiter else self._wild
            places = (places & self._plain.get(character, 0)) << 1 | places & stay
            places |= (places & self._wild) << 1
            if not places:
                return False
        return bool(places & self._accepting)
