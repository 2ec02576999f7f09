"""Tells accounts by mail that they are nearly full: at 80, 95 and 100 %, each once until usage has fallen below it.

That mail was refused for want of room counts as 100 %, until there is room for as much.
"""

import logging
import secrets
from collections.abc import Sequence
from typing import Final

import trio

from crockery import limits
from crockery.actions.actor import the_server
from crockery.actions.incoming import received
from crockery.actions.mail import Delivery, add_delivery
from crockery.actions.quota import add_told, note_told
from crockery.actions.store import Store
from crockery.assistant.facts import Addressing
from crockery.assistant.post import compose_letter
from crockery.assistant.quota_letter import quota_letter
from crockery.events.errors import LogFull
from crockery.events.log import Appended
from crockery.events.writer import Writer
from crockery.message.compose import Mailbox
from crockery.projections.accounts import Account
from crockery.projections.quota import FULL, Quota, fullness, has_room, quota_of, step_of, usage_of

logger: Final = logging.getLogger(__name__)


class QuotaWatch:
    """One task; looks at the accounts whose mailboxes changed, some seconds after they did."""

    def __init__(self, store: Store, writer: Writer) -> None:
        self._store = store
        self._changed: set[int] = set(store.state.accounts.by_id)
        self._refused: dict[int, int] = {}
        """Octets of a mail that an account had no room for, since it was looked at."""
        self._wake = trio.Event()
        self._wake.set()
        writer.listeners.append(self._on_durable)
        store.refused.append(self._on_refused)

    def _on_durable(self, batch: Sequence[Appended]) -> None:
        by_id = self._store.state.mailboxes.by_id
        for event in batch:
            number = event.facts.get("mailbox")
            mailbox = by_id.get(number) if isinstance(number, int) else None
            account = event.facts.get("account", 0) if mailbox is None else mailbox.account
            if account:
                self._changed.add(account)
        if self._changed:
            self._wake.set()

    def _on_refused(self, account: int, octets: int) -> None:
        self._refused[account] = octets
        self._changed.add(account)
        self._wake.set()

    async def run(self) -> None:
        """Watch, until cancelled."""
        while True:
            await self._wake.wait()
            self._wake = trio.Event()
            changed, self._changed = self._changed, set()
            for account in changed:
                self._look(account)
                await trio.lowlevel.checkpoint()
            await trio.sleep(limits.QUOTA_LOOK)

    def _look(self, number: int) -> None:
        account = self._store.state.accounts.by_id.get(number)
        if account is None:
            return
        step = step_of(fullness(self._store.state, number))
        lacking = self._refused.pop(number, 0) or account.quota_lacking
        if lacking and not has_room(self._store.state, number, Quota(lacking, 1)):
            step = FULL
        else:
            lacking = 0
        try:
            if step > account.quota_told:
                self._tell(account, step, lacking)
            elif step < account.quota_told:
                note_told(self._store, number, step)
        except LogFull as error:
            logger.error("%s is not told that its quota is nearly used up: %s", account.name, error)

    def _tell(self, account: Account, step: int, lacking: int) -> None:
        """The mail and that it was sent, in one atom. It comes in however full the account is."""
        store = self._store
        inbox = store.state.mailboxes.find(account.id, "INBOX")
        if inbox is None:
            return
        domain = store.state.settings.domain
        message_id = f"{secrets.token_hex(16)}@{domain}"
        to = Mailbox(f"{account.name}@{domain}")
        letter = quota_letter(step, usage_of(store.state, account.id), quota_of(store.state, account.id), lacking)
        data = compose_letter(letter, Addressing(to, domain, store.now, f"<{message_id}>"), None, is_reply=False)
        atom = store.atom(the_server())
        prefix = b"Return-Path: <>\r\n"
        add_delivery(store, atom, received(data), [Delivery(inbox, prefix)], via="server", message_id=message_id)
        add_told(atom, account.id, step, lacking)
        atom.commit()
