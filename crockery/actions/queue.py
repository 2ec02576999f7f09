"""Actions on mail that waits to be sent."""

from collections.abc import Sequence

import numpy as np

from crockery.actions.actor import Actor
from crockery.actions.errors import Reason, Refused
from crockery.actions.store import Store
from crockery.events.ranges import pack_numbers
from crockery.events.types.queue import RECIPIENTS_CANCELLED
from crockery.projections.queue import QueuedMessage


def cancel_recipients(
    store: Store, actor: Actor, message: int, recipients: Sequence[str] = (), *, cmd: str = ""
) -> list[str]:
    """Take recipients of a queued message back (all, if none is named); returns them. Raises Refused.

    A message that nobody is to get any more leaves the queue; its body is erased after the retention time.
    """
    queued = existing_queued(store, message)
    wanted = {recipient.casefold() for recipient in recipients}
    unknown = wanted - {recipient.casefold() for recipient in queued.recipients}
    if unknown:
        raise Refused(Reason.NONEXISTENT, f"message {message} is not on its way to {min(unknown)}")
    gone = [recipient for recipient in queued.recipients if not wanted or recipient.casefold() in wanted]
    orphaned = [message] if len(gone) == len(queued.recipients) else []
    atom = store.atom(actor)
    facts: dict[str, object] = {
        "by": atom.by,
        "message": message,
        "recipients": gone,
        "orphaned": pack_numbers(np.array(orphaned, dtype=np.uint64)),
    }
    if cmd:
        facts["cmd"] = cmd
    atom.add(RECIPIENTS_CANCELLED, facts)
    atom.commit()
    return gone


def existing_queued(store: Store, message: int) -> QueuedMessage:
    """The queued message with that number; raises Refused (NONEXISTENT)."""
    queued = store.state.queue.by_id.get(message)
    if queued is None:
        raise Refused(Reason.NONEXISTENT, f"there is no message {message} in the queue")
    return queued
