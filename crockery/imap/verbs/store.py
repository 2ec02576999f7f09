"""STORE and UID STORE (RFC 9051 §6.4.6)."""

from collections.abc import Iterable

import numpy as np
import trio

from crockery import limits
from crockery.actions.mail import store_flags
from crockery.imap.errors import Refusal
from crockery.imap.selected import Indices, Selected
from crockery.imap.session import Completed, Session
from crockery.imap.verbs.fetch import select_messages
from crockery.imap.wire.messages import Store
from crockery.imap.wire.modifiers import read_unchanged_since
from crockery.imap.wire.parser import Command
from crockery.imap.wire.response_codes import render_modified
from crockery.projections.mailboxes import SYSTEM_FLAGS


async def handle_store(session: Session, command: Command, arguments: Store) -> Completed:
    """Change flags, in one event however many messages; answer with the flags of all of them unless silent.

    A silent client adds its change to what it knows, when it sends the command or when it hears the OK. So that it is
    right either way (RFC 9051 §6.4.6), what others did before is told with the change in it, and what they do later is
    not told before the OK.
    """
    unchanged = read_unchanged_since(arguments.modifiers)
    selected = session.require_writable()
    indices = select_messages(selected, command, arguments.messages)
    check_flags(arguments.flags)
    if unchanged is not None:
        session.enable("CONDSTORE")
    others = selected.changed_by_others()
    here, rows = selected.rows(indices)
    mailbox = selected.mailbox
    modified = indices[:0]
    gone = len(indices) - len(here)
    if unchanged is not None:
        fresh = mailbox.columns.modseq[rows] <= unchanged
        modified, here, rows = here[~fresh], here[fresh], rows[fresh]
        if gone and not command.uid:
            modified = np.setdiff1d(indices, here)
    uids = mailbox.columns.uid[rows]
    changed = store_flags(
        session.store, session.actor, mailbox, uids, arguments.action or "=", arguments.flags, cmd=command.verb
    )
    if len(changed):
        selected.know(mailbox.position)
        session.changed()
    position = mailbox.position
    others = others if arguments.silent else np.setdiff1d(others, here, assume_unique=True)
    if len(others):
        session.out.write(selected.render_flags(*selected.rows(others), uid=command.uid), position)
    if len(changed) and len(here) > limits.IMAP_SLICE_KEPT:
        await trio.lowlevel.checkpoint()  # the writer begins to sync, in its thread, while replies are rendered
    await _tell_stored(session, selected, here, position, command, arguments)
    tells = not arguments.silent or mailbox.position == position
    if len(modified) and gone and not command.uid:
        raise Refusal("Some of the messages no longer exist", _modified(selected, command, modified))
    if len(modified):
        return Completed("Conditional STORE failed for some", _modified(selected, command, modified), tells)
    return Completed(tells=tells)


async def _tell_stored(
    session: Session, selected: Selected, indices: Indices, position: int, command: Command, arguments: Store
) -> None:
    """The flags of the messages of a STORE that was done at event `position`; of a silent one their MODSEQ alone."""
    mailbox = selected.mailbox
    for start in range(0, len(indices), limits.IMAP_LINES):
        here, rows = selected.rows(indices[start : start + limits.IMAP_LINES])
        if arguments.silent:
            same = mailbox.columns.modseq[rows] <= position
            here, rows = here[same], rows[same]
        told = selected.render_flags(here, rows, uid=command.uid, silent=arguments.silent)
        session.out.write(told, mailbox.position)
        await session.out.relieve(limits.IMAP_STORED_HELD)


def _modified(selected: Selected, command: Command, indices: Indices) -> bytes:
    return render_modified(selected.uids[indices] if command.uid else indices + 1)


def check_flags(flags: Iterable[str]) -> None:
    """Refuse flags that no message can be given: \\Recent, those with a backslash that nobody defined, and novels."""
    for flag in flags:
        if len(flag) > limits.IMAP_KEYWORD_MAX:
            raise Refusal(f"A keyword can have {limits.IMAP_KEYWORD_MAX} characters", b"LIMIT")
        if flag.startswith("\\") and flag not in SYSTEM_FLAGS:
            raise Refusal("There is no such flag to set", b"CANNOT")
