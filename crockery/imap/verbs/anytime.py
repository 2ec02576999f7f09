"""CAPABILITY, NOOP, CHECK, LOGOUT, ID, ENABLE, NAMESPACE (RFC 9051 §6.1, §6.3.1, §6.3.10, RFC 2971)."""

from crockery import __version__
from crockery.imap.features import ENABLEABLE
from crockery.imap.session import DONE, Completed, Session
from crockery.imap.watching import begin_watch
from crockery.imap.wire.access import Enable, Id, NoArguments
from crockery.imap.wire.parser import Command
from crockery.imap.wire.render import render_status
from crockery.imap.wire.responses import render_capabilities, render_enabled, render_id, render_namespace


async def handle_capability(session: Session, command: Command, arguments: NoArguments) -> Completed:
    """Tell what is offered now."""
    session.out.write(render_capabilities(session.capabilities()))
    return DONE


async def handle_noop(session: Session, command: Command, arguments: NoArguments) -> Completed:
    """Nothing: changes are told after every command. CHECK is the same, since everything told is on disk."""
    return DONE


async def handle_logout(session: Session, command: Command, arguments: NoArguments) -> Completed:
    """Say goodbye first, as the RFC wants."""
    session.selected = None
    session.out.write(render_status(b"BYE", "Logging out"))
    session.ending = True
    return DONE


async def handle_id(session: Session, command: Command, arguments: Id) -> Completed:
    """Exchange names of programs; the client's goes into the log with what it does."""
    fields = {name.lower(): value for name, value in arguments.fields or () if value}
    client = " ".join(fields[name] for name in ("name", "version") if name in fields)[:100]
    session.client = "".join(character for character in client if character.isprintable())
    session.actor.client = session.client
    session.out.write(render_id({"name": "Crockery", "version": __version__}))
    return DONE


async def handle_enable(session: Session, command: Command, arguments: Enable) -> Completed:
    """Switch extensions on; what is unknown is passed over (RFC 5161). What was heard of the mailbox so far is told."""
    names = [name for name in arguments.capabilities if name in ENABLEABLE]
    session.tell_changes(expunge=True)
    session.out.write(render_enabled([ENABLEABLE[name] for name in names]))
    session.enable(*names)
    if "METADATA" in names:
        begin_watch(session).metadata = True
    return DONE


async def handle_namespace(session: Session, command: Command, arguments: NoArguments) -> Completed:
    """One personal namespace with an empty prefix."""
    session.out.write(render_namespace())
    return DONE
