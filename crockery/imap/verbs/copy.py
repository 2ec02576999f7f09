"""COPY, MOVE and their UID forms (RFC 9051 §6.4.7 and §6.4.8, RFC 4315 §3 COPYUID)."""

import numpy as np

from crockery.actions.mail import Copied, copy_messages, move_messages
from crockery.imap.errors import Refusal
from crockery.imap.selected import Selected, Uids
from crockery.imap.session import DONE, Completed, Session
from crockery.imap.verbs.fetch import select_messages
from crockery.imap.wire.messages import Copy
from crockery.imap.wire.parser import Command
from crockery.imap.wire.render import render_status
from crockery.imap.wire.response_codes import render_copy_uid, render_highest_modseq


async def handle_copy(session: Session, command: Command, arguments: Copy) -> Completed:
    """Copy all of the messages or none."""
    selected = session.require_selected()
    uids = _choose(selected, command, arguments)
    target = session.find_mailbox(arguments.mailbox, missing=b"TRYCREATE")
    if not len(uids):
        return DONE
    copied = copy_messages(session.store, session.actor, selected.mailbox, uids, target, cmd=command.verb)
    session.brought(target, copied.first, len(copied.source))
    return Completed(code=_copy_uid(copied))


async def handle_move(session: Session, command: Command, arguments: Copy) -> Completed:
    """Copy and expunge in one atom; COPYUID is told before the EXPUNGEs (RFC 9051 §6.4.8)."""
    selected = session.require_writable()
    uids = _choose(selected, command, arguments)
    target = session.find_mailbox(arguments.mailbox, missing=b"TRYCREATE")
    if not len(uids):
        return DONE
    copied = move_messages(session.store, session.actor, selected.mailbox, uids, target, cmd=command.verb)
    session.brought(target, copied.first, len(copied.source))
    session.out.write(render_status(b"OK", "Moved", code=_copy_uid(copied)))
    if session.features.condstore:
        return Completed(code=render_highest_modseq(selected.mailbox.position))
    return DONE


def _choose(selected: Selected, command: Command, arguments: Copy) -> Uids:
    """UIDs of the messages meant. Where another session expunged one of them, a COPY by sequence number fails whole."""
    indices = select_messages(selected, command, arguments.messages)
    here, _ = selected.rows(indices)
    if len(here) != len(indices) and not command.uid:
        raise Refusal("Some of the messages are gone", b"EXPUNGEISSUED")
    return selected.uids[here]


def _copy_uid(copied: Copied) -> bytes:
    return render_copy_uid(
        copied.uidvalidity, copied.source, np.arange(copied.first, copied.first + len(copied.source), dtype=np.int64)
    )
