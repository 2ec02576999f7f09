"""What IMAP clients of tests hear, and the picture that they make of it: a mailbox of the model and a client of it."""

import re
from dataclasses import dataclass, field

from tests.support.dialog import Client

EXISTS = re.compile(r"\* (\d+) EXISTS")
EXPUNGE = re.compile(r"\* (\d+) EXPUNGE")
FETCH = re.compile(r"\* (\d+) FETCH \((.*)\)")
FLAG_LIST = re.compile(r"FLAGS \(([^)]*)\)")
UID = re.compile(r"UID (\d+)")
SUBJECT = re.compile(r'ENVELOPE \(NIL "(m\d+)"')
VANISHED = re.compile(r"\* VANISHED (\(EARLIER\) )?(\S+)")
NUMBER_CODE = re.compile(r"\[(UIDVALIDITY|UIDNEXT) (\d+)\]")


class Differs(AssertionError):
    """The server said something that the model does not allow."""


@dataclass(eq=False)
class Message:
    """A message of the model."""

    subject: str
    flags: frozenset[str]


@dataclass(eq=False)
class Box:
    """A mailbox of the model."""

    name: str
    messages: dict[int, Message] = field(default_factory=dict)
    next: int = 1
    validity: int = 0
    """Learned when it is first selected; the same ever after."""

    def add(self, message: Message) -> int:
        """Returns the UID."""
        self.messages[self.next] = Message(message.subject, message.flags)
        self.next += 1
        return self.next - 1


class Peer:
    """A client: a connection, and what it has been told.

    In IDLE it hears of states that are past when it hears of them: what EXISTS announces then has UID 0 in the view
    until it is known, and flags are compared when all has been heard.
    """

    def __init__(self, client: Client) -> None:
        self.client = client
        self.box: Box | None = None
        self.writable = True
        self.view: list[int] = []
        self.flags: dict[int, frozenset[str]] = {}
        self.before: dict[int, frozenset[str]] = {}
        """Flags that the command under way changes, before it: what others did may be told first."""
        self.idle = ""
        self.tags = 0
        self.lines: list[str] = []

    def select(self, box: Box | None, *, writable: bool = True) -> None:
        """Begin with a mailbox, nothing known."""
        self.box, self.writable, self.view, self.flags = box, writable, [], {}

    def hear(self, line: str, *, may_expunge: bool) -> None:
        """Take an untagged response."""
        self.lines.append(line)
        if found := EXPUNGE.fullmatch(line):
            self._expunged(int(found[1]), may_expunge)
        elif found := EXISTS.fullmatch(line):
            self._exists(int(found[1]))
        elif found := FETCH.fullmatch(line):
            self._fetched(int(found[1]), found[2])

        elif found := VANISHED.fullmatch(line):
            self._vanished(numbers_of(found[2]), bool(found[1]), may_expunge)

    def _vanished(self, uids: list[int], earlier: bool, allowed: bool) -> None:
        check(self.box is not None and (earlier or allowed), "VANISHED where numbers must not move")
        assert self.box is not None
        for uid in uids:
            check(self.idle != "" or uid not in self.box.messages, f"VANISHED of UID {uid}, which is there")
            self.flags.pop(uid, None)
            if not earlier:
                self.forget(uid)

    def forget(self, uid: int) -> None:
        """It is gone; if it was not known by its UID, it was one of the unknown before the next that is."""
        if uid in self.view:
            self.view.remove(uid)
            return
        end = next((at for at, known in enumerate(self.view) if known > uid), len(self.view))
        if end and not self.view[end - 1]:
            del self.view[end - 1]

    def _expunged(self, number: int, allowed: bool) -> None:
        check(allowed, "EXPUNGE where numbers must not move")
        check(self.box is not None and 1 <= number <= len(self.view), "EXPUNGE of a number that is not there")
        assert self.box is not None
        uid = self.view.pop(number - 1)
        check(uid == 0 or uid not in self.box.messages, f"EXPUNGE of UID {uid}, which is there")
        self.flags.pop(uid, None)

    def _exists(self, count: int) -> None:
        check(self.box is not None and count >= len(self.view), "EXISTS below what was there")
        assert self.box is not None
        if self.idle:
            self.view.extend([0] * (count - len(self.view)))
            return
        last = self.view[-1] if self.view else 0
        self.view.extend(uid for uid in self.box.messages if uid > last)
        check(len(self.view) == count, f"{count} EXISTS, not {len(self.view)}")

    def _fetched(self, number: int, items: str) -> None:
        check(self.box is not None and 1 <= number <= len(self.view), "FETCH of a number that is not there")
        assert self.box is not None
        uid = self.view[number - 1]
        if self.idle:
            if uid and (late := FLAG_LIST.search(items)):
                self.flags[uid] = flags_of(late[1])
            return
        if told := UID.search(items):
            check(int(told[1]) == uid, f"number {number} is UID {uid}")
        message = self.box.messages.get(uid)
        check(message is not None, f"FETCH of UID {uid}, which is gone")
        assert message is not None
        if flags := FLAG_LIST.search(items):
            self.flags[uid] = flags_of(flags[1])
            allowed = (message.flags, self.before.get(uid))
            check(self.flags[uid] in allowed, f"flags of UID {uid} are {sorted(message.flags)}")
        if subject := SUBJECT.search(items):
            check(subject[1] == message.subject, f"UID {uid} is {message.subject}")

    def fits(self, there: list[int]) -> bool:
        """Whether the view may be of these messages."""
        return len(self.view) == len(there) and all(
            seen in (0, uid) for seen, uid in zip(self.view, there, strict=True)
        )

    def settled(self, *, expunged: bool) -> None:
        """All that happened must have been told; of what was expunged, if it could be."""
        if self.box is None:
            return
        there = list(self.box.messages)
        if self.fits(there):
            self.view = there
        if expunged:
            check(self.view == there, f"there are {there}, not {self.view}")
        else:
            check(
                [uid for uid in self.view if uid in self.box.messages] == there, f"there are {there}, not {self.view}"
            )
        for uid, flags in self.flags.items():
            if uid in self.box.messages:
                check(flags == self.box.messages[uid].flags, f"flags of UID {uid} were not told")


def check(right: bool, what: str) -> None:
    """Raises Differs."""
    if not right:
        raise Differs(what)


def flags_of(text: str) -> frozenset[str]:
    """A flag list, without \\Recent."""
    return frozenset(flag.lower() for flag in text.split() if flag != "\\Recent")


def numbers_of(text: str) -> list[int]:
    """A sequence set written out."""
    found: list[int] = []
    for item in text.split(","):
        low, _, high = item.partition(":")
        found.extend(range(int(low), int(high or low) + 1))
    return found


def changed_flags(flags: frozenset[str], change: str, flag: str) -> frozenset[str]:
    """Flags after a STORE of one flag."""
    if change.startswith("+"):
        return flags | {flag}
    return flags - {flag} if change.startswith("-") else frozenset((flag,))
