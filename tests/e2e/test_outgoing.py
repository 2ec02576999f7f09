"""Mail from one Crockery to another over real sockets: DNS asked, TLS verified, DKIM signed, or held."""

import contextlib
import re
import smtplib
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import dkim
import pytest
import trio

from crockery.actions.actor import the_server
from crockery.actions.queue import reschedule_recipients
from crockery.app.outgoing import World
from crockery.delivery.tls.certificates import Roots
from crockery.message.compose import Mailbox as Person
from crockery.message.dsn import Notice, render_dsn
from crockery.message.dsn_status import Action, RecipientStatus
from crockery.projections.queue import Recipient
from crockery.trust.dkim import split_strings
from tests.support.commands import crockery
from tests.support.dns_server import scripted_dns
from tests.support.queue import MESSAGE, enqueue
from tests.support.server import RunningServer, running_server, test_ca
from tests.support.waiting import PATIENCE, until


@contextlib.asynccontextmanager
async def two_servers(tmp_path: Path, *, trusted: bool = True) -> AsyncIterator[tuple[RunningServer, RunningServer]]:
    """Ours, and that of there.test; `trusted`: its CA is known to us."""
    (tmp_path / "there").mkdir()
    (tmp_path / "here").mkdir()
    records = {("there.test", "MX"): ["10 mail.there.test."], ("mail.there.test", "A"): ["127.0.0.1"]}
    with trio.fail_after(PATIENCE):
        async with (
            scripted_dns(records) as dns,
            running_server(tmp_path / "there", domain="there.test") as there,
        ):
            roots = Roots.of([_der(test_ca().cert_pem.bytes())] if trusted else [])
            world = World(
                f"127.0.0.1:{dns.server.port}", there.ports["smtp"], roots, there.client_context, validate=False
            )
            async with running_server(tmp_path / "here", world=world) as here:
                yield here, there


def _der(pem: bytes) -> bytes:
    return ssl.PEM_cert_to_DER_cert(pem.decode())


def recipient(server: RunningServer, number: int) -> Recipient:
    message = server.store.state.queue.find(number)
    assert message is not None
    return message.recipients[0]


def tallied(server: RunningServer) -> dict[tuple[str, str], tuple[int, dict[str, int]]]:
    """What is kept for TLS-RPT: policy -> good sessions, and bad ones by result type."""
    found = [item for day in server.store.state.tls_tallies.days.values() for item in day.tallies.items()]
    return {
        (key.domain, key.kind): (tally.successes, {failure.result: count for failure, count in tally.failures.items()})
        for key, tally in found
    }


async def test_verified_tls_and_two_signatures(tmp_path: Path) -> None:
    async with two_servers(tmp_path) as (here, there):
        number = enqueue(here.store, "ben@there.test")
        await until(lambda: there.inbox("ben"))
        (arrived,) = there.inbox("ben")
        await until(lambda: not here.store.state.queue.by_id)
        (attempt,) = recipient(here, number).story
        assert attempt.place.tls is not None
        assert (attempt.place.tls["verified"], attempt.place.tls["version"]) == ("certificate", "TLSv1.3")
        assert attempt.place.host == "mail.there.test"
        assert b"with ESMTPS" in arrived
        assert tallied(here) == {("there.test", "no-policy-found"): (1, {})}
        keys = here.store.state.signing.of_domain("example.test")
        records = {f"{key.selector}._domainkey.example.test.".encode(): key.record.encode() for key in keys}
        assert len(records) == 2 and all(len(split_strings(key.record)) < 3 for key in keys)
        sent = arrived[arrived.index(b"DKIM-Signature") :]
        for index in range(2):
            assert dkim.DKIM(sent).verify(index, dnsfunc=lambda name, timeout=5: records.get(name))


async def test_held_and_let_go(tmp_path: Path) -> None:
    async with two_servers(tmp_path, trusted=False) as (here, there):
        number = enqueue(here.store, "ben@there.test")
        await until(lambda: recipient(here, number).attempts)
        held = recipient(here, number)
        assert held.state.name == "HELD_INSECURE"
        assert held.problem is not None
        assert (held.problem["kind"], held.problem["host"]) == ("certificate", "mail.there.test")
        assert "mail.there.test" in held.problem["names"]
        assert not there.inbox("ben")
        assert tallied(here) == {("there.test", "no-policy-found"): (0, {"certificate-not-trusted": 1})}
        reschedule_recipients(here.store, the_server(), number, insecure=True)
        await until(lambda: there.inbox("ben"))


async def test_no_such_domain(tmp_path: Path) -> None:
    async with two_servers(tmp_path) as (here, _):
        number = enqueue(here.store, "ben@nowhere.test", options={"ben@nowhere.test": {"notify": ["NEVER"]}})
        await until(lambda: recipient(here, number).is_final)
        assert recipient(here, number).story[0].text == "The domain does not exist"


async def test_an_answer_by_submission_and_forged_ones(tmp_path: Path) -> None:
    async with two_servers(tmp_path, trusted=False) as (here, there):

        def send(recipient: str, text: str, account: str = "anna") -> None:
            with smtplib.SMTP("127.0.0.1", here.ports["submission"], timeout=PATIENCE) as client:
                client.login(account, "secret")
                mail = f"From: {account}@example.test\r\nTo: {recipient}\r\nSubject: hi\r\n\r\n{text}\r\n"
                client.sendmail(f"{account}@example.test", [recipient], mail)

        def forge(recipient: str, sender: str = "x@there.test", author: str = "x@there.test") -> int:
            with smtplib.SMTP("127.0.0.1", here.ports["smtp"], timeout=PATIENCE) as client:
                try:
                    client.sendmail(sender, [recipient], f"From: {author}\r\n\r\nsend\r\n")
                except smtplib.SMTPRecipientsRefused as error:
                    return error.recipients[recipient][0]
                except smtplib.SMTPResponseException as error:
                    return error.smtp_code
            return 250

        await trio.to_thread.run_sync(send, "ben@there.test", "Hello Ben")
        await until(lambda: here.inbox("anna"))
        (question,) = here.inbox("anna")
        found = re.search(rb"<(crockery\+[a-z2-7]{26}@example.test)>", question)
        assert found is not None
        token = found[1].decode()
        run = trio.to_thread.run_sync
        assert await run(forge, token) == 550
        assert await run(forge, "crockery@example.test") == 550
        assert await run(forge, "anna@example.test", "crockery@example.test") == 550
        assert await run(forge, "anna@example.test", "x@there.test", "Crockery <crockery@example.test>") == 550
        for recipient, account in (
            (token, "ben"),
            ("crockery@example.test", "anna"),
            (f"{token[:-15]}7@example.test", "anna"),
        ):
            with pytest.raises(smtplib.SMTPRecipientsRefused):
                await run(send, recipient, "send", account)
        assert not there.inbox("ben")
        await run(send, token, "Yes, send it please")
        await until(lambda: there.inbox("ben"))
        assert b"Subject: Sending" in here.inbox("anna")[1]
        assert len(here.inbox("anna")) == 2


async def test_their_server_says_later_that_it_failed(tmp_path: Path) -> None:
    async with two_servers(tmp_path) as (here, there):
        number = enqueue(here.store, "ben@there.test")
        await until(lambda: there.inbox("ben"))
        await until(lambda: not here.store.state.queue.by_id)
        status = RecipientStatus("ben@there.test", Action.FAILED, "5.2.2", remote_reply="552 5.2.2 mailbox full")
        notice = render_dsn(
            Notice(
                Person("postmaster@there.test", ""), "anna@example.test", 1, "<n@there.test>", "mail.there.test", 1, "",
                MESSAGE, False, [status],
            )
        )  # fmt: skip

        def bounce() -> None:
            with smtplib.SMTP("127.0.0.1", here.ports["smtp"], timeout=PATIENCE) as client:
                client.sendmail("", ["anna@example.test"], notice)

        await trio.to_thread.run_sync(bounce)
        shown = await trio.to_thread.run_sync(lambda: crockery("queue", "show", str(number), log=here.path))
        assert shown.code == 0 and "ben@there.test: delivered" in shown.out
        assert "their server mail.there.test later said: it could not be delivered: 552 5.2.2 mailbox full" in shown.out
        listed = await trio.to_thread.run_sync(lambda: crockery("queue", "list", "--finished", "--json", log=here.path))
        assert [item["number"] for item in listed.json["items"]] == [number]
        tallies = await trio.to_thread.run_sync(lambda: crockery("queue", "tallies", log=here.path))
        assert "there.test  none       1    0" in tallies.out
