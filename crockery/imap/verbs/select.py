"""SELECT and EXAMINE (RFC 9051 §6.3.2 and §6.3.3, RFC 3501 §6.3.1)."""

import numpy as np

from crockery import limits
from crockery.imap.resync import changed_since, tell_vanished
from crockery.imap.selected import Selected
from crockery.imap.session import Completed, Session
from crockery.imap.verbs.listing import list_attributes
from crockery.imap.wire.errors import BadCommand, UidRequired
from crockery.imap.wire.mailboxes import Select
from crockery.imap.wire.modifiers import Resync, read_select_params
from crockery.imap.wire.parser import Command
from crockery.imap.wire.render import render_status
from crockery.imap.wire.response_codes import (
    render_highest_modseq,
    render_mailbox_id,
    render_uid_next,
    render_uid_validity,
    render_unseen,
)
from crockery.imap.wire.responses import render_exists, render_list, render_recent
from crockery.imap.wire.sequence import STAR, SequenceSet
from crockery.projections.mailboxes import SEEN, Mailbox


async def handle_select(session: Session, command: Command, arguments: Select) -> Completed:
    """Open a mailbox. The one open before is left in any case, even if this fails."""
    if session.selected is not None:
        session.selected = None
        session.out.write(render_status(b"OK", "Previous mailbox is closed", code=b"CLOSED"))
    params = read_select_params(arguments.params)
    if params.resync is not None and not session.features.qresync:
        raise BadCommand("QRESYNC is for those who have enabled it", command.tag)
    if params.resync is not None and params.resync.numbers and session.features.uid_only:
        raise UidRequired("There are no sequence numbers", command.tag)
    if params.condstore:
        session.enable("CONDSTORE")
    mailbox = session.find_mailbox(arguments.mailbox)
    read_only = command.verb == "EXAMINE"
    selected = Selected(mailbox, session.shared.recents, read_only=read_only, features=session.features)
    session.selected = selected
    session.out.write(_describe(session, selected), mailbox.position)
    if params.resync is not None and params.resync.uid_validity == mailbox.uidvalidity:
        await _resync(session, selected, params.resync)
    return Completed(code=b"READ-ONLY" if read_only else b"READ-WRITE")


def _describe(session: Session, selected: Selected) -> bytes:
    mailbox = selected.mailbox
    pieces = [selected.tell_flag_names(), render_exists(len(selected))]
    if not session.rev2:
        pieces.append(render_recent(selected.recent_count()))
        if mailbox.unseen and not session.features.uid_only:
            pieces.append(render_status(b"OK", "First unseen", code=render_unseen(_first_unseen(mailbox))))
    pieces.append(render_status(b"OK", "UIDs valid", code=render_uid_validity(mailbox.uidvalidity)))
    pieces.append(render_status(b"OK", "Predicted next UID", code=render_uid_next(mailbox.uidnext)))
    modseq = render_highest_modseq(mailbox.position)
    pieces.append(render_status(b"OK", "Highest", code=modseq))
    pieces.append(render_status(b"OK", "Unique id", code=render_mailbox_id(mailbox.id)))
    if session.rev2:
        attributes = list_attributes(session.store.state.mailboxes, mailbox)
        pieces.append(render_list(mailbox.name, attributes, utf8=True))
    return b"".join(pieces)


async def _resync(session: Session, selected: Selected, resync: Resync) -> None:
    """What happened to the messages that the client knows of since it was last told (RFC 7162 §3.2.5)."""
    mailbox = selected.mailbox
    session.out.write(tell_vanished(selected, resync.modseq, resync.known), mailbox.position)
    known = SequenceSet(((1, STAR),)) if resync.known is None else resync.known
    indices = changed_since(selected, selected.indices(known, uid=True), resync.modseq)
    for start in range(0, len(indices), limits.IMAP_LINES):
        here, rows = selected.rows(indices[start : start + limits.IMAP_LINES])
        session.out.write(selected.render_flags(here, rows, uid=True), mailbox.position)
        await session.out.relieve()


def _first_unseen(mailbox: Mailbox) -> int:
    """The message sequence number of the first message without \\Seen; there is one, and mostly it is near."""
    flags = mailbox.columns.flags
    start, stop = 0, limits.IMAP_SLICE
    while (flags[start:stop] & np.uint64(SEEN)).all():
        start, stop = stop, 4 * stop
    return start + int(np.argmin(flags[start:stop] & np.uint64(SEEN))) + 1
