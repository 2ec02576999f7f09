"""FETCH and UID FETCH (RFC 9051 §6.4.5, RFC 3501 §6.4.5)."""

from collections.abc import Iterator

import numpy as np

from crockery import limits
from crockery.actions.mail import store_flags
from crockery.imap.fetching import Plan, Slice
from crockery.imap.messages import Messages
from crockery.imap.resync import changed_since, tell_vanished
from crockery.imap.selected import Indices, Selected
from crockery.imap.session import DONE, Completed, Session
from crockery.imap.streaming import send_large
from crockery.imap.wire.errors import BadCommand
from crockery.imap.wire.fetch import Fetch, FetchItem, FetchSection
from crockery.imap.wire.modifiers import read_fetch_modifiers
from crockery.imap.wire.parser import Command
from crockery.imap.wire.sequence import SequenceSet


async def handle_fetch(session: Session, command: Command, arguments: Fetch) -> Completed:
    """Send what was asked for, slice by slice: long answers wait for slow clients and let other sessions work."""
    modifiers = read_fetch_modifiers(arguments.modifiers)
    if modifiers.vanished and not (command.uid and session.features.qresync):
        raise BadCommand("VANISHED is for UID FETCH of those who have enabled QRESYNC", command.tag)
    selected = session.require_selected()
    if modifiers.vanished:
        session.tell_changes(expunge=True, uid=True)  # what is gone from the view is not told as gone earlier
    indices = select_messages(selected, command, arguments.messages)
    since = modifiers.changed_since
    if since is not None or FetchItem("MODSEQ") in arguments.items:
        session.enable("CONDSTORE")
    if since is not None:
        if modifiers.vanished:
            session.out.write(tell_vanished(selected, since, arguments.messages), selected.mailbox.position)
        indices = changed_since(selected, indices, since)
    if modifiers.partial is not None:
        indices = indices[slice(*modifiers.partial.bounds(len(indices)))]
    seen = _set_seen(session, selected, indices, arguments)
    plan = Plan(arguments.items, session.features, uid=command.uid, seen=seen, modseq=since is not None)
    for chosen in _slices(selected, indices, plan, session.shared.messages):
        here, rows = selected.rows(chosen)
        if not len(here):
            continue
        part = Slice(selected, here, rows, session.shared.messages)
        if len(here) == 1 and _goes_alone(part, plan):
            await send_large(session.out, plan, part)
        else:
            session.out.write_all(plan.render(part), selected.mailbox.position)
        await session.out.relieve()
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


def _slices(selected: Selected, indices: Indices, plan: Plan, messages: Messages) -> Iterator[Indices]:
    """Messages to render at once: many where the columns have it all, else by their size, and large ones alone."""
    for start in range(0, len(indices), limits.IMAP_SLICE):  # to look at all of a large mailbox takes long
        yield from _cut(selected, indices[start : start + limits.IMAP_SLICE], plan, messages)


def _cut(selected: Selected, indices: Indices, plan: Plan, messages: Messages) -> Iterator[Indices]:
    here, rows = selected.rows(indices)
    sizes = selected.mailbox.columns.size[rows].astype(np.int64)
    if not plan.needs_data:
        weight = limits.IMAP_OUTPUT_HELD // (limits.IMAP_SLICE_KEPT if plan.needs_kept else limits.IMAP_SLICE)
        alone = np.flatnonzero(sizes > limits.IMAP_STREAMED_MIN) if plan.needs_kept else rows[:0]
        numbers = selected.mailbox.columns.number[rows[alone]].tolist()
        sizes = np.clip(sizes, weight, limits.IMAP_OUTPUT_HELD) if plan.needs_preview else np.full(len(sizes), weight)
        sizes[alone[[not messages.has_kept(number) for number in numbers]]] = limits.IMAP_OUTPUT_HELD
    ends = np.cumsum(sizes)
    start, done = 0, 0
    while start < len(here):
        stop = max(start + 1, int(ends.searchsorted(done + limits.IMAP_OUTPUT_HELD, side="right")))
        yield here[start:stop]
        start, done = stop, int(ends[stop - 1])


def _goes_alone(part: Slice, plan: Plan) -> bool:
    """Whether the one message of a slice has to be read, and is large."""
    large = int(part.selected.mailbox.columns.size[part.rows[0]]) > limits.IMAP_STREAMED_MIN
    return large and (plan.needs_data or (plan.needs_kept and not part.messages.has_kept(part.numbers[0])))
