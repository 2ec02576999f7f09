"""SELECT and EXAMINE (RFC 9051 §6.3.2 and §6.3.3, RFC 3501 §6.3.1)."""

import numpy as np

from crockery.imap.selected import Selected
from crockery.imap.session import Completed, Session
from crockery.imap.verbs.listing import list_attributes
from crockery.imap.wire.errors import BadCommand
from crockery.imap.wire.mailboxes import Select
from crockery.imap.wire.parser import Command
from crockery.imap.wire.render import render_status
from crockery.imap.wire.response_codes import render_uid_next, render_uid_validity, render_unseen
from crockery.imap.wire.responses import render_exists, render_list, render_recent
from crockery.projections.mailboxes import SEEN, Mailbox


async def handle_select(session: Session, command: Command, arguments: Select) -> Completed:
    """Open a mailbox. The one open before is left in any case, even if this fails."""
    if session.selected is not None:
        session.selected = None
        session.out.write(render_status(b"OK", "Previous mailbox is closed", code=b"CLOSED"))
    if arguments.params:
        raise BadCommand(f"Unknown select parameter {arguments.params[0].name}", command.tag)
    mailbox = session.find_mailbox(arguments.mailbox)
    read_only = command.verb == "EXAMINE"
    selected = Selected(mailbox, session.shared.recents, read_only=read_only, rev2=session.rev2)
    session.selected = selected
    session.out.write(_describe(session, selected), mailbox.position)
    return Completed(code=b"READ-ONLY" if read_only else b"READ-WRITE")


def _describe(session: Session, selected: Selected) -> bytes:
    mailbox = selected.mailbox
    pieces = [selected.tell_flag_names(), render_exists(len(selected))]
    if not session.rev2:
        pieces.append(render_recent(selected.recent_count()))
        if mailbox.unseen:
            pieces.append(render_status(b"OK", "First unseen", code=render_unseen(_first_unseen(mailbox))))
    pieces.append(render_status(b"OK", "UIDs valid", code=render_uid_validity(mailbox.uidvalidity)))
    pieces.append(render_status(b"OK", "Predicted next UID", code=render_uid_next(mailbox.uidnext)))
    if session.rev2:
        attributes = list_attributes(session.store.state.mailboxes, mailbox)
        pieces.append(render_list(mailbox.name, attributes, utf8=True))
    return b"".join(pieces)


def _first_unseen(mailbox: Mailbox) -> int:
    return int(np.argmax((mailbox.columns.flags & np.uint64(SEEN)) == 0)) + 1
