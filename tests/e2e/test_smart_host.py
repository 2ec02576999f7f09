"""All outgoing mail by a smart host, over real sockets: another Crockery that knows us as one of its accounts."""

import contextlib
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio

from crockery.actions.actor import the_server
from crockery.actions.queue import Terms, reschedule_recipients
from crockery.actions.settings import change_setting
from crockery.actions.smart_host import set_smart_host, unset_smart_host
from crockery.app.outgoing import World
from crockery.delivery.tls.certificates import Roots
from crockery.projections.queue import QueuedMessage
from crockery.web.control.stories import tell
from tests.support.dns_server import scripted_dns
from tests.support.queue import enqueue
from tests.support.server import RunningServer, running_server, test_ca
from tests.support.waiting import PATIENCE, until


class Two:
    """Ours, and its smart host, mail.relay.test, where anna may send as anna@example.test too."""

    def __init__(self, here: RunningServer, relay: RunningServer) -> None:
        self.here = here
        self.relay = relay

    def use(self, tls: str = "implicit", password: str = "secret", user: str = "anna", **more: str) -> None:
        port = self.relay.ports["submissions" if tls == "implicit" else "submission"]
        set_smart_host(self.here.store, the_server(), more.get("host", "mail.relay.test"), port, tls, user, password)

    def message(self, number: int) -> QueuedMessage:
        found = self.here.store.state.queue.find(number)
        assert found is not None
        return found

    def story(self, number: int) -> str:
        message = self.message(number)
        told = tell(message, message.recipients[0], self.here.store.now, stands_still=False)
        return "\n".join(told["story"])


@contextlib.asynccontextmanager
async def by_smart_host(tmp_path: Path, *, trusted: bool = True) -> AsyncIterator[Two]:
    for name in ("relay", "here"):
        (tmp_path / name).mkdir()
    records = {
        (name, "A"): ["127.0.0.1"] for name in ("mail.relay.test", "other.relay.test", "mail.elsewhere.test")
    }  # fmt: skip
    with trio.fail_after(PATIENCE):
        async with scripted_dns(records) as dns, running_server(tmp_path / "relay", domain="relay.test") as relay:
            change_setting(relay.store, the_server(), "old-domains", "example.test")
            roots = Roots.of([ssl.PEM_cert_to_DER_cert(test_ca().cert_pem.bytes().decode())] if trusted else [])
            world = World(f"127.0.0.1:{dns.server.port}", 1, roots, relay.client_context, validate=False)
            async with running_server(tmp_path / "here", world=world) as here:
                yield Two(here, relay)


@pytest.mark.parametrize("tls", ["implicit", "starttls"])
async def test_mail_for_all_domains_goes_by_it_in_one_transaction(tmp_path: Path, tls: str) -> None:
    async with by_smart_host(tmp_path) as two:
        two.use(tls)
        number = enqueue(two.here.store, "ben@relay.test", "x@elsewhere.test", "y@else.test")
        await until(lambda: two.message(number).is_finished)
        (arrived,) = two.relay.inbox("ben")
        assert b"with ESMTPSA" in arrived and b"From: anna@example.test" in arrived
        assert {r.state.name for r in two.message(number).recipients} == {"DELIVERED"}
        assert len({id(r.story[0]) for r in two.message(number).recipients}) == 1  # one attempt for all
        assert two.here.store.state.smart_host.trouble is None
        queued = [m for m in two.relay.store.state.queue.by_id.values() if m.account]
        assert [{r.address for r in message.recipients} for message in queued] == [{"x@elsewhere.test", "y@else.test"}]
        assert "the smart host, its certificate valid for its name" in two.story(number)
        assert b"secret" not in b"".join(two.here.inbox("postmaster"))


async def test_a_wrong_password_is_told_to_the_postmaster_once_and_mail_stays(tmp_path: Path) -> None:
    async with by_smart_host(tmp_path) as two:
        two.use(password="not-this-one")
        number = enqueue(two.here.store, "ben@relay.test")
        await until(lambda: two.here.inbox("postmaster"))
        await until(lambda: two.message(number).recipients[0].attempts)
        (attempt,) = two.message(number).recipients[0].story
        assert (attempt.result, attempt.code, attempt.why) == ("deferred", 535, "login")
        assert two.message(number).recipients[0].state.name == "DUE"
        letter = two.here.inbox("postmaster")[0].decode()
        assert "Subject: Outgoing mail waits: mail.relay.test does not accept the login" in letter
        assert "crockery smart-host mail.relay.test --port" in letter and "not-this-one" not in letter
        trouble = two.here.store.state.smart_host.trouble
        assert trouble is not None and "535" in trouble.text
        reschedule_recipients(two.here.store, the_server(), number)
        await until(lambda: two.message(number).recipients[0].attempts == 2)
        two.use()  # the right one: what waits is sent at once
        await until(lambda: two.relay.inbox("ben"))
        await until(lambda: two.message(number).is_finished)
        assert len(two.here.inbox("postmaster")) == 1
        assert two.here.store.state.smart_host.trouble is None


@pytest.mark.parametrize("tls", ["implicit", "starttls"])
@pytest.mark.parametrize(
    ("trusted", "host", "says"),
    [
        (False, "mail.relay.test", "signed by nobody who is known"),
        (True, "other.relay.test", "its certificate is for another name"),
    ],
)
async def test_no_password_over_unverified_tls_whatever_the_sender_allows(
    tmp_path: Path, tls: str, trusted: bool, host: str, says: str
) -> None:
    async with by_smart_host(tmp_path, trusted=trusted) as two:
        two.use(tls, host=host)
        number = enqueue(two.here.store, "ben@relay.test", terms=Terms(tls_optional=True))
        await until(lambda: two.message(number).recipients[0].attempts)
        (attempt,) = two.message(number).recipients[0].story
        assert (attempt.result, attempt.why) == ("deferred", "smart-host-tls") and says in attempt.text
        reschedule_recipients(two.here.store, the_server(), number, insecure=True)
        await until(lambda: two.message(number).recipients[0].attempts == 2)
        await until(lambda: two.here.inbox("postmaster"))
        assert b"there is no secure way" in two.here.inbox("postmaster")[0]
        assert not two.relay.inbox("ben")


async def test_without_a_login_where_one_is_wanted(tmp_path: Path) -> None:
    async with by_smart_host(tmp_path) as two:
        two.use(user="", password="")
        number = enqueue(two.here.store, "ben@relay.test")
        await until(lambda: two.here.inbox("postmaster"))
        (attempt,) = two.message(number).recipients[0].story
        assert (attempt.result, attempt.code, attempt.why) == ("deferred", 530, "login")
        assert b"it wants a user name and a" in two.here.inbox("postmaster")[0]


async def test_requiretls_and_going_without_it_again(tmp_path: Path) -> None:
    async with by_smart_host(tmp_path) as two:
        two.use()
        number = enqueue(two.here.store, "ben@relay.test", terms=Terms(requiretls=True))
        await until(lambda: two.relay.inbox("ben"))
        await until(lambda: two.message(number).is_finished)
        unset_smart_host(two.here.store, the_server())
        never = {"notify": ["NEVER"]}
        number = enqueue(two.here.store, "ben@nowhere.test", options={"ben@nowhere.test": never})
        await until(lambda: two.message(number).recipients[0].is_final)
        assert two.message(number).recipients[0].story[0].text == "The domain does not exist"
