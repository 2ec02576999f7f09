"""The resource `queue`: mail that waits to go elsewhere."""

from typing import Final

from crockery.actions.queue import cancel_recipients, existing_queued
from crockery.projections.queue import QueuedMessage
from crockery.web.control.errors import bad_request
from crockery.web.control.request import Context, Json, Request
from crockery.web.words import moment

SHOWN_HEADER: Final = 16 * 1024
"""Octets of a message's header that are shown."""


def list_queue(context: Context, request: Request) -> Json:
    """All queued messages, oldest first."""
    return {"items": [_describe(context, message) for message in context.store.state.queue.by_id.values()]}


def show(context: Context, request: Request, number: str) -> Json:
    """One queued message, with its header."""
    message = existing_queued(context.store, _number(number))
    start = context.store.log.read_range(message.id, 0, SHOWN_HEADER)
    header = start.partition(b"\r\n\r\n")[0].decode("utf-8", "replace")
    return {**_describe(context, message), "message_id": _message_id(context, message), "header": header.split("\r\n")}


def cancel(context: Context, request: Request, number: str) -> Json:
    """Take recipients back: the one in the query, or all."""
    recipient = request.query.get("recipient")
    wanted = [recipient] if recipient else []
    message = _number(number)
    gone = cancel_recipients(context.store, request.actor, message, wanted, cmd="queue cancel")
    left = context.store.state.queue.by_id.get(message)
    return {"number": message, "cancelled": gone, "recipients": _going(left) if left is not None else []}


def _message_id(context: Context, message: QueuedMessage) -> str | None:
    found = context.store.log.read_facts(message.id).get("message_id")
    return str(found) if found else None


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise bad_request(f"a queued message has a number, not {text}: `crockery queue list` shows them")
    return int(text)


def _going(message: QueuedMessage) -> list[str]:
    """Whom it is still to reach."""
    return [recipient.address for recipient in message.recipients if not recipient.is_final]


def _describe(context: Context, message: QueuedMessage) -> Json:
    account = context.store.state.accounts.by_id.get(message.account)
    return {
        "number": message.id,
        "time": moment(message.time),
        "account": account.name if account is not None else None,
        "from": message.reverse_path,
        "recipients": _going(message),
        "octets": message.size,
        "message_id": context.store.log.read_facts(message.id).get("message_id"),
    }
