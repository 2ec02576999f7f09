"""CANCELUPDATE (RFC 5267 §4.3.5)."""

from crockery.imap.contexts import cancel
from crockery.imap.session import DONE, Completed, Session
from crockery.imap.wire.parser import Command
from crockery.imap.wire.search_returns import CancelUpdate


async def handle_cancel_update(session: Session, command: Command, arguments: CancelUpdate) -> Completed:
    """Stop keeping searches up to date."""
    cancel(session, command, arguments.tags)
    return DONE
