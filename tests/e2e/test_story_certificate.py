"""The whole story of mail to a server whose certificate is for another name: she is asked, answers in every way, trusts
it; its key changes; and at last mail is given up. Postfix is that server, smtplib and imaplib are her mail program.
"""

import re
from email.message import EmailMessage
from pathlib import Path

from trio.testing import MockClock

from tests.support.far_postfix import FarPostfix
from tests.support.others import SHADY, certificate, unsigned_world
from tests.support.story import Person, address_of, story, text_of, words_of
from tests.support.waiting import until

PAUL, RUTH, BEN = "paul@shady.test", "ruth@shady.test", "ben@shady.test"


async def test_the_question(others: FarPostfix, clock: MockClock, tmp_path: Path) -> None:
    others.show("shady.test", SHADY)
    async with unsigned_world(others, tmp_path) as outside, story(tmp_path, clock, outside.world) as anna:
        number = await anna.write(PAUL, subject="Monday's minutes", fields=[("References", "<0@shady.test>")])
        question = await anna.letter()
        assert anna.state(number) == "HELD_INSECURE" and not others.mails(PAUL)
        assert question["Return-Path"] == "<>"
        assert question["Auto-Submitted"] == "auto-generated"
        assert question["From"] == "Crockery <crockery@example.test>"
        assert question["To"] == "anna@example.test"
        assert question["Subject"] == "Not sent yet: Monday's minutes"
        assert question["In-Reply-To"] == "<letter1@example.test>"
        assert question["References"] == "<0@shady.test> <letter1@example.test>"
        assert re.fullmatch(r"crockery\+[a-z2-7]{26}@example\.test", address_of(question["Reply-To"]))
        words = words_of(question)
        assert "shady.test's mail server shows a certificate for another name" in words
        assert "made out to mx.hoster.test" in words and "someone on the way could be reading this" in words
        for choice in ("cancel", "retry", "send", "trust shady.test"):
            assert f"\n  {choice} " in text_of(question)
        html = question.get_body(("html",))
        assert html is not None
        markup = html.get_content()
        assert "<b>" in markup and "shady.test&#x27;s mail server shows a certificate" in markup
        assert f'href="mailto:{address_of(question["Reply-To"])}?' in markup


async def test_every_answer(others: FarPostfix, clock: MockClock, tmp_path: Path) -> None:
    others.show("shady.test", SHADY)
    async with unsigned_world(others, tmp_path) as outside, story(tmp_path, clock, outside.world) as anna:
        number = await anna.write(RUTH, subject="One mail, every answer")
        question = await anna.letter()
        await _not_understood(anna, number, question)
        done = await anna.answer(question, "Hello Crockery,\n\ncancel it please.\n\nRegards\nAnna")
        assert done["Subject"].startswith("Cancelled:") and anna.state(number) == "CANCELLED"
        assert "it was taken back" in await anna.command("queue", "show", str(number))
        done = await anna.answer(done, "UNDO")
        assert done["Subject"].startswith("Undone:") and "held again" in words_of(done)
        await anna.tried(number, 2)
        done = await anna.answer(question, "Could you try again, please?")
        assert done["Subject"].startswith("Please say it again:")
        done = await anna.answer(question, "Retry!")
        assert done["Subject"].startswith("Trying again:")
        await anna.tried(number, 3)
        assert anna.state(number) == "HELD_INSECURE" and not others.mails(RUTH)
        done = await anna.answer(question, "Yes please, just send it.\n\nAnna")
        assert done["Subject"].startswith("Sending:")
        await anna.delivered(number)
        await until(lambda: others.mails(RUTH), "the mail")
        (arrived,) = others.mails(RUTH)
        assert b"using TLSv1.3" in arrived and b"this is letter 1." in arrived
        told = await anna.command("queue", "show", str(number))
        assert "nothing vouches for its certificate" in told and "it took the message" in told
        assert (await anna.answer(done, "undo"))["Subject"].startswith("Too late:")
        assert not await anna.grants() and anna.has_read_all


async def _not_understood(anna: Person, number: int, question: EmailMessage) -> None:
    for text in ("Don't send!", "send me the bill", "Who are you?"):
        again = await anna.answer(question, text)
        assert again["Subject"].startswith("Please say it again:")
        assert f'what you mean by "{text}"' in words_of(again)
        assert anna.state(number) == "HELD_INSECURE"


async def test_trusted_changed_and_given_up(others: FarPostfix, clock: MockClock, tmp_path: Path) -> None:
    others.show("shady.test", SHADY)
    before = len(others.mails(BEN))
    async with unsigned_world(others, tmp_path) as outside, story(tmp_path, clock, outside.world) as anna:
        await _trust(anna)
        await until(lambda: len(others.mails(BEN)) == before + 1, "the mail that was asked about")
        await anna.minute_passes()
        others.show("shady.test", certificate("mx.hoster.test", SHADY.key))  # renewed, with the same key
        number = await anna.write(BEN)
        await anna.delivered(number)
        await until(lambda: len(others.mails(BEN)) == before + 2, "mail to a trusted server")
        assert "it has the key that was trusted" in await anna.command("queue", "show", str(number))
        assert anna.has_read_all

        await anna.minute_passes()
        others.show("shady.test", certificate("mx.hoster.test"))
        await _trust_again(anna)
        await until(lambda: len(others.mails(BEN)) == before + 3, "the mail with the new key")

        await anna.minute_passes()
        others.show("shady.test", SHADY)  # the first key again, which is trusted no more
        number = await anna.write(BEN)
        changed = await anna.letter()
        assert "Now there is another key" in words_of(changed)
        await _silence(anna, number)
        assert len(others.mails(BEN)) == before + 3
        assert "1 grant for shady.test taken back" in await anna.command("whitelist", "tls", "remove", "shady.test")
        await anna.write(BEN)
        assert "made out to mx.hoster.test" in words_of(await anna.letter())


async def _trust(anna: Person) -> None:
    number = await anna.write(BEN)
    done = await anna.answer(await anna.letter(), "Thanks, you can trust shady.test.")
    assert done["Subject"].startswith("Sending:")
    assert "knows shady.test's mail server (mx.shady.test) by the key that it has now" in words_of(done)
    (grant,) = await anna.grants()
    assert (grant["domain"], grant["host"], grant["account"]) == ("shady.test", "mx.shady.test", "anna")
    await anna.delivered(number)


async def _trust_again(anna: Person) -> None:
    """The key is another one: she is asked, and says yes."""
    (old,) = await anna.grants()
    await anna.write(BEN)
    question = await anna.letter()
    words = words_of(question)
    assert "Now there is another key" in words and "Crockery was told to trust shady.test's mail server" in words
    fingerprint = " ".join(old["key"][start : start + 4] for start in range(0, 32, 4))
    assert f"trusted until now:\n    {fingerprint}" in text_of(question).replace("\r\n", "\n")
    await anna.answer(question, "trust shady.test")
    (new,) = await anna.grants()
    assert new["key"] != old["key"]


async def _silence(anna: Person, number: int) -> None:
    """She says nothing: two reminders, then the failure notice."""
    await anna.days_pass(2.9)
    assert anna.has_read_all
    for day in (3, 6):
        await anna.days_pass(0.2 if day == 3 else 3)
        reminder = await anna.letter()
        assert reminder["Subject"].startswith("Still not sent:")
        assert f"for {day} days now" in words_of(reminder)
    assert anna.state(number) == "HELD_INSECURE"
    await anna.days_pass(1)
    notice = await anna.letter()
    assert notice["Return-Path"] == "<>" and notice.get_content_type() == "multipart/report"
    assert notice["Subject"].startswith("Not delivered:")
    words = words_of(notice)
    assert "no secure way to send it in time: shady.test's mail server shows another key than the one that was" in words
    assert "send the message again, and answer the question" in words
    assert anna.state(number) == "FAILED" and anna.has_read_all
