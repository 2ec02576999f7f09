"""Several sessions' commands in flight at once, each session's in one pipeline: what any order of them allows.

Which command came first is not foreseen. What must hold in every order: each client, hearing nothing but responses,
arrives at the mailbox that is there; numbers move only where they may; a UID is the same message for ever; a message
that two sessions move is moved once; none that nobody deletes is lost or doubled.
"""

import contextlib
import random
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import pytest
import trio

from crockery import limits
from crockery.imap import output
from tests.support.dialog import Client, logged_in
from tests.support.imap_lines import (
    EXISTS,
    EXPUNGE,
    FETCH,
    FLAG_LIST,
    NUMBER_CODE,
    SUBJECT,
    UID,
    VANISHED,
    Box,
    Differs,
    Message,
    Peer,
    changed_flags,
    check,
    flags_of,
    numbers_of,
)  # fmt: skip
from tests.support.imap_world import FLAGS, HOLDS_EXPUNGE, World

BURST: Final = 6
CHANGES: Final = ("+FLAGS", "-FLAGS", "+FLAGS.SILENT", "-FLAGS.SILENT", "FLAGS.SILENT")
COPIED = re.compile(r"\[COPYUID (\d+) (\S+) (\S+)\]")
APPENDED = re.compile(r"\[APPENDUID (\d+) (\d+)\]")
Key = tuple[int, int]
"""UIDVALIDITY and UID."""


@dataclass(eq=False)
class Sent:
    """A command in flight."""

    tag: str
    text: str
    box: Box | None = None
    """What it names."""
    subject: str = ""
    """Of what it appends."""
    flag: str = ""
    """What a STORE changes, and which messages, by UID or number."""
    change: str = ""
    numbers: tuple[int, ...] = ()

    @property
    def verb(self) -> str:
        """With UID, if it has that."""
        words = self.text.split()
        return " ".join(words[:2]) if words[0] == "UID" else words[0]


@dataclass(eq=False)
class Storm:
    """One storm."""

    world: World
    rng: random.Random
    names: dict[str, Box]
    """Every name that a mailbox has before or after."""
    deleted: Box | None = None
    """Somebody deletes it, and then no messages are counted."""
    there: Counter[str] = field(default_factory=Counter)
    """How often each message was there before."""
    copied: list[Key] = field(default_factory=list)
    """What was appended or copied."""
    doomed: set[Key] = field(default_factory=set)
    """Messages that somebody may have expunged."""
    doomed_subjects: set[str] = field(default_factory=set)
    moved: set[Key] = field(default_factory=set)
    difference: Differs | trio.TooSlowError | None = None
    """The first one while all spoke at once."""

    def before(self) -> None:
        """Note what is there."""
        for box in self.world.boxes.values():
            for uid, message in box.messages.items():
                self.there[message.subject] += 1
                if box.validity:
                    self.know((box.validity, uid), message.subject)
                if "\\deleted" in message.flags:
                    self.doomed_subjects.add(message.subject)

    # What is sent.

    def burst(self, peer: Peer) -> list[Sent]:
        """Some commands, all made before any is answered."""
        return [self._command(peer) for _ in range(1 + self.rng.randrange(BURST))]

    def disturb(self, peer: Peer, sent: list[Sent]) -> None:
        """Among what a session sends, a mailbox is renamed or deleted; others may know the new name already."""
        leaves = [box for name, box in self.names.items() if name != "INBOX" and not self._has_children(name)]
        if not leaves:
            return
        box = self.rng.choice(leaves)
        peer.tags += 1
        self.world.count += 1
        new = f"R{self.world.count}"
        if self.rng.random() < 0.5:
            self.deleted = box
            command = Sent(f"d{peer.tags}", f"DELETE {box.name}", box)
        else:
            command = Sent(f"d{peer.tags}", f"RENAME {box.name} {new}", box, new)
            self.names[new] = box
        sent.insert(self.rng.randrange(len(sent) + 1), command)

    def _has_children(self, name: str) -> bool:
        return any(other.startswith(name + "/") for other in self.names)

    def _command(self, peer: Peer) -> Sent:
        peer.tags += 1
        tag = f"t{peer.tags}"
        name = self.rng.choice(list(self.names))
        box = self.names[name]
        kinds = ["append", "noop", "select"]
        if peer.box is not None and any(peer.view):
            kinds += ["store", "store", "store", "uid store", "expunge", "uid expunge", "copy", "move", "move", "fetch"]
        match self.rng.choice(kinds):
            case "append":
                return self._append(tag, name, box)
            case "select":
                return Sent(tag, f"{self.rng.choice(('SELECT', 'SELECT', 'EXAMINE'))} {name}", box)
            case "noop":
                return Sent(tag, self.rng.choice(("NOOP", "UID SEARCH ALL", "SEARCH ALL")))
            case "store":
                return self._store(tag, peer, uid=False)
            case "uid store":
                return self._store(tag, peer, uid=True)
            case "expunge":
                return Sent(tag, "EXPUNGE")
            case "uid expunge":
                return Sent(tag, f"UID EXPUNGE {self._uids(peer)}")
            case "copy":
                return Sent(tag, f"UID COPY {self._uids(peer)} {name}", box)
            case "move":
                return Sent(tag, f"UID MOVE {self._uids(peer)} {name}", box)
        items = self.rng.choice(("(UID FLAGS)", "(UID ENVELOPE)", "(FLAGS)"))
        return Sent(tag, self.rng.choice((f"FETCH 1:* {items}", f"UID FETCH {self._uids(peer)} {items}")))

    def _append(self, tag: str, name: str, box: Box) -> Sent:
        self.world.count += 1
        subject = f"m{self.world.count}"
        flags = [flag for flag in FLAGS if self.rng.random() < 0.2]
        if "\\Deleted" in flags:
            self.doomed_subjects.add(subject)
        text = f"Subject: {subject}\r\n\r\nx\r\n"
        return Sent(tag, f"APPEND {name} ({' '.join(flags)}) {{{len(text)}+}}\r\n{text}", box, subject)

    def _store(self, tag: str, peer: Peer, *, uid: bool) -> Sent:
        change, flag = self.rng.choice(CHANGES), self.rng.choice(FLAGS if uid else ("\\Seen", "work"))
        if uid:
            numbers = tuple(sorted(self._some([known for known in peer.view if known])))
        else:
            numbers = tuple(sorted(self._some(range(1, len(peer.view) + 1))))
        prefix = "UID " if uid else ""
        text = f"{prefix}STORE {','.join(map(str, numbers))} {change} ({flag})"
        return Sent(tag, text, flag=flag.lower(), change=change, numbers=numbers)

    def _some(self, numbers: "range | list[int]") -> set[int]:
        return {self.rng.choice(list(numbers)) for _ in range(1 + self.rng.randrange(3))}

    def _uids(self, peer: Peer) -> str:
        return ",".join(map(str, sorted(self._some([uid for uid in peer.view if uid]))))

    # What is heard.

    async def speak(self, session: int, peer: Peer, sent: list[Sent]) -> None:
        """Send all at once, and hear all answers in their order."""
        story = self.world.story
        story.extend(f"{session}: {command.tag} {command.text!r}" for command in sent)
        await peer.client.send("".join(f"{command.tag} {command.text}\r\n" for command in sent).encode())
        try:
            for command in sent:
                if not await self._hear_answer(session, peer, command):
                    return
        except (Differs, trio.TooSlowError) as difference:
            self.difference = self.difference or difference

    async def _hear_answer(self, session: int, peer: Peer, command: Sent) -> bool:
        while not (line := await peer.client.line()).startswith(command.tag + " "):
            self.world.story.append(f"{session}:     {line}")
            if line == "end" or line.startswith("* BYE"):
                check(peer.box is self.deleted is not None, f"the connection ended: {line}")
                await peer.client.close()
                self.world.peers[session] = None
                return False
            if line.startswith("* OK [CLOSED]"):
                peer.select(None)
            if command.verb in ("SELECT", "EXAMINE") and line.startswith("* FLAGS"):
                assert command.box is not None
                peer.select(command.box, writable=command.verb == "SELECT")
            self.take(peer, line, command.verb not in HOLDS_EXPUNGE)
            if command.verb == "UID MOVE":
                self._copied(peer, command, line)
        self.world.story.append(f"{session}:     {line}")
        self._answered(peer, command, line)
        return True

    def take(self, peer: Peer, line: str, may_expunge: bool) -> None:
        """An untagged response; the client believes it."""
        if found := EXPUNGE.fullmatch(line):
            check(may_expunge, "EXPUNGE where numbers must not move")
            check(1 <= int(found[1]) <= len(peer.view), "EXPUNGE of a number that is not there")
            peer.flags.pop(peer.view.pop(int(found[1]) - 1), None)
        elif found := EXISTS.fullmatch(line):
            check(int(found[1]) >= len(peer.view), "EXISTS below what was there")
            peer.view.extend([0] * (int(found[1]) - len(peer.view)))
        elif found := FETCH.fullmatch(line):
            self._fetched(peer, int(found[1]), found[2])
        elif found := VANISHED.fullmatch(line):
            check(may_expunge and not found[1], "VANISHED where numbers must not move")
            for uid in numbers_of(found[2]):
                peer.forget(uid)
                peer.flags.pop(uid, None)
        elif (found := NUMBER_CODE.search(line)) and found[1] == "UIDVALIDITY" and peer.box is not None:
            peer.box.validity = peer.box.validity or int(found[2])
            check(peer.box.validity == int(found[2]), f"UIDVALIDITY was {peer.box.validity}")

    def _fetched(self, peer: Peer, number: int, items: str) -> None:
        check(peer.box is not None and 1 <= number <= len(peer.view), "FETCH of a number that is not there")
        assert peer.box is not None
        if told := UID.search(items):
            uid = int(told[1])
            check(peer.view[number - 1] in (0, uid), f"number {number} was UID {peer.view[number - 1]}")
            check(peer.view.count(uid) + (peer.view[number - 1] == 0) == 1, f"UID {uid} twice")
            peer.view[number - 1] = uid
        uid = peer.view[number - 1]
        if uid and (flags := FLAG_LIST.search(items)):
            peer.flags[uid] = flags_of(flags[1])
        if uid and (subject := SUBJECT.search(items)):
            self.know((peer.box.validity, uid), subject[1])

    def _answered(self, peer: Peer, command: Sent, line: str) -> None:
        status = line.split()[1]
        may_be_bad = peer.box is None or not command.text.startswith("UID ")
        check(status in ("OK", "NO") or (status == "BAD" and may_be_bad), "OK or NO expected")
        check("SERVERBUG" not in line, "no error of the server")
        match command.verb:
            case "SELECT" | "EXAMINE":
                if status != "OK":
                    peer.select(None)
            case "APPEND" if found := APPENDED.search(line):
                key = int(found[1]), int(found[2])
                self.copied.append(key)
                self.know(key, command.subject)
            case "UID COPY":
                self._copied(peer, command, line)
            case "RENAME" if status == "OK":
                assert command.box is not None
                del self.world.boxes[command.box.name]
                command.box.name = command.subject
                self.world.boxes[command.box.name] = command.box
            case "DELETE" if status == "OK":
                assert command.box is not None
                del self.world.boxes[command.box.name]
            case "STORE" | "UID STORE" if status == "OK":
                assert peer.box is not None
                uid = command.verb == "UID STORE"
                for number in command.numbers:
                    changed = number if uid else peer.view[number - 1]
                    if command.flag == "\\deleted":
                        self.doomed.add((peer.box.validity, changed))
                    if changed in peer.flags and "SILENT" in command.change:
                        peer.flags[changed] = changed_flags(peer.flags[changed], command.change, command.flag)

    def _copied(self, peer: Peer, command: Sent, line: str) -> None:
        found = COPIED.search(line)
        if found is None:
            return
        assert peer.box is not None
        source, target = numbers_of(found[2]), numbers_of(found[3])
        check(len(source) == len(target), "as many as were copied")
        for old, new in zip(source, target, strict=True):
            before, after = (peer.box.validity, old), (int(found[1]), new)
            self.know(after, self.world.history.get(before, ""))
            self.know(before, self.world.history[after])
            if command.verb == "UID COPY":
                self.copied.append(after)
                continue
            check(before not in self.moved, f"UID {old} was moved twice")
            self.moved.add(before)

    def know(self, key: Key, subject: str) -> None:
        """A UID and its message, "" if that is unknown yet; once and for ever."""
        before = self.world.history.setdefault(key, subject)
        check(not before or not subject or before == subject, f"UID {key[1]} was {before}, is {subject}")
        self.world.history[key] = subject or before

    # What is compared.

    async def compare(self) -> None:
        """All that is there with what the clients believe; from now on the model is what is there."""
        world = self.world
        for number, peer in enumerate(world.peers):
            if peer is not None:
                peer.tags += 1
                await self.speak(number, peer, [Sent(f"t{peer.tags}", "NOOP")])
                if self.difference is not None:
                    raise self.difference
        observer = await logged_in(world.server, "anna")
        now: Counter[str] = Counter()
        for box in world.boxes.values():
            await self._observe(observer, box)
            now.update(message.subject for message in box.messages.values())
            for uid, message in box.messages.items():
                self.know((box.validity, uid), message.subject)
                check((box.validity, uid) not in self.moved, f"UID {uid} of {box.name} was moved")
        await observer.close()
        for peer in world.peers:
            if peer is not None:
                peer.settled(expunged=True)
        if self.deleted is None:
            self._count(now)

    def _count(self, now: Counter[str]) -> None:
        """No message is lost that nobody deletes, none is there more often than it was copied."""
        history = self.world.history
        expected = self.there + Counter(history[key] for key in self.copied)
        doomed = self.doomed_subjects | {history.get(key, "") for key in self.doomed}
        for subject in expected | now:
            right = now[subject] <= expected[subject] if subject in doomed else now[subject] == expected[subject]
            check(right, f"{subject} is there {now[subject]} times, not {expected[subject]}")

    async def _observe(self, observer: Client, box: Box) -> None:
        """Make a mailbox of the model what it is on the server."""
        box.messages = {}
        await observer.send(f"o EXAMINE {box.name}\r\no UID FETCH 1:* (UID FLAGS ENVELOPE)\r\n".encode())
        done = 0
        while done < 2:
            line = await observer.line()
            check(line != "end" and not line.startswith(("o NO", "o BAD")), f"{box.name}: {line}")
            done += line.startswith("o OK")
            for name, value in NUMBER_CODE.findall(line):
                if name == "UIDNEXT":
                    check(int(value) >= box.next, f"UIDNEXT of {box.name} was {box.next}, is {value}")
                    box.next = int(value)
                else:
                    check(box.validity in (0, int(value)), f"UIDVALIDITY of {box.name} was {box.validity}")
                    box.validity = int(value)
            if fetched := FETCH.fullmatch(line):
                items = fetched[2]
                uid, flags, subject = UID.search(items), FLAG_LIST.search(items), SUBJECT.search(items)
                assert uid is not None
                assert flags is not None
                assert subject is not None
                box.messages[int(uid[1])] = Message(subject[1], flags_of(flags[1]))


@contextlib.contextmanager
def in_small_steps() -> Iterator[None]:
    """The server gives others a turn after every message or two of a command, and sends what it has."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(limits, "IMAP_LINES", 2)
        patch.setattr(limits, "IMAP_SLICE", 2)
        patch.setattr(limits, "IMAP_SLICE_KEPT", 1)
        patch.setattr(limits, "IMAP_SLICE_READY", 1)
        patch.setattr(limits, "IMAP_STORED_HELD", 30)
        patch.setattr(output, "TURN", 0.0)
        patch.setattr(output.Output.relieve, "__defaults__", (30,))
        yield


async def storm(world: World, session: int, a: int, b: int) -> None:
    """All sessions at once; then all are compared with what is there."""
    storming = Storm(world, random.Random(a * 64 + b), dict(world.boxes))
    storming.before()
    peers = [(number, await world.peer(number)) for number in range(len(world.peers))]
    bursts = [(number, peer, storming.burst(peer)) for number, peer in peers]
    if b % 3 == 0:
        storming.disturb(peers[a % len(peers)][1], bursts[a % len(bursts)][2])
    world.story.append("all at once:")
    async with trio.open_nursery() as nursery:
        for number, peer, sent in bursts:
            nursery.start_soon(storming.speak, number, peer, sent)
    if storming.difference is not None:
        raise storming.difference
    await storming.compare()
