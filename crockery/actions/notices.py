"""Telling senders: a notice and the word that it was made, in one atom, so that it is never made twice or forgotten."""

from collections.abc import Sequence

from crockery.actions.actor import the_server
from crockery.actions.incoming import received
from crockery.actions.mail import Delivery, add_delivery
from crockery.actions.queue import Outgoing, released_by_notice
from crockery.actions.store import Store
from crockery.events.types.queue import NOTICE_MADE
from crockery.projections.queue import QueuedMessage


def make_notice(
    store: Store,
    message: QueuedMessage,
    kind: str,
    recipients: Sequence[str],
    notice: bytes = b"",
    message_id: str = "",
    deliveries: Sequence[Delivery] = (),
    outgoing: Outgoing | None = None,
) -> None:
    """Tell the sender of a message about recipients; `kind` as in NoticeMade. Nowhere to go: it is only noted.

    `message_id` without brackets. Raises LogFull, Refused: then nothing happened.
    """
    atom = store.atom(the_server())
    number = 0
    if deliveries or outgoing is not None:
        number = atom.next
        body = received(notice)
        add_delivery(store, atom, body, deliveries, outgoing, via="server", message_id=message_id)
    facts = {
        "message": message.id,
        "kind": kind,
        "recipients": list(recipients),
        "notice": number,
        "orphaned": released_by_notice(message, recipients) if kind == "final" else b"",
    }
    atom.add(NOTICE_MADE, facts)
    atom.commit()
