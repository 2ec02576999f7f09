"""Telling what a session watches (`watching`): between commands, and while the session waits for its client.

Responses leave only when what they tell of is on disk; what is noted in a Watch is, but STATUS and FETCH tell of now.
"""

import numpy as np
import trio

from crockery import limits
from crockery.imap.contexts import tell_changes
from crockery.imap.errors import Refusal
from crockery.imap.fetching import Plan
from crockery.imap.selected import Uids, find_sorted
from crockery.imap.sending import send_messages
from crockery.imap.session import Session
from crockery.imap.verbs.listing import ancestors, attributes_of
from crockery.imap.verbs.metadata import metadata_position
from crockery.imap.verbs.status import write_status
from crockery.imap.watching import Watch, status_items
from crockery.imap.wire.metadata import render_metadata_names
from crockery.imap.wire.notify import FLAGGED, Notify
from crockery.imap.wire.render import render_status
from crockery.imap.wire.responses import render_list
from crockery.projections.mailboxes import Mailbox


async def tell_after_command(session: Session, *, expunge: bool, uid: bool, own: bool) -> None:
    """What may be told before a tagged reply. `own`: the command itself took messages out of the selected mailbox."""
    watch = session.watch
    if watch is None:
        await tell_changes(session, expunge=expunge, uid=uid)
        return
    if _prepare(session, watch) or own:
        await tell_changes(session, expunge=expunge, uid=uid)
    if watch.metadata:
        _tell_entries(session, watch)
        if not watch.attends:
            watch.forget()


async def attend(session: Session) -> None:
    """Tell what is new, whenever something is; until cancelled. Only where `watch.attends`."""
    watch = session.watch
    assert watch is not None
    while True:
        with trio.move_on_after(limits.IMAP_KEEPALIVE) as quiet:
            await watch.news.wait()
        session.check_alive()
        with trio.CancelScope(shield=True):  # half a response must not be left behind when the client says something
            if not quiet.cancelled_caught:
                await tell_news(session, watch)
            elif watch.idling:
                session.out.write(b"* OK Still here\r\n")
            await session.out.flush()


async def tell_news(session: Session, watch: Watch) -> None:
    """Tell all that is noted."""
    if watch.overflowed and watch.notify is not None:
        _overflow(session, watch)
        return
    arrived, boxes, names = watch.arrived, watch.boxes, watch.names
    watch.arrived, watch.boxes, watch.names = {}, {}, {}
    _tell_names(session, names)
    _tell_entries(session, watch)
    watch.forget()
    if _prepare(session, watch):
        await tell_changes(session, expunge=watch.expunges, uid=True)
        await _tell_arrived(session, watch, arrived)
    for number, happened in boxes.items():
        mailbox = session.store.state.mailboxes.by_id.get(number)
        if mailbox is not None and not _is_selected(session, mailbox):
            wanted = watch.wants(mailbox.name)
            write_status(session, mailbox, status_items(happened, wanted, condstore=session.features.condstore))


def _overflow(session: Session, watch: Watch) -> None:
    """More happened than is held for a client: it hears of nothing any more, and is told so (RFC 5465 §5.8)."""
    text = "Too much happened: no more notifications, look for yourself"
    session.out.write(render_status(b"OK", text, code=b"NOTIFICATIONOVERFLOW"))
    watch.listen(Notify())


def _prepare(session: Session, watch: Watch) -> bool:
    """Whether anything may be told of the selected mailbox; its view learns whether flags are."""
    group = watch.selected
    if session.selected is None or group is None:
        return False
    session.selected.tells_flags = FLAGGED in group.events
    return True


def _is_selected(session: Session, mailbox: Mailbox) -> bool:
    return session.selected is not None and session.selected.mailbox is mailbox


async def _tell_arrived(session: Session, watch: Watch, arrived: dict[int, list[tuple[int, int]]]) -> None:
    """FETCH what the client wants of new messages: those that the view has told of."""
    selected, group = session.selected, watch.selected
    if selected is None or group is None or selected.mailbox.id not in arrived:
        return
    new: Uids = np.concatenate([np.arange(a, b + 1, dtype=np.uint32) for a, b in arrived[selected.mailbox.id]])
    if session.contexts is not None:
        new = new[~np.isin(new, list(session.contexts.fetched))]
        session.contexts.fetched.clear()
    indices = find_sorted(selected.uids, np.unique(new))
    try:
        await send_messages(session, selected, indices, Plan(group.items, session.features, uid=True))
    except Refusal as refusal:
        session.out.write(render_status(b"NO", refusal.text, code=refusal.code))


def _tell_names(session: Session, names: dict[str, str | None]) -> None:
    mailboxes = session.store.state.mailboxes
    if not names:
        return
    subscribed = mailboxes.subscriptions.get(session.account, ())
    parents = ancestors(mailboxes.of_account(session.account))
    for name, old in names.items():
        mailbox = mailboxes.find(session.account, name)
        attributes = ["\\NonExistent"] if mailbox is None else attributes_of(mailbox, parents)
        if name in subscribed:
            attributes.append("\\Subscribed")
        line = render_list(name, attributes, utf8=session.utf8, old_name=old)
        session.out.write(line, session.list_position)


def _tell_entries(session: Session, watch: Watch) -> None:
    entries, watch.entries = watch.entries, {}
    for number, changed in entries.items():
        mailbox = session.store.state.mailboxes.by_id.get(number)
        if mailbox is not None or not number:
            name = "" if mailbox is None else mailbox.name
            session.out.write(render_metadata_names(name, changed, utf8=session.utf8), metadata_position(session))
