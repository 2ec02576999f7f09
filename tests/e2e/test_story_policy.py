"""The story of mail that the recipients' domain itself forbids: DANE records of another key, and MTA-STS policies that
the certificate or the server's name breaks. She is warned, and never offered to trust.
"""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from trio.testing import MockClock

from crockery.app.outgoing import World
from tests.support.dns_server import SignedDNS
from tests.support.far_postfix import FarPostfix
from tests.support.others import unsigned_world, validating_world
from tests.support.story import story, text_of, words_of
from tests.support.waiting import until


@contextlib.asynccontextmanager
async def _world(others: FarPostfix, zone: SignedDNS, domain: str, folder: Path) -> AsyncIterator[World]:
    if domain.endswith(".signed.test"):
        yield validating_world(others, zone)
        return
    async with unsigned_world(others, folder) as unsigned:
        unsigned.publish("self.sts.test", "enforce", "mx.self.sts.test", max_age=10 * 86_400)
        unsigned.publish("unnamed.sts.test", "enforce", "*.mail.sts.test", max_age=10 * 86_400)
        yield unsigned.world


@pytest.mark.parametrize(
    ("domain", "rule", "breach"),
    [
        ("other.signed.test", "a rule (DANE)", "shows a certificate that does not fit this rule"),
        ("self.sts.test", "(MTA-STS)", "shows a certificate that does not fit this rule"),
        ("unnamed.sts.test", "(MTA-STS)", "is none of those that the rule names"),
    ],
)
async def test_warned_and_never_trusted(
    others: FarPostfix, zone: SignedDNS, clock: MockClock, tmp_path: Path, domain: str, rule: str, breach: str
) -> None:
    ben = f"ben@{domain}"
    async with _world(others, zone, domain, tmp_path) as world, story(tmp_path, clock, world) as anna:
        number = await anna.write(ben)
        question = await anna.letter()
        words = words_of(question)
        assert rule in words and breach in words and "pretends to be its mail server" in words
        assert "  send " in text_of(question) and "trust" not in words.lower()
        again = await anna.answer(question, f"trust {domain}")
        assert again["Subject"].startswith("Please say it again:") and not await anna.grants()
        await anna.answer(question, "try again")
        await anna.tried(number, 2)
        assert anna.state(number) == "HELD_INSECURE" and not others.mails(ben)
        done = await anna.answer(question, "OK, cancel.")
        assert anna.state(number) == "CANCELLED"
        await anna.answer(done, "undo")
        await anna.tried(number, 3)
        assert (await anna.answer(question, "Send it anyway, please"))["Subject"].startswith("Sending:")
        await until(lambda: others.mails(ben), "the mail")
        assert b"using TLSv1.3" in others.mails(ben)[0]
        assert anna.has_read_all


async def test_given_up(others: FarPostfix, zone: SignedDNS, clock: MockClock, tmp_path: Path) -> None:
    async with _world(others, zone, "unnamed.sts.test", tmp_path) as world, story(tmp_path, clock, world) as anna:
        number = await anna.write("anton@unnamed.sts.test")
        await anna.letter()
        for days, opening in ((3.1, "Still not sent:"), (3, "Still not sent:"), (1, "Not delivered:")):
            await anna.days_pass(days)
            letter = await anna.letter()
            assert letter["Subject"].startswith(opening)
        words = words_of(letter)
        assert "breaks the rule that unnamed.sts.test itself has published (MTA-STS)" in words
        assert "What you can try: ask someone at unnamed.sts.test, by telephone" in words
        assert anna.state(number) == "FAILED" and not others.mails("anton@unnamed.sts.test")
