"""STATUS (RFC 9051 §6.3.11, RFC 3501 §6.3.10, RFC 8438 SIZE). Counts are kept by the mailbox: none is counted here."""

from collections.abc import Iterable

from crockery.imap.recent import Recents
from crockery.imap.session import DONE, Completed, Session
from crockery.imap.wire.mailboxes import Status
from crockery.imap.wire.parser import Command
from crockery.imap.wire.responses import render_status_data
from crockery.projections.mailboxes import Mailbox


async def handle_status(session: Session, command: Command, arguments: Status) -> Completed:
    """Tell counts of a mailbox without selecting it."""
    mailbox = session.find_mailbox(arguments.mailbox)
    counts = status_of(mailbox, arguments.items, session.shared.recents)
    session.out.write(render_status_data(mailbox.name, counts, utf8=session.rev2), mailbox.position)
    return DONE


def status_of(mailbox: Mailbox, items: Iterable[str], recents: Recents) -> dict[str, int | bytes]:
    """The values of STATUS items, in the order asked."""
    return {item: _value(mailbox, item, recents) for item in items}


def _value(mailbox: Mailbox, item: str, recents: Recents) -> int:
    match item:
        case "MESSAGES":
            return len(mailbox)
        case "UIDNEXT":
            return mailbox.uidnext
        case "UIDVALIDITY":
            return mailbox.uidvalidity
        case "UNSEEN":
            return mailbox.unseen
        case "DELETED":
            return mailbox.deleted
        case "SIZE":
            return mailbox.octets
    return recents.count(mailbox)
