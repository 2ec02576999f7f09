"""Wakes sessions when something durable happened to a mailbox, or to an account's list of mailboxes.

A listener of the writer: what is told here is on disk. Ids of mailboxes and accounts are numbers of events, so one map
serves both.
"""

from collections.abc import Callable, Iterable, Sequence

import trio

from crockery.events.log import Appended
from crockery.events.types.accounts import ACCOUNT_REMOVED
from crockery.events.types.mail import MAILBOX_CREATED
from crockery.events.writer import Writer
from crockery.projections.state import State


class Changes:
    """Who waits for what. Tell `mailbox.position` (or the account's) that you have rendered, as `after`."""

    def __init__(self, state: State, writer: Writer) -> None:
        self._state = state
        self._log = writer.log
        self._changed: dict[int, int] = {}
        """mailbox or account -> the last durable event that touched it, since the server started."""
        self._waiting: dict[int, set[trio.Event]] = {}
        self._listeners: dict[int, set[Callable[[Appended], None]]] = {}
        writer.listeners.append(self._on_durable)

    def listen(self, account: int, listener: Callable[[Appended], None]) -> Callable[[], None]:
        """Call `listener` with each durable event of the account's mailboxes and of what all accounts see.

        It must be quick and raise nothing. Returns a function that ends it; harmless when repeated.
        """
        self._listeners.setdefault(account, set()).add(listener)

        def stop() -> None:
            listeners = self._listeners.get(account, set())
            listeners.discard(listener)
            if not listeners:
                self._listeners.pop(account, None)

        return stop

    def _tell_listeners(self, batch: Sequence[Appended]) -> None:
        by_id = self._state.mailboxes.by_id
        for event in batch:
            facts = event.facts
            account = facts.get("account")
            if account is None:
                mailbox = by_id.get(facts.get("mailbox", 0))
                if mailbox is None:
                    continue
                account = mailbox.account
            chosen = [account] if account else list(self._listeners)
            for number in chosen:
                for listener in self._listeners.get(number, ()):
                    listener(event)

    async def wait_mailbox(self, mailbox: int, after: int) -> None:
        """Return once a durable event later than `after` touched the mailbox, or the mailbox is gone."""
        await self._wait((mailbox,), 0, after)

    async def wait_any(self, mailboxes: Iterable[int], account: int, after: int) -> None:
        """As `wait_mailbox` for any of them, or the account's list of mailboxes and subscriptions."""
        await self._wait(tuple(mailboxes), account, after)

    async def _wait(self, mailboxes: Sequence[int], account: int, after: int) -> None:
        ids = (*mailboxes, account) if account else mailboxes
        while not self._has_news(mailboxes, account, after):
            woken = trio.Event()
            for number in ids:
                self._waiting.setdefault(number, set()).add(woken)
            try:
                await woken.wait()
            finally:
                for number in ids:
                    self._forget(number, woken)

    def _has_news(self, mailboxes: Sequence[int], account: int, after: int) -> bool:
        if account and self._is_news(account, self._state.mailboxes.accounts_position.get(account, 0), after):
            return True
        by_id = self._state.mailboxes.by_id
        for number in mailboxes:
            mailbox = by_id.get(number)
            if mailbox is None or self._is_news(number, mailbox.position, after):
                return True
        return False

    def _is_news(self, number: int, position: int, after: int) -> bool:
        # Under constant change the position is never durable: what counts then is that an earlier one is.
        return self._changed.get(number, 0) > after or after < position <= self._log.durable

    def _on_durable(self, batch: Sequence[Appended]) -> None:
        if self._listeners:
            self._tell_listeners(batch)
        touched: set[int] = set()
        for event in batch:
            facts = event.facts
            number = facts.get("mailbox")
            if number is not None:
                self._changed[number] = event.sequence
                touched.add(number)
            if event.type.code == ACCOUNT_REMOVED.code:
                touched.update(self._waiting)  # its mailboxes are known no more: let everybody look
            elif "account" in facts and event.type.code >= MAILBOX_CREATED.code:
                self._changed[facts["account"]] = event.sequence
                touched.add(facts["account"])
        for number in touched:
            for woken in self._waiting.get(number, ()):
                woken.set()

    def _forget(self, number: int, woken: trio.Event) -> None:
        waiting = self._waiting.get(number)
        if waiting is not None:
            waiting.discard(woken)
            if not waiting:
                del self._waiting[number]
