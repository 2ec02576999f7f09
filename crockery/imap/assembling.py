"""A message put together of pieces: text that the client sends, and octets of messages that are here (RFC 4469).

Each piece is written in its turn, those of the log before the literal that follows them is taken, so that what is sent
goes straight to the log however long it is. Nothing is in a mailbox before all of the command is.
"""

from collections.abc import Sequence

import trio

from crockery import limits
from crockery.imap.errors import Refusal
from crockery.imap.session import Session
from crockery.imap.uploads import Upload
from crockery.imap.wire.append import Piece
from crockery.imap.wire.render import render_quoted
from crockery.imap.wire.url import MessageUrl, parse_url
from crockery.message.sections import section_bytes
from crockery.message.structure import parse_structure


async def upload_for(session: Session, index: int) -> Upload:
    """The upload of the command's message `index`, from 0; begun if there is none."""
    while len(session.uploads) <= index:
        session.uploads.append(Upload(session.store, session.services.writer, session.services.budget))
    return session.uploads[index]


async def write_pieces(session: Session, upload: Upload, pieces: Sequence[Piece]) -> None:
    """Write those of a message's pieces that have not been; the last may be a literal that is still to come.

    Raises Refusal (BADURL, TOOBIG, UNAVAILABLE), LogFull.
    """
    while upload.pieces < len(pieces):
        piece = pieces[upload.pieces]
        upload.pieces += 1
        if isinstance(piece, str):
            await _write_url(session, upload, piece)
        elif piece.data is not None:
            await upload.write(piece.data)
        if upload.size > session.framer.limits.message:
            raise Refusal("Message too large", b"TOOBIG")


async def reserve(session: Session, upload: Upload, size: int) -> None:
    """Make room for a literal of `size` octets. Raises Refusal (TOOBIG, INUSE)."""
    if upload.size + size > session.framer.limits.message:
        raise Refusal("Message too large", b"TOOBIG")
    try:
        await upload.begin(size)
    except trio.TooSlowError:
        raise Refusal("Too much is coming in at the moment; try again later", b"INUSE") from None


async def _write_url(session: Session, upload: Upload, text: str) -> None:
    url = parse_url(text)
    found = None if url is None else _find(session, url)
    if url is None or found is None:
        raise _bad_url(text)
    number, size = found
    if size > limits.IMAP_URL_OCTETS_MAX:
        raise Refusal("The message is too large to take a piece of", b"TOOBIG")
    session.octets_taken += size
    if session.octets_taken > limits.IMAP_URLS_OCTETS_MAX:
        raise Refusal("The URLs of one command can name so many octets only", b"LIMIT")
    messages = session.shared.messages
    async with messages.holding(size):
        data = await trio.to_thread.run_sync(lambda: _octets(messages.read(number), url))
        if data is None:
            raise _bad_url(text)
        for start in range(0, len(data), limits.IMAP_STREAM_STEP):
            await upload.write(data[start : start + limits.IMAP_STREAM_STEP])


def _find(session: Session, url: MessageUrl) -> tuple[int, int] | None:
    """Number and size of the message."""
    if url.mailbox is None:
        mailbox = None if session.selected is None else session.selected.mailbox
    else:
        mailbox = session.store.state.mailboxes.find(session.account, url.mailbox)
    if mailbox is None or url.uid_validity not in (None, mailbox.uidvalidity):
        return None
    columns = mailbox.columns
    at = int(columns.uid.searchsorted(url.uid))
    if at == len(columns) or int(columns.uid[at]) != url.uid:
        return None
    return int(columns.number[at]), int(columns.size[at])


def _octets(data: bytes, url: MessageUrl) -> bytes | None:
    section = url.section
    octets: bytes | memoryview | None = data
    if section.part or section.text:
        octets = section_bytes(data, parse_structure(data), section.part, section.text, section.fields)
    if octets is None:
        return None
    if url.partial is not None:
        start, length = url.partial
        octets = octets[start:] if length is None else octets[start : start + length]
    return bytes(octets)


def _bad_url(text: str) -> Refusal:
    shown = text.encode("ascii", "replace").replace(b"\r", b"?").replace(b"\n", b"?")[:200]
    return Refusal("There is nothing here with that URL", b"BADURL " + render_quoted(shown))
