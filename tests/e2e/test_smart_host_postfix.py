"""All outgoing mail by a real submission server: Debian's Postfix, whose logins Dovecot checks."""

import contextlib
import functools
import ssl
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import trio

from crockery.actions.actor import the_server
from crockery.actions.smart_host import set_smart_host
from crockery.app.outgoing import World
from crockery.delivery.tls.certificates import Roots
from crockery.projections.queue import Recipient
from tests.support.certificates import DAY, make
from tests.support.dns_server import scripted_dns
from tests.support.far_postfix import FarPostfix
from tests.support.queue import enqueue
from tests.support.sasl_postfix import PASSWORD, USER, sasl_postfix
from tests.support.server import RunningServer, running_server
from tests.support.waiting import PATIENCE, until

NOW = int(time.time())
make_now = functools.partial(make, begin=NOW - DAY, end=NOW + DAY)
ROOT = make_now(ca=True, common_name="Root")


@pytest.fixture(scope="module")
def relay() -> Iterator[FarPostfix]:
    with sasl_postfix(make_now("mx.relay.test", signer=ROOT), make_now("mx.implicit.test", signer=ROOT)) as running:
        yield running


@contextlib.asynccontextmanager
async def ours(relay: FarPostfix, folder: Path) -> AsyncIterator[RunningServer]:
    records = {(f"mx.{domain}", "A"): [address] for domain, address in relay.addresses.items()}
    with trio.fail_after(PATIENCE):
        async with scripted_dns(records) as dns:
            world = World(
                f"127.0.0.1:{dns.server.port}", 1, Roots.of([ROOT.der]), ssl.create_default_context(), validate=False
            )
            async with running_server(folder, world=world) as here:
                yield here


def recipient(here: RunningServer, number: int) -> Recipient:
    message = here.store.state.queue.find(number)
    assert message is not None
    return message.recipients[0]


@pytest.mark.parametrize(("host", "tls"), [("mx.implicit.test", "implicit"), ("mx.relay.test", "starttls")])
async def test_mail_goes_by_it(relay: FarPostfix, tmp_path: Path, host: str, tls: str) -> None:
    async with ours(relay, tmp_path) as here:
        set_smart_host(here.store, the_server(), host, relay.port, tls, USER, PASSWORD)
        number = enqueue(here.store, f"{tls}@relay.test")
        await until(lambda: recipient(here, number).is_final)
        (attempt,) = recipient(here, number).story
        assert attempt.result in ("relayed", "delivered") and attempt.place.host == host
        await until(lambda: relay.mails(f"{tls}@relay.test"))
        assert b"\nDKIM-Signature:" in relay.mails(f"{tls}@relay.test")[0]


async def test_a_wrong_password(relay: FarPostfix, tmp_path: Path) -> None:
    async with ours(relay, tmp_path) as here:
        set_smart_host(here.store, the_server(), "mx.relay.test", relay.port, "starttls", USER, "not-this-one")
        number = enqueue(here.store, "late@relay.test")
        await until(lambda: recipient(here, number).attempts)
        (attempt,) = recipient(here, number).story
        assert (attempt.result, attempt.code, attempt.why) == ("deferred", 535, "login")
        await until(lambda: here.store.state.smart_host.told)
        set_smart_host(here.store, the_server(), "mx.relay.test", relay.port, "starttls", USER, PASSWORD)
        await until(lambda: relay.mails("late@relay.test"))


async def test_without_a_login(relay: FarPostfix, tmp_path: Path) -> None:
    async with ours(relay, tmp_path) as here:
        set_smart_host(here.store, the_server(), "mx.relay.test", relay.port, "starttls")
        never = {"notify": ["NEVER"]}
        number = enqueue(here.store, "none@relay.test", options={"none@relay.test": never})
        await until(lambda: recipient(here, number).attempts)
        (attempt,) = recipient(here, number).story
        assert attempt.code == 554 and "denied" in attempt.text  # Postfix has no word of its own for it
