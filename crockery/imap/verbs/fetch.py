"""FETCH and UID FETCH (RFC 9051 §6.4.5, RFC 3501 §6.4.5)."""

import numpy as np

from crockery.actions.mail import store_flags
from crockery.imap.fetching import Plan
from crockery.imap.resync import changed_since, tell_vanished
from crockery.imap.selected import Indices, Selected
from crockery.imap.sending import send_messages
from crockery.imap.session import DONE, Completed, Session
from crockery.imap.wire.errors import BadCommand
from crockery.imap.wire.fetch import Fetch, FetchItem, FetchSection
from crockery.imap.wire.modifiers import read_fetch_modifiers
from crockery.imap.wire.parser import Command
from crockery.imap.wire.sequence import SequenceSet


async def handle_fetch(session: Session, command: Command, arguments: Fetch) -> Completed:
    """Send what was asked for."""
    modifiers = read_fetch_modifiers(arguments.modifiers)
    if modifiers.vanished and not (command.uid and session.features.qresync):
        raise BadCommand("VANISHED is for UID FETCH of those who have enabled QRESYNC", command.tag)
    selected = session.require_selected()
    if modifiers.vanished:
        session.tell_changes(expunge=True, uid=True)  # what is gone from the view is not told as gone earlier
    indices = select_messages(selected, command, arguments.messages)
    if modifiers.partial is not None:  # before CHANGEDSINCE, which then chooses among these (RFC 9394 §3.4)
        indices = indices[slice(*modifiers.partial.bounds(len(indices)))]
    since = modifiers.changed_since
    if since is not None or FetchItem("MODSEQ") in arguments.items:
        session.enable("CONDSTORE")
    if since is not None:
        if modifiers.vanished:
            session.out.write(tell_vanished(selected, since, arguments.messages), selected.mailbox.position)
        indices = changed_since(selected, indices, since)
    seen = _set_seen(session, selected, indices, arguments)
    plan = Plan(arguments.items, session.features, uid=command.uid, seen=seen, modseq=since is not None)
    if plan.settles and session.watch is None:  # what is asked for need not be told once more at the end
        others = np.setdiff1d(selected.changed_by_others(), indices, assume_unique=True)
        if len(others):
            told = selected.render_flags(*selected.rows(others), uid=command.uid)
            session.out.write(told, selected.mailbox.position)
    await send_messages(session, selected, indices, plan)
    return DONE


def select_messages(selected: Selected, command: Command, messages: SequenceSet) -> Indices:
    """The messages that a command names; a sequence number that is not there is BAD (RFC 9051 §6.4.9)."""
    if not command.uid and messages.exceeds(len(selected)):
        raise BadCommand("There is no message with that number", command.tag)
    return selected.indices(messages, uid=command.uid)


def _set_seen(session: Session, selected: Selected, indices: Indices, arguments: Fetch) -> bool:
    """Reading a body sets \\Seen: once a command, in one event. True if any was set, and FLAGS must be told."""
    reads = any(isinstance(item, FetchSection) and not item.peek for item in arguments.items)
    if not reads or selected.read_only:
        return False
    _, rows = selected.rows(indices)
    mailbox = selected.mailbox
    uids = mailbox.columns.uid[rows]
    changed = store_flags(session.store, session.actor, mailbox, uids, "+", ["\\Seen"], cmd="FETCH")
    if len(changed):
        selected.know(mailbox.position)
    return bool(len(changed))
