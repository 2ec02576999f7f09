"""The resource `queue`: mail that waits to go elsewhere."""

from typing import Final

from crockery.actions.queue import cancel_recipients, existing_queued, release_queue, reschedule_recipients
from crockery.projections.queue import QueuedMessage
from crockery.web.control.errors import bad_request
from crockery.web.control.request import Context, Json, Request
from crockery.web.control.stories import state_of, tell
from crockery.web.words import moment

SHOWN_HEADER: Final = 16 * 1024
"""Octets of a message's header that are shown."""


def list_queue(context: Context, request: Request) -> Json:
    """All queued messages, oldest first."""
    return {"items": [_describe(context, message) for message in context.store.state.queue.by_id.values()]}


def show(context: Context, request: Request, number: str) -> Json:
    """One message, waiting or lately gone, with its header and each recipient's story."""
    message = _existing(context, number)
    start = context.store.log.read_range(message.id, 0, SHOWN_HEADER)
    header = start.partition(b"\r\n\r\n")[0].decode("utf-8", "replace")
    still = context.store.state.queue.stands_still(message)
    reports = context.store.state.queue.reports.get(message.id, {})
    stories = [
        tell(message, r, context.store.now, stands_still=still, reports=reports.get(r.address, ()))
        for r in message.recipients
    ]
    return {**_describe(context, message), "stories": stories, "header": header.split("\r\n")}


def retry(context: Context, request: Request, number: str) -> Json:
    """Try again at once: the recipient in the query, or all."""
    return _reschedule(context, request, number, None, "queue retry")


def send_insecure(context: Context, request: Request, number: str) -> Json:
    """Send it without a secure way, if there is none: to the recipient in the query, or all."""
    return _reschedule(context, request, number, True, "queue send-insecure")


def release(context: Context, request: Request) -> Json:
    """After a restored copy: send what stood still, or drop it."""
    count = release_queue(context.store, request.actor, request.text("choice"), cmd="queue release")
    return {"messages": count}


def _reschedule(context: Context, request: Request, number: str, insecure: bool | None, cmd: str) -> Json:
    recipient = request.query.get("recipient")
    wanted = [recipient] if recipient else []
    message = _number(number)
    due = reschedule_recipients(context.store, request.actor, message, wanted, insecure=insecure, cmd=cmd)
    return {"number": message, "recipients": due}


def cancel(context: Context, request: Request, number: str) -> Json:
    """Take recipients back: the one in the query, or all."""
    recipient = request.query.get("recipient")
    wanted = [recipient] if recipient else []
    message = _number(number)
    gone = cancel_recipients(context.store, request.actor, message, wanted, cmd="queue cancel")
    left = context.store.state.queue.by_id.get(message)
    return {"number": message, "cancelled": gone, "recipients": _going(left) if left is not None else []}


def _existing(context: Context, number: str) -> QueuedMessage:
    found = context.store.state.queue.find(_number(number))
    return found if found is not None else existing_queued(context.store, _number(number))


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
        "stands_still": context.store.state.queue.stands_still(message),
        "recipients": _going(message),
        "states": {r.address: state_of(message, r, context.store.now) for r in message.recipients},
        "octets": message.size,
        "message_id": context.store.log.read_facts(message.id).get("message_id"),
    }
