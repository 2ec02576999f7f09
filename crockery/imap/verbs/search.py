"""SEARCH and UID SEARCH (RFC 9051 §6.4.4, RFC 3501 §6.4.4, RFC 4731 ESEARCH, RFC 5182 SEARCHRES, RFC 9394 PARTIAL)."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np

from crockery.imap.contexts import check_tag, keep_up_to_date
from crockery.imap.filters import expand_filters
from crockery.imap.matching import Matching
from crockery.imap.progress import Progress
from crockery.imap.results import render_results, saved_result
from crockery.imap.selected import NO_UIDS, Indices, Selected
from crockery.imap.session import DONE, Completed, Session
from crockery.imap.verbs.metadata import metadata_position, visible_entries
from crockery.imap.wire.errors import BadCommand, UidRequired
from crockery.imap.wire.parser import Command
from crockery.imap.wire.responses import render_numbers
from crockery.imap.wire.search import Changed, InSet, Named, Search, iterate_keys


async def handle_search(session: Session, command: Command, arguments: Search) -> Completed:
    """Find messages; the answer is ESEARCH where the client asked for it with RETURN, or enabled IMAP4rev2."""
    selected = session.require_selected()
    check_charset(session, command, arguments, None)
    with emptied_by_no(selected, arguments):
        arguments = with_filters(session, arguments)
        check_tag(session, command, arguments)
        found = await find_messages(session, selected, command, arguments)
    numbers = selected.uids[found] if command.uid else found + 1
    position = selected.mailbox.position
    modseq = highest_modseq(selected, arguments, found)
    if arguments.returns is None and not session.rev2:
        for piece in render_numbers(b"SEARCH", numbers, modseq):
            session.out.write(piece, position)
            await session.out.relieve()
    else:
        more = [b"MODSEQ %d" % modseq] if modseq else []
        session.out.write(render_results(command.tag, arguments, numbers, uid=command.uid, more=more), position)
        keep_up_to_date(session, command, arguments, found)
    return DONE


def check_charset(session: Session, command: Command, search: Search, allowed: str | None) -> None:
    """After UTF8=ACCEPT all is UTF-8: `allowed`, None where it need not be said, is all that may be (RFC 9755 §3)."""
    if session.features.utf8_accept and search.charset != allowed:
        raise BadCommand("There is no charset but UTF-8 after ENABLE UTF8=ACCEPT", command.tag)


@contextmanager
def emptied_by_no(selected: Selected | None, search: Search) -> Iterator[None]:
    """A NO to a search that saves empties `$`; a BAD leaves it (RFC 5182 §2.1)."""
    try:
        yield
    except BadCommand:
        raise
    except Exception:
        if selected is not None and search.wants("SAVE"):
            selected.saved = NO_UIDS
        raise


def with_filters(session: Session, search: Search) -> Search:
    """The search with its named ones written out."""
    if not any(isinstance(key, Named) for key in iterate_keys(search.key)):
        return search
    session.out.note(metadata_position(session))
    return replace(search, key=expand_filters(search.key, visible_entries(session, None)))


async def find_messages(session: Session, selected: Selected, command: Command, search: Search) -> Indices:
    """Ascending indices of the messages that a search finds, and `$` set where it says SAVE.

    A sequence number that no message has is nobody's, and no error (RFC 7377 §2).
    """
    if session.features.uid_only and any(isinstance(key, InSet) and not key.uid for key in iterate_keys(search.key)):
        raise UidRequired("There are no sequence numbers", command.tag)
    if names_modseq(search):
        session.enable("CONDSTORE")
    keys = session.shared.sort_keys.of(selected.mailbox)
    matching = Matching(selected, session.shared.messages, keys, session.out, now=session.store.now)
    found = await matching.search(search.key, Progress(session.out, command.tag))
    if search.wants("SAVE"):
        selected.saved = selected.uids[saved_result(search, found)]
    return found


def names_modseq(search: Search) -> bool:
    """Whether the key MODSEQ is in it, so that the answer tells the highest."""
    return any(isinstance(key, Changed) for key in iterate_keys(search.key))


def highest_modseq(selected: Selected, search: Search, found: Indices) -> int:
    """The highest MODSEQ of what is told of a result in its order (RFC 4731 §3.2); 0: it is not told."""
    if not names_modseq(search) or not len(found):
        return 0
    if not search.wants("ALL") and not search.wants("COUNT"):
        ends = [end for option, end in (("MIN", 0), ("MAX", -1)) if search.wants(option)]
        found = found[ends] if ends else found
    _, rows = selected.rows(np.unique(found))
    return int(selected.mailbox.columns.modseq[rows].max(initial=0))
