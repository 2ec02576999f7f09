"""Tells the owner by mail that the smart host takes no mail: once, and once a day for as long as it goes on."""

import logging
import secrets
from collections.abc import Sequence
from typing import Final

import trio

from crockery.actions.actor import the_server
from crockery.actions.incoming import received
from crockery.actions.mail import Delivery, add_delivery
from crockery.actions.smart_host import add_told
from crockery.actions.store import Store
from crockery.assistant.facts import Addressing
from crockery.assistant.post import compose_letter
from crockery.assistant.smart_host_letter import smart_host_letter
from crockery.events.errors import LogFull
from crockery.events.log import Appended
from crockery.events.types.queue import RECIPIENTS_ATTEMPTED
from crockery.events.writer import Writer
from crockery.limits import SMART_HOST_TOLD_AGAIN
from crockery.message.compose import Mailbox

logger: Final = logging.getLogger(__name__)

POSTMASTER: Final = "postmaster"


class SmartHostWatch:
    """One task; a listener of the writer."""

    def __init__(self, store: Store, writer: Writer) -> None:
        self._store = store
        self._wake = trio.Event()
        self._wake.set()
        writer.listeners.append(self._on_durable)

    def _on_durable(self, batch: Sequence[Appended]) -> None:
        if any(event.type is RECIPIENTS_ATTEMPTED for event in batch) and self._store.state.smart_host.trouble:
            self._wake.set()

    async def run(self) -> None:
        """Watch, until cancelled."""
        while True:
            await self._wake.wait()
            self._wake = trio.Event()
            try:
                self._look()
            except LogFull as error:
                logger.error("the postmaster is not told that the smart host takes no mail: %s", error)

    def _look(self) -> None:
        """The mail and that it was sent, in one atom."""
        store, found = self._store, self._store.state.smart_host
        smart, trouble = found.current, found.trouble
        if smart is None or trouble is None or store.now < found.told // 1_000_000 + SMART_HOST_TOLD_AGAIN:
            return
        domain = store.state.settings.domain
        atom = store.atom(the_server())
        letter = smart_host_letter(smart, trouble, len(store.state.queue.by_id))
        message_id = f"{secrets.token_hex(16)}@{domain}"
        to = Mailbox(f"{POSTMASTER}@{domain}")
        data = compose_letter(letter, Addressing(to, domain, store.now, f"<{message_id}>"), None, is_reply=False)
        deliveries = []
        for account in store.state.accounts.recipients(POSTMASTER):
            inbox = store.state.mailboxes.find(account.id, "INBOX")
            if inbox is not None:
                deliveries.append(Delivery(inbox, b"Return-Path: <>\r\n"))
        number = atom.next
        add_delivery(store, atom, received(data), deliveries, via="server", message_id=message_id)
        add_told(atom, trouble.why, number if deliveries else 0)
        atom.commit()
