"""CREATE, DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE (RFC 9051 §6.3.4 to §6.3.8, RFC 6154 §3)."""

from crockery.actions.mailboxes import change_subscriptions, create_mailbox, delete_mailbox, rename_mailbox
from crockery.actions.metadata import SPECIAL_USES
from crockery.imap.errors import Refusal
from crockery.imap.session import DONE, Completed, Session
from crockery.imap.wire.errors import BadCommand
from crockery.imap.wire.mailboxes import Create, MailboxArgument, Rename
from crockery.imap.wire.parser import Command
from crockery.imap.wire.render import render_status
from crockery.imap.wire.response_codes import render_mailbox_id


async def handle_create(session: Session, command: Command, arguments: Create) -> Completed:
    """Create a mailbox and the levels above it."""
    if arguments.params:
        raise BadCommand(f"Unknown create parameter {arguments.params[0].name}", command.tag)
    use = None
    if arguments.special_use:
        use = SPECIAL_USES.get(arguments.special_use[0].lower())
        taken = use and session.store.state.mailboxes.with_special_use(session.account, use) is not None
        if use is None or taken or len(arguments.special_use) > 1:
            raise Refusal("A mailbox with that use cannot be made, or there is one already", b"USEATTR")
    created = create_mailbox(session.store, session.actor, session.account, arguments.mailbox, use)
    session.changed()
    return Completed(code=render_mailbox_id(created.id))


async def handle_delete(session: Session, command: Command, arguments: MailboxArgument) -> Completed:
    """Delete a mailbox. Whoever has it selected is disconnected (RFC 2180 §3.3), but for this session itself."""
    mailbox = session.find_mailbox(arguments.mailbox)
    delete_mailbox(session.store, session.actor, session.account, mailbox.name)
    session.changed()
    if session.selected is not None and session.selected.mailbox is mailbox:
        session.selected = None
        session.out.write(render_status(b"OK", "The selected mailbox is deleted", code=b"CLOSED"))
    return DONE


async def handle_rename(session: Session, command: Command, arguments: Rename) -> Completed:
    """Rename a mailbox with all below it; sessions that have one selected go on with it under its new name."""
    rename_mailbox(session.store, session.actor, session.account, arguments.mailbox, arguments.new_name)
    session.changed()
    return DONE


async def handle_subscribe(session: Session, command: Command, arguments: MailboxArgument) -> Completed:
    """Add a name to the list that LSUB shows; it need not exist."""
    change_subscriptions(session.store, session.actor, session.account, add=arguments.mailbox)
    session.changed()
    return DONE


async def handle_unsubscribe(session: Session, command: Command, arguments: MailboxArgument) -> Completed:
    """Take a name off that list."""
    change_subscriptions(session.store, session.actor, session.account, remove=arguments.mailbox)
    session.changed()
    return DONE
