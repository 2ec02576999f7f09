"""NOTIFY (RFC 5465): from now on the client hears of what it asks for, at any time."""

from crockery.imap.contexts import tell_changes
from crockery.imap.session import DONE, Completed, Session
from crockery.imap.verbs.status import write_status
from crockery.imap.watching import Happened, Watch, begin_watch, status_items
from crockery.imap.wire.notify import FLAGGED, MESSAGE_EVENTS, Notify
from crockery.imap.wire.parser import Command


async def handle_notify(session: Session, command: Command, arguments: Notify) -> Completed:
    """Replace what is watched; first tell of the selected mailbox what there is to tell, as NOOP does (§3.1)."""
    if session.selected is not None:
        session.selected.tells_flags = True
    await tell_changes(session, expunge=True)
    watch = begin_watch(session)
    watch.listen(arguments)
    if arguments.status:
        _tell_status(session, watch)
    return DONE


def _tell_status(session: Session, watch: Watch) -> None:
    """STATUS of each mailbox, but the selected one, whose messages are watched."""
    selected = session.selected.mailbox if session.selected is not None else None
    for name, mailbox in sorted(session.store.state.mailboxes.of_account(session.account).items()):
        wanted = watch.wants(name) & MESSAGE_EVENTS
        if mailbox is selected or not wanted:
            continue
        items = status_items(Happened.MESSAGES, wanted, condstore=session.features.condstore)
        more = ("UIDVALIDITY", "HIGHESTMODSEQ") if FLAGGED in wanted else ("UIDVALIDITY",)
        write_status(session, mailbox, tuple(dict.fromkeys((*items, *more))))
