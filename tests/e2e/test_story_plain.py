"""The story of mail to a server that offers no encryption: other words, and trust is in whoever answers there."""

from pathlib import Path

from trio.testing import MockClock

from tests.support.far_postfix import FarPostfix
from tests.support.others import unsigned_world
from tests.support.story import story, words_of
from tests.support.waiting import until

PAUL, BEN = "paul@plain.test", "ben@plain.test"


async def test_asked_in_other_words_and_sent_once(others: FarPostfix, clock: MockClock, tmp_path: Path) -> None:
    async with unsigned_world(others, tmp_path) as outside, story(tmp_path, clock, outside.world) as anna:
        number = await anna.write(PAUL)
        question = await anna.letter()
        words = words_of(question)
        assert "offers no encryption at all" in words and "postcard" in words and "certificate by which" in words
        assert (await anna.answer(question, "retry please"))["Subject"].startswith("Trying again:")
        await anna.tried(number, 2)
        assert anna.state(number) == "HELD_INSECURE"
        cancelled = await anna.answer(question, "Thanks. Cancel")
        assert anna.state(number) == "CANCELLED"
        await anna.answer(cancelled, "Undo that, please!")
        await anna.tried(number, 3)
        assert anna.state(number) == "HELD_INSECURE" and not others.mails(PAUL)
        await anna.answer(question, "send it anyway")
        await anna.delivered(number)
        await until(lambda: others.mails(PAUL), "the mail")
        (mail,) = others.mails(PAUL)
        assert b"with ESMTP id" in mail and b"using TLS" not in mail
        assert " without TLS: 250" in await anna.command("queue", "show", str(number))


async def test_trusted_and_not_any_more(others: FarPostfix, clock: MockClock, tmp_path: Path) -> None:
    before = len(others.mails(BEN))
    async with unsigned_world(others, tmp_path) as outside, story(tmp_path, clock, outside.world) as anna:
        await anna.write(BEN)
        done = await anna.answer(await anna.letter(), "Trust plain.test")
        assert "mail from this server to plain.test goes without encryption" in words_of(done)
        await until(lambda: len(others.mails(BEN)) == before + 1, "the mail that was asked about")
        (grant,) = await anna.grants()
        assert (grant["domain"], grant["host"]) == ("plain.test", None)
        assert "plain delivery" in await anna.command("whitelist", "tls", "list")
        await anna.write(BEN)
        await until(lambda: len(others.mails(BEN)) == before + 2, "mail without a question")
        assert anna.has_read_all

        undone = await anna.answer(done, "UNDO")
        assert "plain.test is not trusted any more" in words_of(undone) and "had left already" in words_of(undone)
        await anna.minute_passes()
        number = await anna.write(BEN)
        assert "offers no encryption at all" in words_of(await anna.letter())
        await anna.days_pass(3.1)
        await anna.letter()
        await anna.days_pass(3)
        assert (await anna.letter())["Subject"].startswith("Still not sent:")
        await anna.days_pass(1)
        words = words_of(await anna.letter())
        assert "no secure way to send it in time: plain.test's mail server offers no encryption at all" in words
        assert anna.state(number) == "FAILED" and anna.has_read_all
        assert len(others.mails(BEN)) == before + 2
