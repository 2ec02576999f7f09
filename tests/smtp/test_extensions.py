"""What MAIL and RCPT ask for becomes facts of the queue, or is refused in a sentence."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from crockery.actions.accounts import add_alias
from crockery.actions.settings import change_setting
from crockery.actions.store import Store
from crockery.limits import QUEUE_LIFETIME
from tests.support.smtp_session import Peer, Role, Served, smtp_server, the_server
from tests.support.store import messages

TEXT = b"From: anna@example.test\r\nSubject: x\r\n\r\nHello\r\n"
DAY = 86400


def queued(store: Store) -> list[Mapping[str, Any]]:
    return [store.log.read_facts(number) for number in store.state.queue.by_id]


async def submit(peer: Peer, mail: str = "", rcpt: str = "", to: str = "c@far.test", text: bytes = TEXT) -> str:
    """One message of anna's; the last reply."""
    for line in (f"MAIL FROM:<anna@example.test> {mail}", f"RCPT TO:<{to}> {rcpt}", "DATA"):
        (reply,) = await peer.ask(line)
        if reply[0] not in "23":
            await peer.ask("RSET")
            return reply
    await peer.send(text + b".\r\n")
    return await peer.last_line()


async def login(served: Served) -> Peer:
    """Anna's program, over TLS."""
    return await served.connect(Role.SUBMISSION, login="anna", tls=True)


async def test_everything_at_once(tmp_path: Path) -> None:
    async with smtp_server(tmp_path / "x.crk") as served:
        peer = await login(served)
        now = int(time.time())
        said = await submit(
            peer, "RET=FULL ENVID=a+2Bb HOLDFOR=600 BY=700;N", "NOTIFY=success,DELAY ORCPT=rfc822;carol@old.test"
        )
        assert said[:3] == "250"
        (facts,) = queued(served.store)
        assert (facts["ret"], facts["envid"]) == ("FULL", "a+b")
        assert facts["options"] == {"c@far.test": {"notify": ["SUCCESS", "DELAY"], "orcpt": "rfc822;carol@old.test"}}
        assert 0 <= facts["hold_until"] - now - 600 < 20
        assert facts["deliver_by"] - facts["hold_until"] == 100
        assert facts["hold"] == "for;600"
        assert facts["expires"] - facts["hold_until"] == QUEUE_LIFETIME
        assert "requiretls" not in facts and "tls_optional" not in facts


async def test_a_deadline_that_brings_it_back(tmp_path: Path) -> None:
    async with smtp_server(tmp_path / "x.crk") as served:
        assert (await submit(await login(served), "BY=3600;RT"))[:3] == "250"
        (facts,) = queued(served.store)
        assert "deliver_by" not in facts and facts["by_trace"]
        assert facts["return_by"] == facts["expires"]
        assert 0 <= facts["expires"] - int(time.time()) - 3590 <= 10


async def test_a_deadline_after_the_usual_time_changes_nothing_of_it(tmp_path: Path) -> None:
    async with smtp_server(tmp_path / "x.crk") as served:
        assert (await submit(await login(served), f"BY={30 * DAY};R"))[:3] == "250"
        (facts,) = queued(served.store)
        assert 0 <= int(time.time()) + QUEUE_LIFETIME - facts["expires"] <= 10
        assert facts["return_by"] > facts["expires"]


async def test_a_deadline_goes_on_with_a_forward(tmp_path: Path) -> None:
    async with smtp_server(tmp_path / "x.crk") as served:
        add_alias(served.store, the_server(), "out", ["c@far.test"])
        assert (await submit(await login(served), "BY=600;RT", to="out@example.test"))[:3] == "250"
        (facts,) = queued(served.store)
        assert facts["origin"] == "forward" and facts["by_trace"]
        assert 590 <= facts["return_by"] - int(time.time()) <= 600 and facts["expires"] == facts["return_by"]


@pytest.mark.parametrize("to", ["ben@example.test", "Postmaster", "c@far.test"])
async def test_a_held_mail_waits_for_all(tmp_path: Path, to: str) -> None:
    async with smtp_server(tmp_path / "x.crk") as served:
        until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 5 * DAY))
        assert (await submit(await login(served), f"HOLDUNTIL={until}", to=to))[:3] == "250"
        (facts,) = queued(served.store)
        assert facts["recipients"] == ["Postmaster@example.test" if to == "Postmaster" else to]
        assert messages(served.store, "ben") == messages(served.store, "postmaster") == []


@pytest.mark.parametrize(
    ("parameters", "reply"),
    [
        ("HOLDFOR=31622401", "501 5.5.4 A message can be held for 366 days at most"),
        ("HOLDUNTIL=2001-01-01T00:00:00Z", "501 5.5.4 The time until which the message should be held is over"),
        ("HOLDFOR=600 BY=600;N", "501 5.5.4 The message would have to be delivered before the time it is held until"),
        ("HOLDFOR=600 BY=60;R", "501 5.5.4 The message would have to be delivered before the time it is held until"),
    ],
)
async def test_times_that_cannot_be(tmp_path: Path, parameters: str, reply: str) -> None:
    async with smtp_server(tmp_path / "x.crk") as served:
        assert await submit(await login(served), parameters) == reply
        assert queued(served.store) == []


@pytest.mark.parametrize(
    ("header", "parameters", "facts"),
    [
        (b"", "REQUIRETLS RET=FULL", {"requiretls": True, "ret": "HDRS"}),
        (b"TLS-Required: No\r\n", "", {"tls_optional": True}),
        (b"tls-required:  NO \r\n", "", {"tls_optional": True}),
        (b"TLS-Required: Yes\r\n", "", {}),
        (b"TLS-Required: No\r\nTLS-Required: No\r\n", "", {}),
        (b"TLS-Required: No\r\n", "REQUIRETLS", {"requiretls": True, "ret": "HDRS"}),
    ],
)
async def test_tls_wanted_or_not(tmp_path: Path, header: bytes, parameters: str, facts: dict[str, Any]) -> None:
    async with smtp_server(tmp_path / "x.crk") as served:
        assert (await submit(await login(served), parameters, text=header + TEXT))[:3] == "250"
        (found,) = queued(served.store)
        assert {name: found[name] for name in ("requiretls", "tls_optional", "ret") if name in found} == facts


async def test_strangers_may_ask_for_receipts(tmp_path: Path) -> None:
    async with smtp_server(tmp_path / "x.crk") as served:
        peer = await served.connect()
        assert await peer.codes("EHLO x") == [250]
        lines = ("MAIL FROM:<c@far.test> ENVID=1 RET=HDRS", "RCPT TO:<ben@example.test> NOTIFY=SUCCESS", "DATA")
        assert await peer.codes(*lines) == [250, 250, 354]
        await peer.send(b"Subject: x\r\nTLS-Required: No\r\n\r\nHello\r\n.\r\n")
        assert (await peer.last_line())[:3] == "250"
        (facts,) = queued(served.store)
        assert (facts["origin"], facts["reverse_path"], facts["envid"]) == ("received", "c@far.test", "1")
        (message,) = served.store.state.queue.by_id.values()
        assert message.recipients[0].owed and message.recipients[0].is_final
        assert len(messages(served.store, "ben")) == 1


async def test_so_many_mails_a_day(tmp_path: Path) -> None:
    async with smtp_server(tmp_path / "x.crk") as served:
        change_setting(served.store, the_server(), "max-mails-per-day", 2)
        first, second = await login(served), await login(served)
        assert (await submit(first))[:3] == "250"
        # both sessions are in time with RCPT, one is not with its message
        for peer in (first, second):
            lines = ("MAIL FROM:<anna@example.test>", "RCPT TO:<c@far.test>", "DATA")
            assert await peer.codes(*lines) == [250, 250, 354]
        replies = []
        for peer in (first, second):
            await peer.send(TEXT + b".\r\n")
            replies.append(await peer.last_line())
        refusal = "450 4.7.1 You have sent 2 mails in 24 hours, all that this server allows: wait a while"
        assert replies[0][:3] == "250" and replies[1] == refusal
        assert await submit(first) == refusal
        assert (await submit(first, to="ben@example.test"))[:3] == "250"
        ben = await served.connect(Role.SUBMISSION, login="ben", tls=True)
        assert await ben.codes("MAIL FROM:<ben@example.test>", "RCPT TO:<c@far.test>") == [250, 250]


async def test_so_many_new_people_a_day(tmp_path: Path) -> None:
    async with smtp_server(tmp_path / "x.crk") as served:
        change_setting(served.store, the_server(), "max-new-recipients-per-day", 2)
        peer = await login(served)
        assert (await submit(peer, to="a@far.test"))[:3] == "250"
        refusal = (
            "450 4.7.1 You have written to 2 new recipients in 24 hours, all that this server allows: wait a while"
        )
        recipients = ("a@far.test", "A@FAR.test", "ben@example.test", "b@far.test", "b@FAR.test", "c@far.test")
        said = await peer.ask("MAIL FROM:<anna@example.test>", *(f"RCPT TO:<{to}>" for to in recipients))
        assert [line[:3] for line in said[:-1]] == ["250"] * 6 and said[-1] == refusal
        assert await peer.codes("DATA") == [354]
        await peer.send(TEXT + b".\r\n")
        assert (await peer.last_line())[:3] == "250"
        assert (await submit(peer, to="b@far.test"))[:3] == "250"
        assert await submit(peer, to="c@far.test") == refusal
