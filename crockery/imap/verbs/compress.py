"""COMPRESS (RFC 4978) and UNAUTHENTICATE (RFC 8437), which change what the octets after them are."""

from crockery.imap.session import Session
from crockery.imap.wire.access import NoArguments
from crockery.imap.wire.compress import Compress, Deflater, Inflater
from crockery.imap.wire.errors import BadCommand
from crockery.imap.wire.parser import Command
from crockery.imap.wire.render import render_status


async def handle_compress(session: Session, command: Command, arguments: Compress) -> None:
    """Compress from the tagged OK on; what came in behind the command is compressed already (RFC 4978 §3)."""
    if session.inflater is not None:
        raise BadCommand("DEFLATE is active already", command.tag)
    session.out.write(render_status(b"OK", "DEFLATE active", tag=command.tag))
    await session.out.compress(Deflater())
    session.inflater = Inflater()
    session.inflater.receive_data(session.framer.take_buffer())


async def handle_unauthenticate(session: Session, command: Command, arguments: NoArguments) -> None:
    """Back to before login, for another account; TLS stays, compression and all else ends (RFC 8437 §3)."""
    if not session.store.state.settings.get("imap-unauthenticate"):
        raise BadCommand("UNAUTHENTICATE is switched off", command.tag)
    session.out.write(render_status(b"OK", "Nobody is logged in now", tag=command.tag))
    session.leave()
    if session.inflater is not None:
        await session.out.compress(None)
        rest = session.inflater.take_rest()
        session.inflater = None
        session.framer.receive_data(rest)
