"""UIDBATCHES (RFC 10022)."""

from crockery import limits
from crockery.imap.errors import Refusal
from crockery.imap.session import DONE, Completed, Session
from crockery.imap.wire.batches import UidBatches, render_uid_batches
from crockery.imap.wire.errors import BadCommand
from crockery.imap.wire.parser import Command


async def handle_uid_batches(session: Session, command: Command, arguments: UidBatches) -> Completed:
    """Tell between which UIDs the messages lie, so many at a time; every UID below the newest is in one batch."""
    selected = session.require_selected()
    if arguments.size < limits.IMAP_BATCH_MIN:
        raise Refusal(f"A batch has {limits.IMAP_BATCH_MIN} messages at least", b"TOOFEW")
    if arguments.last is not None and arguments.last < arguments.first:
        raise ClientBug("The batches are named in ascending order", command.tag)
    # One view of what is told: the highest of each batch, and below it the next one's.
    highs = selected.uids[::-1][:: arguments.size].tolist()
    lows = [high + 1 for high in highs[1:]] + [1]
    batches = list(zip(highs, lows, strict=False))[arguments.first - 1 : arguments.last]
    session.out.write(render_uid_batches(command.tag, batches), selected.mailbox.position)
    return DONE


class ClientBug(BadCommand):
    """BAD [CLIENTBUG]."""

    code = b"CLIENTBUG"
