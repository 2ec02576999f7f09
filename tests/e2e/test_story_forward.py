"""The story of mail that only passes through: Anna has hers forwarded to a server with a wrong certificate. She is
asked, and not the stranger who wrote.
"""

import smtplib
from pathlib import Path

import trio
from trio.testing import MockClock

from tests.support.far_postfix import FarPostfix
from tests.support.others import SHADY, unsigned_world
from tests.support.story import story, words_of
from tests.support.waiting import PATIENCE, until

STRANGER = "carol@good.test"
MAIL = f"From: {STRANGER}\r\nTo: anna@example.test\r\nSubject: Invitation\r\nMessage-ID: <9@good.test>\r\n"


async def test_who_set_the_forward_is_asked(others: FarPostfix, clock: MockClock, tmp_path: Path) -> None:
    others.show("shady.test", SHADY)
    async with unsigned_world(others, tmp_path) as outside, story(tmp_path, clock, outside.world) as anna:
        await anna.command("account", "forward", "anna", "anna@shady.test")

        def come_in() -> None:
            with smtplib.SMTP("127.0.0.1", anna.here.ports["smtp"], timeout=PATIENCE) as client:
                client.sendmail(STRANGER, ["anna@example.test"], f"{MAIL}TLS-Required: No\r\n\r\nCome at eight.\r\n")

        await trio.to_thread.run_sync(come_in)
        assert (await anna.letter())["Subject"] == "Invitation"
        question = await anna.letter()
        words = words_of(question)
        assert f'The message "Invitation" from {STRANGER} has not been sent to anna@shady.test yet' in words
        assert "It came in here, and is to be forwarded there" in words
        assert question["In-Reply-To"] == "<9@good.test>" and not others.mails("anna@shady.test")
        await anna.answer(question, "Please send it anyway")
        await until(lambda: others.mails("anna@shady.test"), "the forward")
        (mail,) = others.mails("anna@shady.test")
        assert mail.startswith(b"Return-Path: <SRS0=") and b"Come at eight." in mail
        assert anna.has_read_all and not others.mails(STRANGER)
