"""STATUS (RFC 9051 §6.3.11, RFC 3501 §6.3.10; RFC 7162, 7889, 8438, 8474). The mailbox has the counts ready."""

from collections.abc import Collection

import numpy as np

from crockery.imap.session import DONE, Completed, Session
from crockery.imap.wire.mailboxes import Status
from crockery.imap.wire.parser import Command
from crockery.imap.wire.responses import render_status_data
from crockery.projections.mailboxes import DELETED, Mailbox


async def handle_status(session: Session, command: Command, arguments: Status) -> Completed:
    """Tell counts of a mailbox without selecting it."""
    mailbox = session.find_mailbox(arguments.mailbox)
    counts = status_of(session, mailbox, arguments.items)
    session.out.write(render_status_data(mailbox.name, counts, utf8=session.utf8), mailbox.position)
    return DONE


def write_status(session: Session, mailbox: Mailbox, items: Collection[str]) -> None:
    """A STATUS of our own accord; without items none."""
    if items:
        counts = status_of(session, mailbox, items)
        session.out.write(render_status_data(mailbox.name, counts, utf8=session.utf8), mailbox.position)


def status_of(session: Session, mailbox: Mailbox, items: Collection[str]) -> dict[str, int | bytes]:
    """The values of STATUS items, in the order asked."""
    if "HIGHESTMODSEQ" in items:
        session.enable("CONDSTORE")
    return {item: _value(session, mailbox, item) for item in items}


def _value(session: Session, mailbox: Mailbox, item: str) -> int | bytes:
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
        case "DELETED-STORAGE":
            return deleted_octets(mailbox)
        case "SIZE":
            return mailbox.octets
        case "HIGHESTMODSEQ":
            return mailbox.position
        case "MAILBOXID":
            return b"(F%d)" % mailbox.id
        case "APPENDLIMIT":
            return session.framer.limits.message
    return session.shared.recents.count(mailbox)


def deleted_octets(mailbox: Mailbox) -> int:
    """Octets of the messages flagged \\Deleted: DELETED-STORAGE (RFC 9208 §4.1.4)."""
    if not mailbox.deleted:
        return 0
    columns = mailbox.columns
    return int(columns.size[(columns.flags & np.uint64(DELETED)) != 0].sum(dtype=np.int64))
