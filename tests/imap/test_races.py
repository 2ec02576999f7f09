"""Races of two sessions: one is stopped in the midst of a command, the other does something, then the first goes on.

Sequence numbers hold still during FETCH, STORE, SEARCH, SORT and THREAD, whatever happens; what is gone is passed over.
"""

import re
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import pytest
import trio

from crockery.actions.actor import the_server
from crockery.actions.incoming import received
from crockery.actions.mail import Delivery, deliver
from crockery.imap import output
from tests.support.dialog import Client, logged_in
from tests.support.imap_storm import in_small_steps
from tests.support.server import RunningServer, running_server
from tests.support.waiting import PATIENCE


@dataclass
class Gate:
    """Stops the first session that gives others a turn within a command, until it is opened."""

    reached: trio.Event = field(default_factory=trio.Event)
    opened: trio.Event = field(default_factory=trio.Event)
    armed: bool = False

    async def pause(self, out: output.Output) -> None:
        caller = sys._getframe(1).f_code.co_filename
        if not self.armed or caller.endswith("intake.py"):
            return
        self.armed = False
        self.reached.set()
        await self.opened.wait()


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[RunningServer]:
    with in_small_steps(), trio.fail_after(PATIENCE):
        async with running_server(tmp_path) as running:
            store = running.store
            account = store.state.accounts.by_name["anna"].id
            for name, count in (("INBOX", 6), ("Archive", 6), ("Trash", 2)):
                mailbox = store.state.mailboxes.find(account, name)
                assert mailbox is not None
                for number in range(count):
                    body = received(b"Subject: s%d\r\n\r\nword%d\r\n" % (9 - number, number))
                    deliver(store, the_server(), body, [Delivery(mailbox, b"")], via="server")
            yield running


async def say(client: Client, command: str) -> list[str]:
    """Say a command; what is answered, without the numbers that change from run to run."""
    await client.send(f"x {command}\r\n".encode())
    return await answer(client)


async def answer(client: Client) -> list[str]:
    lines = [await client.line()]
    while not lines[-1].startswith(("x ", "end")):
        lines.append(await client.line())
    return [re.sub(r"(MODSEQ|COPYUID|UIDVALIDITY) (\(?)\d+", r"\1 \2n", line) for line in lines]


class Race(NamedTuple):
    """What the first says, what the second does meanwhile, and what the first hears; then what NOOP tells it.

    `~` begins a regular expression.
    """

    first: str
    second: tuple[str, ...]
    hears: tuple[str, ...]
    then: tuple[str, ...]
    before: str = "SELECT INBOX"


REST = [f"* {n} FETCH (UID {n})" for n in (1, 2, 3, 4, 6)]
TAKEN_OUT = ("STORE 2,5 +FLAGS.SILENT (\\Deleted)", "EXPUNGE")
RACES = {
    "expunge during FETCH": Race(
        "FETCH 1:* UID",
        TAKEN_OUT,
        (*REST, "x OK [EXPUNGEISSUED] FETCH completed"),
        ("* 5 EXPUNGE", "* 2 EXPUNGE"),
    ),
    "expunge during UID FETCH": Race(
        "UID FETCH 1:* UID",
        TAKEN_OUT,
        (*REST, "* 5 EXPUNGE", "* 2 EXPUNGE", "x OK UID FETCH completed"),
        (),
    ),
    "expunge during FETCH of QRESYNC": Race(
        "FETCH 1:* UID",
        TAKEN_OUT,
        (*REST, "x OK [EXPUNGEISSUED] FETCH completed"),
        ("* VANISHED 2,5",),
        before="SELECT INBOX (QRESYNC (1 1))",
    ),
    "expunge during STORE": Race(
        "STORE 1:* +FLAGS (\\Flagged)",
        TAKEN_OUT,
        (
            "* 1 FETCH (FLAGS (\\Flagged))",
            "* 2 FETCH (FLAGS (\\Flagged))",
            "* 3 FETCH (FLAGS (\\Flagged))",
            "* 4 FETCH (FLAGS (\\Flagged))",
            "* 6 FETCH (FLAGS (\\Flagged))",
            "x OK [EXPUNGEISSUED] STORE completed",
        ),
        ("* 5 EXPUNGE", "* 2 EXPUNGE"),
    ),
    "a silent STORE hears of later changes after its OK": Race(
        "STORE 1:* +FLAGS.SILENT (\\Flagged)",
        ("STORE 1 -FLAGS.SILENT (\\Flagged)", "STORE 6 +FLAGS.SILENT (\\Answered)"),
        ("x OK STORE completed",),
        ("* 1 FETCH (FLAGS ())", "* 6 FETCH (FLAGS (\\Answered \\Flagged))"),
    ),
    "expunge during SEARCH": Race(
        "SEARCH BODY word",
        TAKEN_OUT,
        (r"~\* SEARCH 1( 2)? 3 4( 5)? 6", r"~x OK( \[EXPUNGEISSUED\])? SEARCH completed"),
        ("* 5 EXPUNGE", "* 2 EXPUNGE"),
    ),
    "MOVE into the mailbox that is searched": Race(
        "SEARCH BODY word",
        ("SELECT Trash", "MOVE 1:2 INBOX"),
        ("* SEARCH 1 2 3 4 5 6", "* 8 EXISTS", "* 2 RECENT", "x OK SEARCH completed"),
        (),
    ),
    "MOVE out of the mailbox that is searched": Race(
        "UID SEARCH BODY word",
        ("MOVE 4:6 Trash",),
        (r"~\* SEARCH 1 2 3( 4 5 6)?", "* 6 EXPUNGE", "* 5 EXPUNGE", "* 4 EXPUNGE", "x OK UID SEARCH completed"),
        (),
    ),
    "new mail during SORT": Race(
        "SORT (SUBJECT) UTF-8 BODY word",
        ("SELECT Trash", "COPY 1 INBOX"),
        ("* SORT 6 5 4 3 2 1", "* 7 EXISTS", "* 1 RECENT", "x OK SORT completed"),
        (),
    ),
    "rename of the selected mailbox": Race(
        "FETCH 1:* UID",
        ("RENAME Archive Cellar", "SELECT Cellar", *TAKEN_OUT),
        (*REST, "x OK [EXPUNGEISSUED] FETCH completed"),
        ("* 5 EXPUNGE", "* 2 EXPUNGE"),
        before="SELECT Archive",
    ),
    "delete of the selected mailbox": Race(
        "FETCH 1:* UID",
        ("DELETE Archive",),
        (*[f"* {n} FETCH (UID {n})" for n in range(1, 7)], "x OK FETCH completed"),
        ("* BYE The selected mailbox was deleted", "end"),
        before="SELECT Archive",
    ),
    "delete of a mailbox while others are searched": Race(
        "ESEARCH IN (mailboxes (INBOX Archive)) BODY word",
        ("DELETE Archive",),
        ('* ESEARCH (TAG "x" MAILBOX INBOX UIDVALIDITY n) UID ALL 1:6', "x OK ESEARCH completed"),
        (),
    ),
    "changes while what changed is told": Race(
        "SELECT INBOX (QRESYNC (VALIDITY 1))",
        ("UID STORE 6 +FLAGS.SILENT (\\Deleted)", "UID EXPUNGE 6", "UID STORE 1 +FLAGS.SILENT (later)"),
        (
            *[f"* {n} FETCH (UID {n} FLAGS () MODSEQ (n))" for n in (1, 2, 3, 4, 5)],
            "* VANISHED 6",
            "* 1 FETCH (UID 1 FLAGS (later) MODSEQ (n))",
            "x OK [READ-WRITE] SELECT completed",
        ),
        (),
        before="UNSELECT",
    ),
}


@pytest.mark.parametrize("race", RACES.values(), ids=RACES.keys())
async def test_race(server: RunningServer, race: Race, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = Gate()

    async def pause(out: output.Output) -> None:
        await gate.pause(out)

    first, second = await logged_in(server, "anna"), await logged_in(server, "anna")
    validity = ""
    for line in await say_raw(second, "SELECT INBOX"):
        if found := re.search(r"UIDVALIDITY (\d+)", line):
            validity = found[1]
    if "QRESYNC" in race.before + race.first:
        await say(first, "ENABLE QRESYNC")
    if race.before != "UNSELECT":
        await say(first, race.before)
    if "Archive" in race.before:
        await say(second, race.before)
    monkeypatch.setattr(output.Output, "pause", pause)
    gate.armed = True
    await first.send(f"x {race.first.replace('VALIDITY', validity)}\r\n".encode())
    await gate.reached.wait()
    for command in race.second:
        assert (await say(second, command))[-1].startswith("x OK"), command
    gate.opened.set()
    heard = await answer(first)
    if race.first.startswith("SELECT"):
        heard = [line for line in heard if re.match(r"\* (VANISHED|\d+ FETCH)|x ", line)]
    assert len(heard) == len(race.hears), heard
    for line, expected in zip(heard, race.hears, strict=True):
        assert re.fullmatch(expected[1:] if expected.startswith("~") else re.escape(expected), line), line
    assert tuple(line for line in await say(first, "NOOP") if not line.startswith("x OK")) == race.then
    await first.close()
    await second.close()


async def say_raw(client: Client, command: str) -> list[str]:
    """As `say`, numbers and all."""
    await client.send(f"x {command}\r\n".encode())
    lines = [await client.line()]
    while not lines[-1].startswith("x "):
        lines.append(await client.line())
    return lines
