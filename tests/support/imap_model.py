"""A model of mailboxes and their clients so simple that it is obviously right, and sessions driven against it.

Steps are tuples of small numbers (`Step`), read against the state of the moment, so that any list of them is a sequence
of commands and a shorter one is simpler. Commands run one at a time, over several connections, some of them in IDLE;
now and then many at once (`imap_storm`). After each: the reply is the one foreseen; sequence numbers never moved where
they must not; and whatever changed has been told, so that the client's own picture is the mailbox.
"""

import contextlib
import random
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import trio

from tests.support.dialog import logged_in
from tests.support.imap_lines import (
    NUMBER_CODE,
    Box,
    Differs,
    Message,
    Peer,
    changed_flags,
    check,
    flags_of,
    numbers_of,
)  # fmt: skip
from tests.support.imap_storm import in_small_steps, storm
from tests.support.server import RunningServer, running_server

Step = tuple[int, int, int, int]
"""Session, what to do, and two numbers that choose among what is there."""

SESSIONS: Final = 3
NAMES: Final = ("INBOX", "A", "B", "A/C")
FLAGS: Final = ("\\Seen", "\\Deleted", "\\Flagged", "work", "later")
CHANGES: Final = ("+FLAGS", "-FLAGS", "FLAGS", "+FLAGS.SILENT", "-FLAGS.SILENT")
HOLDS_EXPUNGE: Final = frozenset(("FETCH", "STORE", "SEARCH"))


@dataclass(frozen=True)
class Cache:
    """What a client that went away keeps of a mailbox."""

    box: Box
    modseq: int
    flags: dict[int, frozenset[str]]


class World:
    """The model, its peers, and the server."""

    def __init__(self, folder: Path, nursery: trio.Nursery) -> None:
        self._folder = folder
        self._nursery = nursery
        self._stopping, self._stopped = trio.Event(), trio.Event()
        self.boxes: dict[str, Box] = {"INBOX": Box("INBOX")}
        self.peers: list[Peer | None] = [None] * SESSIONS
        self.count = 0
        self.story: list[str] = []
        self.server: RunningServer
        self.caches: list[Cache] = []
        self.validities: set[tuple[str, int]] = set()
        self.history: dict[tuple[int, int], str] = {}
        """(UIDVALIDITY, UID) and the message that it is, as far as storms have told."""

    async def start(self) -> None:
        """Run the server."""
        self._stopping, self._stopped = trio.Event(), trio.Event()
        self.server = await self._nursery.start(self._serve)

    async def _serve(self, task_status: trio.TaskStatus[RunningServer]) -> None:
        async with running_server(self._folder) as server:
            task_status.started(server)
            await self._stopping.wait()
        self._stopped.set()

    async def stop(self) -> None:
        """Stop it; nobody has a connection any more."""
        for peer in self.peers:
            if peer is not None:
                await peer.client.close()
        self.peers = [None] * SESSIONS
        self._stopping.set()
        await self._stopped.wait()

    async def begin(self) -> None:
        """A new sequence: connections are closed, mailboxes are as in the beginning but for INBOX's UIDs."""
        for peer in self.peers:
            if peer is not None:
                await peer.client.close()
        self.peers = [None] * SESSIONS
        self.story = []
        for name in sorted(self.boxes, reverse=True):
            if name != "INBOX":
                await self._do(0, f"DELETE {name}", "OK")
                del self.boxes[name]
        peer = await self._selected(0, self.boxes["INBOX"])
        peer.box.messages.clear() if peer.box else None
        await self._command(peer, "STORE 1:* +FLAGS.SILENT (\\Deleted)", None, tells=False)
        await self._command(peer, "CLOSE", None, tells=False)
        peer.select(None)
        self.story = []

    async def play(self, steps: Sequence[Step]) -> None:
        """Do these steps, and look at everything in the end. Raises Differs, with the story."""
        try:
            for session, action, a, b in steps:
                await ACTIONS[action % len(ACTIONS)](self, session % SESSIONS, a, b)
            for session in range(SESSIONS):
                await self._leave_idle(session)
                await noop(self, session, 0, 0)
                await fetch(self, session, 0, 1)
        except (Differs, trio.TooSlowError) as error:
            raise Differs("\n".join([*self.story, repr(error)])) from error

    # One command.

    async def peer(self, session: int) -> Peer:
        """The session's client, connected and not in IDLE."""
        await self._leave_idle(session)
        peer = self.peers[session]
        if peer is not None and peer.box is not None and peer.box is not self.boxes.get(peer.box.name):
            await self._hear_bye(session, peer)
            peer = None
        if peer is None:
            peer = self.peers[session] = Peer(await logged_in(self.server, "anna"))
            self.story.append(f"{session}: connects")
        return peer

    async def _hear_bye(self, session: int, peer: Peer) -> None:
        """The selected mailbox was deleted: the next command is answered with BYE."""
        self.story.append(f"{session}: NOOP, the mailbox being gone")
        await peer.client.send(b"gone NOOP\r\n")
        while (line := await peer.client.line()) != "end":
            check(line.startswith("* "), f"{line!r} after the mailbox was deleted")
        await peer.client.close()
        self.peers[session] = None

    async def _selected(self, session: int, box: Box) -> Peer:
        peer = await self.peer(session)
        if peer.box is not box or not peer.writable:
            await open_box(self, session, peer, box, writable=True)
        return peer

    async def _do(self, session: int, text: str, status: str) -> str:
        return await self._command(await self.peer(session), text, status)

    async def _command(
        self, peer: Peer, text: str, status: str | None, *, tells: bool = True, after: Callable[[], None] = lambda: None
    ) -> str:
        """Say it, hear all responses, compare; returns the tagged line. `after`: what the client does at the OK."""
        session = self.peers.index(peer)
        self.story.append(f"{session}: {text}")
        peer.tags += 1
        tag = f"t{peer.tags}"
        peer.lines = []
        may_expunge = text.split()[0] not in HOLDS_EXPUNGE
        await peer.client.send(f"{tag} {text}\r\n".encode())
        while not (line := await peer.client.line()).startswith(tag + " "):
            check(line != "end" and not line.startswith("* BYE"), f"the connection ended: {line}")
            self.story.append(f"     {line}")
            if tells:
                peer.hear(line, may_expunge=may_expunge)
        self.story.append(f"     {line}")
        if status is not None:
            check(line.startswith(f"{tag} {status}"), f"{status} was expected")
        after()
        if tells:
            peer.settled(expunged=may_expunge)
        return line

    async def _leave_idle(self, session: int) -> None:
        peer = self.peers[session]
        if peer is None or not peer.idle:
            return
        tag = peer.idle
        self.story.append(f"{session}: DONE")
        await peer.client.send(b"DONE\r\n")
        while not (line := await peer.client.line()).startswith(tag + " "):
            if line == "end" or line.startswith("* BYE"):
                box = peer.box
                check(box is not None and self.boxes.get(box.name) is not box, f"IDLE ended: {line}")
                await peer.client.close()
                self.peers[session] = None
                return
            self.story.append(f"     {line}")
            peer.hear(line, may_expunge=True)
        peer.idle = ""
        check(line.startswith(f"{tag} OK"), "OK was expected")
        peer.settled(expunged=True)

    def box(self, number: int) -> Box:
        """One of the mailboxes there are."""
        return list(self.boxes.values())[number % len(self.boxes)]

    def choose(self, peer: Peer, number: int) -> list[int]:
        """Some indices of the view, a range or a single one."""
        if not peer.view:
            return []
        first = number % len(peer.view)
        return list(range(first, min(len(peer.view), first + 1 + number // 7 % 3)))


# What a step may do. Each takes the world, the session, and two numbers.


async def open_box(world: World, session: int, peer: Peer, box: Box, *, writable: bool) -> None:
    """SELECT or EXAMINE."""
    peer.select(box, writable=writable)
    verb = "SELECT" if writable else "EXAMINE"
    await world._command(peer, f"{verb} {box.name}", "OK [READ-WRITE]" if writable else "OK [READ-ONLY]")
    codes: dict[str, str] = {found[1]: found[2] for line in peer.lines if (found := NUMBER_CODE.search(line))}
    check(int(codes["UIDNEXT"]) == box.next, f"UIDNEXT is {box.next}")
    if not box.validity:
        box.validity = int(codes["UIDVALIDITY"])
        check((box.name, box.validity) not in world.validities, "UIDVALIDITY came again")
        world.validities.add((box.name, box.validity))
    check(int(codes["UIDVALIDITY"]) == box.validity, f"UIDVALIDITY was {box.validity}")


async def select(world: World, session: int, a: int, b: int) -> None:
    peer = await world.peer(session)
    await open_box(world, session, peer, world.box(a), writable=b % 4 != 0)


async def noop(world: World, session: int, a: int, b: int) -> None:
    await world._do(session, "NOOP" if a % 2 else "CAPABILITY", "OK")


async def append(world: World, session: int, a: int, b: int) -> None:
    peer = await world.peer(session)
    box = world.box(a)
    flags = [flag for bit, flag in enumerate(FLAGS) if b >> bit & 1]
    world.count += 1
    subject = f"m{world.count}"
    text = f"Subject: {subject}\r\n\r\nx\r\n"
    uid = box.add(Message(subject, flags_of(" ".join(flags))))
    line = await world._command(
        peer, f"APPEND {box.name} ({' '.join(flags)}) {{{len(text)}+}}\r\n{text}", "OK [APPENDUID"
    )
    check(line.split()[4].rstrip("]") == str(uid), f"the UID is {uid}")


async def store(world: World, session: int, a: int, b: int) -> None:
    peer = await world.peer(session)
    chosen = world.choose(peer, a)
    if peer.box is None or not chosen:
        return
    change, flag = CHANGES[b % len(CHANGES)], FLAGS[b // 5 % len(FLAGS)]
    uids = [peer.view[at] for at in chosen]
    by_uid = b // 25 % 2
    numbers = ",".join(str(uid) if by_uid else str(at + 1) for at, uid in zip(chosen, uids, strict=True))
    status = "NO [READ-ONLY]"

    def known() -> None:
        for uid in uids:
            if "SILENT" in change and peer.writable and uid in peer.flags:
                peer.flags[uid] = changed_flags(peer.flags[uid], change, flag.lower())  # what a client does by itself

    if peer.writable:
        status = "OK"
        for uid in uids:
            message = peer.box.messages.get(uid)
            if message is None:
                continue
            peer.before[uid] = message.flags
            message.flags = changed_flags(message.flags, change, flag.lower())
    await world._command(peer, f"{'UID ' * by_uid}STORE {numbers} {change} ({flag})", status, after=known)
    peer.before = {}


async def expunge(world: World, session: int, a: int, b: int) -> None:
    """EXPUNGE, UID EXPUNGE or CLOSE."""
    peer = await world.peer(session)
    if peer.box is None:
        return
    box, uids = peer.box, None
    text = ("EXPUNGE", "UID EXPUNGE", "CLOSE")[b % 3]
    if b % 3 == 1:
        uids = [peer.view[at] for at in world.choose(peer, a)]
        if not uids:
            return
        text += " " + ",".join(map(str, uids))
    if peer.writable:
        for uid, message in list(box.messages.items()):
            if "\\deleted" in message.flags and (uids is None or uid in uids):
                del box.messages[uid]
    if b % 3 == 2:
        peer.select(None)
    await world._command(peer, text, "OK" if peer.writable or b % 3 == 2 else "NO [READ-ONLY]")


async def copy(world: World, session: int, a: int, b: int) -> None:
    """COPY and MOVE, by number and by UID, into the same mailbox too."""
    peer = await world.peer(session)
    chosen = world.choose(peer, a)
    if peer.box is None or not chosen:
        return
    target, moves, by_uid = world.box(b), b // 4 % 2, b // 8 % 2
    wanted = [peer.view[at] for at in chosen]
    numbers = ",".join(str(uid) if by_uid else str(at + 1) for at, uid in zip(chosen, wanted, strict=True))
    uids = [uid for uid in wanted if uid in peer.box.messages]
    text = f"{'UID ' * by_uid}{'MOVE' if moves else 'COPY'} {numbers} {target.name}"
    if moves and not peer.writable:
        await world._command(peer, text, "NO [READ-ONLY]")
        return
    if len(uids) < len(wanted) and not by_uid:
        await world._command(peer, text, "NO [EXPUNGEISSUED]")
        return
    new = [target.add(peer.box.messages[uid]) for uid in uids]
    for uid in uids:
        if moves:
            del peer.box.messages[uid]
    line = await world._command(peer, text, "OK")
    said = " ".join([*peer.lines, line])
    check(("[COPYUID" in said) == bool(new), "COPYUID comes with what was copied")
    if new:
        told = re.search(r"\[COPYUID \d+ (\S+) (\S+)\]", said)
        check(told is not None and numbers_of(told[1]) == uids and numbers_of(told[2]) == new, f"COPYUID {uids} {new}")


async def create(world: World, session: int, a: int, b: int) -> None:
    name = NAMES[a % len(NAMES)]
    exists = name in world.boxes
    if not exists:
        for level in (name.split("/")[0], name):
            world.boxes.setdefault(level, Box(level))
    await world._do(session, f"CREATE {name}", "NO [ALREADYEXISTS]" if exists else "OK")


async def delete(world: World, session: int, a: int, b: int) -> None:
    name = NAMES[a % len(NAMES)]
    if name == "INBOX":
        return
    peer = await world.peer(session)
    if name not in world.boxes:
        await world._command(peer, f"DELETE {name}", "NO [NONEXISTENT]")
    elif any(other.startswith(name + "/") for other in world.boxes):
        await world._command(peer, f"DELETE {name}", "NO [HASCHILDREN]")
    else:
        box = world.boxes.pop(name)
        own = peer.box is box
        if own:
            peer.select(None)
        await world._command(peer, f"DELETE {name}", "OK")
        check(any("[CLOSED]" in line for line in peer.lines) == own, "CLOSED is told of the own mailbox")


async def rename(world: World, session: int, a: int, b: int) -> None:
    old, new = NAMES[1 + a % 3], NAMES[1 + b % 3]
    if new.startswith(old + "/"):
        return
    text = f"RENAME {old} {new}"
    if old not in world.boxes:
        await world._do(session, text, "NO [NONEXISTENT]")
        return
    moved = {name: new + name[len(old) :] for name in world.boxes if name == old or name.startswith(old + "/")}
    if any(target in world.boxes for target in moved.values()):
        await world._do(session, text, "NO [ALREADYEXISTS]")
        return
    peer = await world.peer(session)
    boxes = {name: world.boxes.pop(name) for name in moved}
    if "/" in new:
        world.boxes.setdefault(new.split("/")[0], Box(new.split("/")[0]))
    for name, box in boxes.items():
        box.name = moved[name]
        world.boxes[box.name] = box
    await world._command(peer, text, "OK")


async def fetch(world: World, session: int, a: int, b: int) -> None:
    """All that there is to know; or some of it by number, which must not move numbers."""
    peer = await world.peer(session)
    if peer.box is None or not peer.view:
        return
    if b % 2:
        known = set(peer.view)
        await world._command(peer, "UID FETCH 1:* (FLAGS ENVELOPE)", "OK")
        check(peer.flags.keys() >= known & set(peer.box.messages), "FETCH of all gives all")
        return
    chosen = world.choose(peer, a)
    await world._command(peer, f"FETCH {chosen[0] + 1}:{chosen[-1] + 1} (UID FLAGS)", "OK")


async def search(world: World, session: int, a: int, b: int) -> None:
    """By flag; the numbers are those that the client knows."""
    peer = await world.peer(session)
    if peer.box is None:
        return
    flag, by_uid = FLAGS[a % len(FLAGS)], b % 2
    key = flag[1:].upper() if flag.startswith("\\") else f"KEYWORD {flag}"
    if b // 2 % 2:
        key = f"NOT {key}"
    box, view = peer.box, list(peer.view)
    expected = [
        uid if by_uid else at + 1
        for at, uid in enumerate(view)
        if uid in box.messages and (flag.lower() in box.messages[uid].flags) != bool(b // 2 % 2)
    ]
    if b // 4 % 2:
        await world._command(peer, f"{'UID ' * by_uid}SEARCH RETURN (ALL) {key}", "OK")
        told = [line.rpartition(" ALL ")[2] for line in peer.lines if "ESEARCH" in line and " ALL " in line]
        found = numbers_of(told[0]) if told else []
    else:
        await world._command(peer, f"{'UID ' * by_uid}SEARCH {key}", "OK")
        (told_line,) = [line for line in peer.lines if line.startswith("* SEARCH")]
        found = [int(number) for number in told_line.split()[2:]]
    check(found == expected, f"SEARCH finds {expected}")


async def status(world: World, session: int, a: int, b: int) -> None:
    box = world.box(a)
    peer = await world.peer(session)
    await world._command(peer, f"STATUS {box.name} (MESSAGES UIDNEXT UNSEEN DELETED)", "OK")
    unseen = sum("\\seen" not in message.flags for message in box.messages.values())
    deleted = sum("\\deleted" in message.flags for message in box.messages.values())
    line = f"* STATUS {box.name} (MESSAGES {len(box.messages)} UIDNEXT {box.next} UNSEEN {unseen} DELETED {deleted})"
    check(line in peer.lines, line)


async def idle(world: World, session: int, a: int, b: int) -> None:
    """Begin IDLE; it ends when the session has something else to do, or when all was told that happened."""
    peer = await world.peer(session)
    peer.tags += 1
    peer.idle = f"t{peer.tags}"
    world.story.append(f"{session}: IDLE")
    await peer.client.send(f"{peer.idle} IDLE\r\n".encode())
    while not (line := await peer.client.line()).startswith("+"):
        peer.hear(line, may_expunge=True)


async def wait(world: World, session: int, a: int, b: int) -> None:
    """What happened comes to those in IDLE without their asking."""
    peer = world.peers[session]
    if peer is None or not peer.idle or peer.box is None or world.boxes.get(peer.box.name) is not peer.box:
        return
    world.story.append(f"{session}: waits")
    box = peer.box
    while not peer.fits(list(box.messages)) or any(
        uid in box.messages and box.messages[uid].flags != known for uid, known in peer.flags.items()
    ):
        line = await peer.client.line()
        world.story.append(f"     {line}")
        check(line != "end", "the connection ended in IDLE")
        peer.hear(line, may_expunge=True)


async def reconnect(world: World, session: int, a: int, b: int) -> None:
    peer = world.peers[session]
    if peer is not None:
        await peer.client.close()
        world.peers[session] = None
        world.story.append(f"{session}: goes away")


async def leave_with_cache(world: World, session: int, a: int, b: int) -> None:
    """Learn all of a mailbox and go, to come again with QRESYNC."""
    peer = await world.peer(session)
    if peer.box is None:
        return
    box = peer.box
    await world._command(peer, "NOOP", "OK")
    if peer.view:
        await world._command(peer, "UID FETCH 1:* (FLAGS)", "OK")
    await world._command(peer, f"STATUS {box.name} (HIGHESTMODSEQ)", "OK")
    (modseq,) = [int(found[1]) for line in peer.lines if (found := re.search(r"\* STATUS .*HIGHESTMODSEQ (\d+)", line))]
    world.caches = [*world.caches[-5:], Cache(box, modseq, {uid: peer.flags[uid] for uid in box.messages})]
    await reconnect(world, session, a, b)


async def come_again(world: World, session: int, a: int, b: int) -> None:
    """SELECT with QRESYNC (RFC 7162): the cache becomes what is there."""
    caches = [cache for cache in world.caches if world.boxes.get(cache.box.name) is cache.box]
    if not caches:
        return
    cache = caches[a % len(caches)]
    await world._leave_idle(session)
    await reconnect(world, session, a, b)
    peer = await world.peer(session)
    await world._command(peer, "ENABLE QRESYNC", "OK")
    peer.select(cache.box)
    peer.flags = dict(cache.flags)
    known = f" 1:{max(cache.flags)}" if b % 2 and cache.flags else ""
    text = f"SELECT {cache.box.name} (QRESYNC ({cache.box.validity} {cache.modseq}{known}))"
    await world._command(peer, text, "OK [READ-WRITE]")
    check(set(peer.flags) <= set(cache.box.messages), "what is gone must be told")
    if not known:
        check(set(peer.flags) == set(cache.box.messages), "what is new must be told")


async def unselect(world: World, session: int, a: int, b: int) -> None:
    peer = await world.peer(session)
    if peer.box is not None:
        peer.select(None)
        await world._command(peer, "UNSELECT", "OK")


Action = Callable[[World, int, int, int], Awaitable[None]]
ACTIONS: Final[tuple[Action, ...]] = (
    select, append, store, expunge, copy, fetch, search, noop, idle, wait, status, create, delete, rename, reconnect,
    unselect, leave_with_cache, come_again, store, append, copy, expunge, noop, select, storm,
)  # fmt: skip
"""Some twice: what happens often."""


@contextlib.asynccontextmanager
async def world_in(folder: Path) -> AsyncIterator[World]:
    """A world with a server in `folder`."""
    with in_small_steps():
        async with trio.open_nursery() as nursery:
            world = World(folder, nursery)
            await world.start()
            yield world
            await world.stop()


async def restart(world: World) -> None:
    """Stop the server and start it on the same log: nothing that was told may be forgotten."""
    await world.stop()
    await world.start()
    world.story.append("the server restarts")


def random_steps(rng: random.Random, count: int) -> list[Step]:
    """Steps of a random sequence."""
    return [(rng.randrange(SESSIONS), rng.randrange(1000), rng.randrange(64), rng.randrange(64)) for _ in range(count)]
