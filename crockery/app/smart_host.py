"""Tells the owner by mail that the smart host takes no mail: once, and once a day for as long as it goes on."""

import logging
from collections.abc import Sequence
from typing import Final

import trio

from crockery.actions.actor import the_server
from crockery.actions.smart_host import add_told
from crockery.actions.store import Store
from crockery.app.postmaster import add_letter_to_postmaster
from crockery.assistant.smart_host_letter import smart_host_letter
from crockery.events.errors import LogFull
from crockery.events.log import Appended
from crockery.events.types.queue import RECIPIENTS_ATTEMPTED
from crockery.events.writer import Writer
from crockery.limits import SMART_HOST_TOLD_AGAIN

logger: Final = logging.getLogger(__name__)


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
        atom = store.atom(the_server())
        letter = smart_host_letter(smart, trouble, len(store.state.queue.by_id))
        add_told(atom, trouble.why, add_letter_to_postmaster(store, atom, letter))
        atom.commit()
