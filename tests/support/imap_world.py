"""The world of the model: its mailboxes, its clients with what they believe, and the server they talk to.

`World.command` says a command and compares: the reply is the one foreseen, and each client's picture is the mailbox.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import trio

from tests.support.dialog import logged_in
from tests.support.imap_lines import NUMBER_CODE, Box, Peer, check
from tests.support.server import RunningServer, running_server

SESSIONS: Final = 3
NAMES: Final = ("INBOX", "A", "B", "A/C")
FLAGS: Final = ("\\Seen", "\\Deleted", "\\Flagged", "work", "later")
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
                await self.do(0, f"DELETE {name}", "OK")
                del self.boxes[name]
        peer = await self._selected(0, self.boxes["INBOX"])
        peer.box.messages.clear() if peer.box else None
        await self.command(peer, "STORE 1:* +FLAGS.SILENT (\\Deleted)", None, tells=False)
        await self.command(peer, "CLOSE", None, tells=False)
        peer.select(None)
        self.story = []

    # One command.

    async def peer(self, session: int) -> Peer:
        """The session's client, connected and not in IDLE."""
        await self.leave_idle(session)
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
            await self.open(peer, box, writable=True)
        return peer

    async def open(self, peer: Peer, box: Box, *, writable: bool) -> None:
        """SELECT or EXAMINE."""
        peer.select(box, writable=writable)
        verb = "SELECT" if writable else "EXAMINE"
        await self.command(peer, f"{verb} {box.name}", "OK [READ-WRITE]" if writable else "OK [READ-ONLY]")
        codes: dict[str, str] = {found[1]: found[2] for line in peer.lines if (found := NUMBER_CODE.search(line))}
        check(int(codes["UIDNEXT"]) == box.next, f"UIDNEXT is {box.next}")
        if not box.validity:
            box.validity = int(codes["UIDVALIDITY"])
            check((box.name, box.validity) not in self.validities, "UIDVALIDITY came again")
            self.validities.add((box.name, box.validity))
        check(int(codes["UIDVALIDITY"]) == box.validity, f"UIDVALIDITY was {box.validity}")

    async def do(self, session: int, text: str, status: str) -> str:
        """The same by the session's number."""
        return await self.command(await self.peer(session), text, status)

    async def command(
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

    async def leave_idle(self, session: int) -> None:
        """DONE, if the session is in IDLE."""
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
