"""APPEND (RFC 9051 §6.3.12, RFC 4315 §3 APPENDUID). The octets are kept as they came, without anything added."""

import math

import trio

from crockery.actions.incoming import ReceivedBody, received
from crockery.actions.mail import Delivery, deliver
from crockery.imap.errors import Refusal
from crockery.imap.session import Completed, Session
from crockery.imap.uploads import Upload, find_message_id
from crockery.imap.verbs.store import check_flags
from crockery.imap.wire.append import Append, AppendMessage
from crockery.imap.wire.errors import BadCommand
from crockery.imap.wire.framer import Literal
from crockery.imap.wire.parser import Command
from crockery.imap.wire.response_codes import render_append_uid
from crockery.projections.mailboxes import Mailbox


async def begin_upload(session: Session, command: Command, arguments: Append, literal: Literal) -> None:
    """A large message is about to be sent: refuse it now, or make ready for it."""
    _check(session, command, arguments)
    upload = Upload(session.store, session.services.writer, session.services.budget)
    try:
        await upload.begin(literal.size)
    except trio.TooSlowError:
        raise Refusal("Too much is coming in at the moment; try again later", b"INUSE") from None
    session.uploads.append(upload)


async def handle_append(session: Session, command: Command, arguments: Append) -> Completed:
    """Keep the message; the tagged OK leaves when it is on disk."""
    mailbox = _check(session, command, arguments)
    message = arguments.messages[0]
    body, message_id = _body(session, message)
    moment = message.internal_date
    (uid,) = deliver(
        session.store,
        session.actor,
        body,
        [Delivery(mailbox, b"", message.flags)],
        via="append",
        message_id=message_id,
        date=None if moment is None else math.floor(moment.timestamp()),
        cmd="APPEND",
    )
    session.changed()
    return Completed(code=render_append_uid(mailbox.uidvalidity, [uid]))


def _check(session: Session, command: Command, arguments: Append) -> Mailbox:
    if len(arguments.messages) != 1:
        raise BadCommand("One message at a time", command.tag)
    check_flags(arguments.messages[0].flags)
    if arguments.messages[0].literal.size == 0:
        raise Refusal("A message of no octets is none", b"CANNOT")
    return session.find_mailbox(arguments.mailbox, missing=b"TRYCREATE")


def _body(session: Session, message: AppendMessage) -> tuple[ReceivedBody, str]:
    data = message.literal.data
    if data is None:
        return session.uploads[-1].finish()
    return received(data), find_message_id(data)
