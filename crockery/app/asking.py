"""The task of the conversation: wakes `assistant.conversation.Asking` when something was held, or a reminder is due."""

import logging
from collections.abc import Sequence
from typing import Final

import trio

from crockery.actions.store import Store
from crockery.assistant.conversation import Asking
from crockery.events.errors import LogFull
from crockery.events.log import Appended
from crockery.events.writer import Writer
from crockery.limits import QUEUE_FULL_RETRY, QUEUE_LOOK

logger: Final = logging.getLogger(__name__)


class AskingTask:
    """One task; a listener of the writer."""

    def __init__(self, store: Store, writer: Writer) -> None:
        self._store = store
        self._asking = Asking(store)
        self._wake = trio.Event()
        writer.listeners.append(self.on_durable)

    def on_durable(self, batch: Sequence[Appended]) -> None:
        """A listener of the writer."""
        if self._asking.note(batch):
            self._wake.set()

    async def run(self) -> None:
        """Ask until cancelled. Raises LogFailed."""
        while True:
            self._wake = trio.Event()
            try:
                self._asking.work()
            except LogFull as error:
                logger.error("nobody is asked anything for a while: %s", error)
                await trio.sleep(QUEUE_FULL_RETRY)
            due = self._asking.next_time
            pause = QUEUE_LOOK if due is None else due - self._store.clock() / 1e6
            with trio.move_on_after(min(max(pause, 0.0), QUEUE_LOOK)):
                await self._wake.wait()
