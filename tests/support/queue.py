"""Mail in the queue of a `TestStore`."""

from typing import Any

from crockery.actions.actor import Actor, the_server
from crockery.actions.incoming import received
from crockery.actions.mail import deliver
from crockery.actions.queue import Outgoing
from crockery.actions.store import Store
from crockery.projections.queue import QueuedMessage

MESSAGE = b"From: anna@example.test\r\nSubject: hello\r\nMessage-ID: <1@example.test>\r\n\r\nHello.\r\n"


def enqueue(store: Store, *recipients: str, actor: Actor | None = None, data: bytes = MESSAGE, **more: Any) -> int:
    """Queue a message; returns its number. `more` goes to `Outgoing`."""
    actor = actor or the_server()
    values: dict[str, Any] = {"reverse_path": "anna@example.test", "prefix": b"", **more}
    outgoing = Outgoing(actor.account, recipients=recipients, **values)
    deliver(store, actor, received(data), [], outgoing, via="submission", message_id="1@example.test")
    return store.log.head


def queued(store: Store, number: int) -> QueuedMessage:
    """The message, which must be waiting."""
    return store.state.queue.by_id[number]


def states(store: Store, number: int) -> dict[str, str]:
    """Recipient to state, also of a finished message."""
    message = store.state.queue.find(number)
    assert message is not None
    return {recipient.address: recipient.state.name for recipient in message.recipients}
