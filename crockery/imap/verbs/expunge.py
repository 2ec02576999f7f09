"""EXPUNGE, UID EXPUNGE (RFC 9051 §6.4.3 and §6.4.9) and CLOSE (§6.4.1)."""

from crockery.actions.mail import expunge
from crockery.imap.selected import Selected
from crockery.imap.session import DONE, Completed, Session
from crockery.imap.wire.access import NoArguments
from crockery.imap.wire.messages import UidExpunge
from crockery.imap.wire.parser import Command
from crockery.imap.wire.response_codes import render_highest_modseq


async def handle_expunge(session: Session, command: Command, arguments: NoArguments) -> Completed:
    """Take out what is flagged \\Deleted; the view tells which, as of everything else that changed."""
    selected = session.require_writable()
    return _done(session, selected, len(expunge(session.store, session.actor, selected.mailbox)))


async def handle_uid_expunge(session: Session, command: Command, arguments: UidExpunge) -> Completed:
    """As EXPUNGE, of these messages only."""
    selected = session.require_writable()
    uids = selected.uids[selected.indices(arguments.messages, uid=True)]
    return _done(
        session, selected, len(expunge(session.store, session.actor, selected.mailbox, uids, cmd="UID EXPUNGE"))
    )


async def handle_close(session: Session, command: Command, arguments: NoArguments) -> Completed:
    """Expunge without telling, and leave the mailbox; one that was opened read-only is only left."""
    selected = session.require_selected()
    session.selected = None
    if not selected.read_only and len(expunge(session.store, session.actor, selected.mailbox, cmd="CLOSE")):
        session.changed()
    return DONE  # without HIGHESTMODSEQ, which would hide what nobody is told any more (RFC 7162 §3.2.8)


def _done(session: Session, selected: Selected, any_gone: object) -> Completed:
    """HIGHESTMODSEQ, once something is gone: what is told before it covers all that happened (RFC 7162 §3.2.7)."""
    if not any_gone:
        return DONE
    session.changed()
    if not session.features.condstore:
        return DONE
    return Completed(code=render_highest_modseq(selected.mailbox.position))


async def handle_unselect(session: Session, command: Command, arguments: NoArguments) -> Completed:
    """Leave the mailbox as it is (RFC 3691)."""
    session.selected = None
    return DONE
