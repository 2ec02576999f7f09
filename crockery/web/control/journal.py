"""The resources `log` and `history`: what happened, told.

Reading goes through the whole file, so all of it is in the iterators, which a server runs in a thread: they use the
file alone, never the state.
"""

from collections import deque
from collections.abc import Callable, Iterable

from crockery.actions.accounts import own_name
from crockery.events.types.accounts import ACCOUNT_ADDED
from crockery.projections.accounts import fold_local_part
from crockery.web.control.chronicle import Chronicle
from crockery.web.control.errors import ControlError, bad_request
from crockery.web.control.relevance import (
    OfAccount,
    OfMailbox,
    OfMessages,
    Relevance,
    mailbox_numbers,
    message_numbers,
    messages_at,
)
from crockery.web.control.request import Context, Lines, Request


def read_log(context: Context, request: Request) -> Lines:
    """All events, or those after a number, or the last ones."""
    log = context.store.log
    chronicle = Chronicle(log.file, log.header)
    return log_lines(chronicle, log.durable_position.offset, request.number("after", 0), request.number("last", -1))


def log_lines(chronicle: Chronicle, end: int, after: int = 0, last: int = -1) -> Lines:
    """The events before the file offset `end` that the chronicle has not given yet, as entries."""
    entries = (chronicle.entry(event) for event in chronicle.events(end) if event.number > after)
    return entries if last < 0 else iter(deque(entries, maxlen=last))


def read_history(context: Context, request: Request) -> Lines:
    """What concerns an account, one of its mailboxes, a message in it by UID, or a message by number or Message-ID."""
    query = request.query
    name, mailbox, message = query.get("account"), query.get("mailbox"), query.get("message")
    uid = request.number("uid", 0) if "uid" in query else None
    if bool(name) == bool(message):
        raise bad_request("history needs an account or a message")
    if (mailbox and not name) or (uid is not None and not mailbox):
        raise bad_request("a mailbox needs its account, a UID its mailbox")
    log = context.store.log
    end = log.durable_position.offset

    def open_chronicle() -> Chronicle:
        return Chronicle(log.file, log.header)

    if message:
        return _lines(open_chronicle, end, lambda: _of_message(open_chronicle, end, message))
    account = fold_local_part(own_name(context.store, name or ""))
    return _lines(open_chronicle, end, lambda: _of_place(open_chronicle, end, account, mailbox, uid))


def _lines(open_chronicle: Callable[[], Chronicle], end: int, find: Callable[[], Relevance]) -> Lines:
    relevance = find()
    chronicle = open_chronicle()
    for event in chronicle.events(end):
        if relevance.concerns(chronicle.names, event):
            yield chronicle.entry(event)


def _of_message(open_chronicle: Callable[[], Chronicle], end: int, message: str) -> Relevance:
    return _messages(message_numbers(message, open_chronicle().events(end)), f"there was never a message {message}")


def _of_place(
    open_chronicle: Callable[[], Chronicle], end: int, account: str, mailbox: str | None, uid: int | None
) -> Relevance:
    if mailbox is None:
        events = open_chronicle().events(end)
        if not any(event.type is ACCOUNT_ADDED and event.facts["name"] == account for event in events):
            raise _nonexistent(f"there was never an account {account}")
        return OfAccount(account)
    name = "INBOX" if mailbox.upper() == "INBOX" else mailbox
    chronicle = open_chronicle()
    found = mailbox_numbers(account, name, chronicle.names, chronicle.events(end))
    if not found:
        raise _nonexistent(f"{account} never had a mailbox {name}")
    if uid is None:
        return OfMailbox(found)
    messages = messages_at(found, uid, open_chronicle().events(end))
    return _messages(messages, f"{name} of {account} never had a message with UID {uid}")


def _messages(found: Iterable[int], otherwise: str) -> OfMessages:
    numbers = set(found)
    if not numbers:
        raise _nonexistent(otherwise)
    return OfMessages(numbers)


def _nonexistent(message: str) -> ControlError:
    return ControlError(404, "nonexistent", message)
