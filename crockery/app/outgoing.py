"""Mail on its way out, put together: resolver, dialer, signer, scheduler, notices, the conversation."""

import logging
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import trio

from crockery.actions.actor import the_server
from crockery.actions.signing import NewDKIMKey, add_dkim_keys
from crockery.actions.store import Store
from crockery.app.asking import AskingTask
from crockery.app.smart_host import SmartHostWatch
from crockery.assistant.conversation import why_given_up
from crockery.delivery.routes import Ourselves
from crockery.delivery.sending.dial import NetDialer, Outside
from crockery.delivery.sending.notices import Notices
from crockery.delivery.sending.scheduler import Scheduler
from crockery.delivery.sending.smart_host import SmartHostDialer
from crockery.delivery.signing.keys import Signer
from crockery.delivery.signing.task import SigningTask
from crockery.delivery.tls.certificates import Roots
from crockery.domain.dkim_keys import generate_keys
from crockery.events.errors import LogFull
from crockery.events.writer import Writer
from crockery.message.dates import render_date
from crockery.net import https
from crockery.net.clock import ClockWatch
from crockery.net.resolver import parse_server
from crockery.net.resolver.resolver import open_resolver
from crockery.net.resolver.unbound import ROOT_ANCHORS
from crockery.net.tls_client import unverified_context
from crockery.trust.dkim import load_key, render_record

logger: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class World:
    """Where outgoing mail goes; tests have a world of their own."""

    resolver: str = ""
    """ADDRESS[:PORT] of the one DNS server to ask; "": those of the system."""
    port: int = 25
    roots: Roots | None = None
    """Whose certificates count; None: the system's CAs."""
    https_context: ssl.SSLContext | None = None
    https_port: int = 443
    allow_private: bool = False
    """MTA-STS policies may come from private addresses."""
    anchors: Sequence[str] = ROOT_ANCHORS
    """DNSSEC trust anchors, as DS records."""
    validate: bool = True


class OutgoingMail:
    """All tasks that send mail."""

    def __init__(self, store: Store, writer: Writer, clock: ClockWatch, world: World, stopping: trio.Event) -> None:
        self._store = store
        self._writer = writer
        self._clock = clock
        self._world = world
        self._stopping = stopping

    async def run(self) -> None:
        """Send until the server stops; what is in hand is finished. Raises LogFailed."""
        await self._ensure_keys()
        world = self._world
        servers = (parse_server(world.resolver),) if world.resolver else ()
        async with open_resolver(servers, anchors=world.anchors, validate=world.validate) as resolver:
            roots, context = world.roots, world.https_context
            if roots is None:
                roots = await trio.to_thread.run_sync(Roots.of_system)
            if context is None:
                context = await trio.to_thread.run_sync(ssl.create_default_context)
            outside = Outside(
                resolver=resolver,
                context=unverified_context(),
                roots=roots,
                fetch=partial(
                    https.get, resolver=resolver, context=context, port=world.https_port,
                    allow_private=world.allow_private,
                ),
                ourselves=self._ourselves,
                port=world.port,
            )  # fmt: skip
            sign = SigningTask(Signer(self._store))
            scheduler = Scheduler(
                self._store,
                self._writer,
                SmartHostDialer(self._store, outside, NetDialer(self._store, outside)),
                self._stopping,
                sign=sign,
                is_clock_proven=lambda: self._clock.is_proven,
            )
            notices = Notices(
                self._store,
                self._writer,
                scheduler.agenda.is_claimed,
                is_clock_proven=lambda: self._clock.is_proven,
                explain=partial(why_given_up, self._store),
            )
            async with trio.open_nursery() as nursery:
                nursery.start_soon(sign.run)
                nursery.start_soon(notices.run)
                nursery.start_soon(AskingTask(self._store, self._writer).run)
                nursery.start_soon(SmartHostWatch(self._store, self._writer).run)
                await scheduler.run()
                nursery.cancel_scope.cancel()

    def _ourselves(self) -> Ourselves:
        return Ourselves(frozenset((self._store.state.settings.hostname.lower(),)), loopback=self._world.port == 25)

    async def _ensure_keys(self) -> None:
        domain = self._store.state.settings.domain
        if domain and not self._store.state.signing.of_domain(domain):
            keys = await trio.to_thread.run_sync(new_keys, self._store.now)
            try:
                add_dkim_keys(self._store, the_server(), domain, *keys)
            except LogFull as error:
                logger.error("no DKIM keys: %s", error)


def new_keys(now: int) -> list[NewDKIMKey]:
    """Fresh DKIM keys, their selectors after the month; takes some tenth of a second."""
    date = render_date(now).decode().split()
    stamp = f"{date[3]}{date[2].lower()}"
    return [NewDKIMKey(key.selector, key.private, render_record(load_key(key.private))) for key in generate_keys(stamp)]
