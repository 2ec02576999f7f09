"""The resource `queue`: mail that waits to go elsewhere."""

from crockery.actions.queue import cancel_recipients, existing_queued, release_queue, reschedule_recipients
from crockery.events.errors import BodyUnreadable
from crockery.limits import CONTROL_HEADER_SHOWN, CONTROL_QUEUE_LISTED, QUEUE_OUTCOME_ROOM
from crockery.projections.queue import QueuedMessage
from crockery.web.control.errors import bad_request
from crockery.web.control.request import Context, Json, Request
from crockery.web.control.stories import last_words, state_of, tell
from crockery.web.words import moment, plural


def list_queue(context: Context, request: Request) -> Json:
    """Queued messages, oldest first, those after the number `after`, up to `limit`; and why nothing moves, if so.

    With `finished` in the query, those that have left the queue lately, the latest first.
    """
    queue = context.store.state.queue
    limit = min(request.number("limit", CONTROL_QUEUE_LISTED), CONTROL_QUEUE_LISTED)
    if request.query.get("finished"):
        found, total = list(reversed(queue.finished.values()))[:limit], len(queue.finished)
    else:
        after = request.number("after", 0)
        found = [queue.by_id[number] for number in sorted(n for n in queue.by_id if n > after)[:limit]]
        total = len(queue.by_id)
    return {"items": [_describe(context, one) for one in found], "total": total, "stopped": _stopped(context)}


def _stopped(context: Context) -> list[dict[str, str]]:
    """Why mail waits that could go: `why` for programs, `text` for people."""
    state, log = context.store.state, context.store.log
    reasons = []
    still = len(state.queue.still())
    if still:
        reasons.append(("copy", f"{plural(still, 'message')} from before this log was copied stand{'s' * (still == 1)} "
                        "still: the original may have sent what waited. `crockery queue release send` sends it, and "
                        "`crockery queue release drop` drops it."))  # fmt: skip
    smart, trouble = state.smart_host.current, state.smart_host.trouble
    if smart is not None and trouble is not None:
        reasons.append(("smart-host", f"The smart host {smart.name} takes no mail: {trouble.text}. `crockery "
                        "smart-host` shows and sets it."))  # fmt: skip
    if not log.has_room(QUEUE_OUTCOME_ROOM):
        reasons.append(("disk-full", "The disk is full: nothing is sent, since what becomes of it could not be noted."))
    if context.running is None and state.queue.by_id:
        reasons.append(("no-server", "No server runs: mail goes out as soon as `crockery run` does."))
    return [{"why": why, "text": text} for why, text in reasons]


def show(context: Context, request: Request, number: str) -> Json:
    """One message, waiting or lately gone, with its header and each recipient's story."""
    message = _existing(context, number)
    try:
        start = context.store.log.read_range(message.id, 0, CONTROL_HEADER_SHOWN)
        header = start.partition(b"\r\n\r\n")[0].decode("utf-8", "replace")
    except BodyUnreadable:
        header = "(its text is not kept any more, or is damaged)"
    still = context.store.state.queue.stands_still(message)
    reports = context.store.state.queue.reports.get(message.id, {})
    smart = context.store.state.smart_host.current
    by = smart.name if smart is not None else ""
    stories = [
        tell(message, r, context.store.now, stands_still=still, reports=reports.get(r.address, ()), smart_host=by)
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
    waiting = sorted(message.waiting, key=lambda recipient: recipient.next)
    next_attempt = waiting[0].next if waiting else 0
    return {
        "number": message.id,
        "time": moment(message.time),
        "account": account.name if account is not None else None,
        "from": message.reverse_path,
        "stands_still": context.store.state.queue.stands_still(message),
        "recipients": _going(message),
        "states": {r.address: state_of(message, r, context.store.now) for r in message.recipients},
        "next": moment(next_attempt * 1_000_000) if next_attempt else None,
        "last": last_words(waiting[0]) if waiting else None,
        "octets": message.size,
        "message_id": _message_id(context, message),
    }


def _message_id(context: Context, message: QueuedMessage) -> str | None:
    try:
        found: str | None = context.store.log.read_facts(message.id).get("message_id")
    except BodyUnreadable:
        return None
    return found
