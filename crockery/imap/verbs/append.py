"""APPEND (RFC 9051 §6.3.12, RFC 3502 MULTIAPPEND, RFC 4469 CATENATE, RFC 4315 §3 APPENDUID) and REPLACE (RFC 8508).

The octets are kept as they came, without anything added; all messages of a command come into the mailbox, or none.
"""

import math
from typing import NamedTuple

from crockery.actions.incoming import ReceivedBody, received
from crockery.actions.mail import Delivery, add_delivery, add_expunge
from crockery.actions.store import Atom
from crockery.imap.assembling import reserve, upload_for, write_pieces
from crockery.imap.errors import Refusal
from crockery.imap.selected import Selected, Uids
from crockery.imap.session import DONE, Completed, Session
from crockery.imap.verbs.fetch import select_messages
from crockery.imap.verbs.store import check_flags
from crockery.imap.wire.append import Append, AppendMessage, Replace
from crockery.imap.wire.framer import Literal
from crockery.imap.wire.parser import Command
from crockery.imap.wire.render import render_status
from crockery.imap.wire.response_codes import render_append_uid
from crockery.message.conversation import Conversation, read_conversation
from crockery.message.headers import header_length
from crockery.projections.mailboxes import Mailbox


class Ready(NamedTuple):
    """A message that can be put into the mailbox."""

    message: AppendMessage
    body: ReceivedBody
    conversation: Conversation


async def begin_upload(session: Session, command: Command, arguments: Append | Replace, literal: Literal) -> None:
    """A large literal is about to be sent: refuse it now, or make ready for it."""
    append = arguments
    if isinstance(arguments, Replace):
        _find_replaced(session.require_writable(), command, arguments)
        append = arguments.append
    assert isinstance(append, Append)
    _check(session, append)
    index = len(append.messages) - 1
    upload = await upload_for(session, index)
    await write_pieces(session, upload, append.messages[index].pieces)
    await reserve(session, upload, literal.size)


async def handle_append(session: Session, command: Command, arguments: Append) -> Completed:
    """Keep the messages, in one atom; the tagged OK leaves when they are on disk."""
    ready = await _receive(session, arguments)
    mailbox = _check(session, arguments)  # again: others may have had a turn
    atom = session.store.atom(session.actor)
    uids = _add(session, atom, mailbox, ready, command)
    atom.commit()
    session.brought(mailbox, uids[0], len(uids))
    return Completed(code=render_append_uid(mailbox.uidvalidity, uids))


async def handle_replace(session: Session, command: Command, arguments: Replace) -> Completed:
    """Keep the message and expunge the one that it replaces, in one atom; APPENDUID is told before the EXPUNGE."""
    selected = session.require_writable()
    _find_replaced(selected, command, arguments)
    ready = await _receive(session, arguments.append)
    mailbox = _check(session, arguments.append)
    replaced = _find_replaced(selected, command, arguments)
    atom = session.store.atom(session.actor)
    uids = _add(session, atom, mailbox, ready, command)
    add_expunge(session.store, atom, selected.mailbox, replaced, cmd=command.verb)
    atom.commit()
    session.brought(mailbox, uids[0], len(uids))
    code = render_append_uid(mailbox.uidvalidity, uids)
    session.out.write(render_status(b"OK", "Replacement is here", code=code))
    return DONE


def _check(session: Session, append: Append) -> Mailbox:
    for message in append.messages:
        check_flags(message.flags)
        if message.literal is not None and message.literal.size == 0:
            raise Refusal("A message of no octets is none", b"CANNOT")
    return session.find_mailbox(append.mailbox, missing=b"TRYCREATE")


def _find_replaced(selected: Selected, command: Command, arguments: Replace) -> Uids:
    """The UID of the message that is to go; it must be there."""
    indices = select_messages(selected, command, arguments.replaced)
    if not len(indices):
        raise Refusal("There is no message to replace", b"NONEXISTENT")
    here, _ = selected.rows(indices)
    if not len(here):
        raise Refusal("The message to replace is gone", b"EXPUNGEISSUED")
    return selected.uids[here]


async def _receive(session: Session, append: Append) -> list[Ready]:
    """The messages, stored or ready to be.

    Mail with 8-bit characters in its header is taken from any client, not only (RFC 9755 section 4) after UTF8=ACCEPT:
    there is much of it, and a client that moves mail here must be able to bring it as it is.
    """
    _check(session, append)
    ready: list[Ready] = []
    for index, message in enumerate(append.messages):
        data = None if message.literal is None else message.literal.data
        if data is not None:
            header = data[: header_length(data)]
            body = received(data)
        else:
            upload = await upload_for(session, index)
            await write_pieces(session, upload, message.pieces)
            if not upload.size:
                raise Refusal("A message of no octets is none", b"CANNOT")
            header = upload.header
            body = upload.finish()
        if message.utf8 and not session.features.utf8:
            raise Refusal("UTF8 (...) is for those who enabled UTF8=ACCEPT", b"CANNOT")
        ready.append(Ready(message, body, read_conversation(header)))
        await session.out.pause()
    return ready


def _add(session: Session, atom: Atom, mailbox: Mailbox, messages: list[Ready], command: Command) -> list[int]:
    uids: list[int] = []
    for message, body, conversation in messages:
        moment = message.internal_date
        uids += add_delivery(
            session.store,
            atom,
            body,
            [Delivery(mailbox, b"", message.flags)],
            via="append",
            message_id=conversation.message_id,
            keys=conversation.keys,
            date=None if moment is None else math.floor(moment.timestamp()),
            cmd=command.verb,
        )
    return uids
