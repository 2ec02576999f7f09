"""STORE and UID STORE (RFC 9051 §6.4.6)."""

from collections.abc import Iterable

from crockery import limits
from crockery.actions.mail import store_flags
from crockery.imap.errors import Refusal
from crockery.imap.session import DONE, Completed, Session
from crockery.imap.verbs.fetch import select_messages
from crockery.imap.wire.errors import BadCommand
from crockery.imap.wire.messages import Store
from crockery.imap.wire.parser import Command
from crockery.projections.mailboxes import SYSTEM_FLAGS


async def handle_store(session: Session, command: Command, arguments: Store) -> Completed:
    """Change flags, in one event however many messages; answer with the flags of all of them unless silent."""
    if arguments.modifiers:
        raise BadCommand(f"Unknown store modifier {arguments.modifiers[0].name}", command.tag)
    selected = session.require_writable()
    indices = select_messages(selected, command, arguments.messages)
    check_flags(arguments.flags)
    # What others did before is told first: of what is ours, a silent client then needs to hear nothing.
    session.out.write(selected.tell_flags(uid=command.uid), selected.mailbox.position)
    here, rows = selected.rows(indices)
    mailbox = selected.mailbox
    uids = mailbox.columns.uid[rows]
    changed = store_flags(
        session.store, session.actor, mailbox, uids, arguments.action or "=", arguments.flags, cmd=command.verb
    )
    if len(changed):
        selected.know(mailbox.position)
        session.changed()
    if not arguments.silent:
        session.out.write(selected.render_flags(here, rows, uid=command.uid), mailbox.position)
    return DONE


def check_flags(flags: Iterable[str]) -> None:
    """Refuse flags that no message can be given: \\Recent, those with a backslash that nobody defined, and novels."""
    for flag in flags:
        if len(flag) > limits.IMAP_KEYWORD_MAX:
            raise Refusal(f"A keyword can have {limits.IMAP_KEYWORD_MAX} characters", b"LIMIT")
        if flag.startswith("\\") and flag not in SYSTEM_FLAGS:
            raise Refusal("There is no such flag to set", b"CANNOT")
