"""Wakes sessions when something durable happened to a mailbox.

A listener of the writer: what is told here is on disk.
"""

from collections.abc import Callable, Sequence

import trio

from crockery.events.log import Appended
from crockery.events.types.accounts import ACCOUNT_REMOVED
from crockery.events.writer import Writer
from crockery.projections.state import State


class Changes:
    """Who waits for what. Tell `mailbox.position` that you have rendered, as `after`."""

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
        while not self._has_news(mailbox, after):
            woken = trio.Event()
            self._waiting.setdefault(mailbox, set()).add(woken)
            try:
                await woken.wait()
            finally:
                self._forget(mailbox, woken)

    def _has_news(self, number: int, after: int) -> bool:
        mailbox = self._state.mailboxes.by_id.get(number)
        return mailbox is None or self._is_news(number, mailbox.position, after)

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
        for number in touched:
            for woken in self._waiting.get(number, ()):
                woken.set()

    def _forget(self, number: int, woken: trio.Event) -> None:
        waiting = self._waiting.get(number)
        if waiting is not None:
            waiting.discard(woken)
            if not waiting:
                del self._waiting[number]
