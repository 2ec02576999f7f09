"""A log is copied while mail waits in it, and the copy is started: it sends nothing and asks nothing until told to.

The original has gone on meanwhile, and for all that the copy knows it has sent everything.
"""

import contextlib
import json
from collections.abc import AsyncIterator
from email.message import EmailMessage
from pathlib import Path

import pytest
from trio.testing import MockClock

from tests.support.far_postfix import FarPostfix
from tests.support.others import unsigned_world
from tests.support.story import Person, story, words_of
from tests.support.waiting import until

WAITING = HELD, LATE, LATER = "eva@shady.test", "eva@good.test", "fred@good.test"


@contextlib.asynccontextmanager
async def copied(others: FarPostfix, clock: MockClock, folder: Path) -> AsyncIterator[tuple[EmailMessage, Person]]:
    """The question that she was asked, and Anna on a copy of her server's log, made while three mails waited in it: one
    was asked about, one has met a server that was down, and one is to leave tomorrow."""
    for name in ("before", "after"):
        (folder / name).mkdir()
    async with unsigned_world(others, folder) as outside:
        reachable = outside.dns.records
        outside.dns.records = {**reachable, ("mx.good.test", "A"): ["127.0.0.250"]}
        async with story(folder / "before", clock, outside.world) as anna:
            await anna.write(HELD)
            question = await anna.letter()
            await anna.tried(await anna.write(LATE))
            await anna.write(LATER, options=["HOLDFOR=86400"])
            await anna.command("backup", str(folder / "after" / "test.crk"))
        outside.dns.records = reachable
        async with story(folder / "after", clock, outside.world) as restored:
            restored.skip()
            yield question, restored


async def test_nothing_leaves_a_copy_until_told(others: FarPostfix, clock: MockClock, tmp_path: Path) -> None:
    async with copied(others, clock, tmp_path) as (question, anna):
        held, late, later = anna.here.store.state.queue.by_id
        number = await anna.write("gina@good.test")  # new mail is nobody else's
        await anna.delivered(number)
        for days in (3.5, 3, 1.5):
            await anna.days_pass(days)
            assert anna.has_read_all
        answered = await anna.answer(question, "send")
        assert answered["Subject"].startswith("Not now:") and "please answer again" in words_of(answered)
        with pytest.raises(AssertionError, match="stands still, since this log is a copy"):
            await anna.command("queue", "retry", str(late))
        assert "3 of them stand still" in await anna.command("status")
        assert "3 messages from before this log was copied stand still" in await anna.command("queue", "list")
        assert "it waits for a word: this log is a copy" in await anna.command("queue", "show", str(later))
        assert anna.has_read_all and not any(map(others.mails, WAITING))

        assert await anna.command("queue", "release", "send") == "3 messages are sent now.\n"
        await until(lambda: others.mails(LATE) and others.mails(LATER), "what stood still")
        assert [len(others.mails(address)) for address in WAITING] == [0, 1, 1]
        assert "for 8 days now" in words_of(await anna.letter())
        await anna.days_pass(1)
        assert (await anna.letter())["Subject"].startswith("Not delivered:")
        assert anna.state(held) == "FAILED" and anna.has_read_all


async def test_what_a_copy_drops_is_gone(others: FarPostfix, clock: MockClock, tmp_path: Path) -> None:
    before = [len(others.mails(address)) for address in WAITING]
    async with copied(others, clock, tmp_path) as (_, anna):
        owner = Person(anna.here, clock, "postmaster")
        words = words_of(await owner.letter())
        assert "3 messages were waiting to be sent when the copy was made" in words
        assert "crockery queue release send" in words and "crockery queue release drop" in words
        said = await anna.command("queue", "release", "drop")
        assert said == "3 messages are dropped; who wrote them is not told.\n"
        await anna.days_pass(8)
        assert [len(others.mails(address)) for address in WAITING] == before
        assert anna.has_read_all and owner.has_read_all
        assert json.loads(await anna.command("queue", "list", "--json"))["items"] == []


async def test_a_server_that_starts_again_is_no_copy(others: FarPostfix, clock: MockClock, tmp_path: Path) -> None:
    async with unsigned_world(others, tmp_path) as outside:
        async with story(tmp_path, clock, outside.world) as anna:
            number = await anna.write("henry@shady.test")
            question = await anna.letter()
        async with story(tmp_path, clock, outside.world) as anna:
            anna.skip()
            await anna.days_pass(0.5)
            await anna.answer(question, "send")
            await until(lambda: others.mails("henry@shady.test"), "the mail")
            await anna.delivered(number)
