"""SORT and UID SORT (RFC 5256, RFC 5957 SORT=DISPLAY, RFC 5267 ESORT)."""

from crockery.imap.contexts import check_tag, keep_up_to_date
from crockery.imap.results import render_results, saved_result
from crockery.imap.selected import Indices, Selected
from crockery.imap.session import DONE, Completed, Session
from crockery.imap.verbs.search import check_charset, emptied_by_no, find_messages, highest_modseq, with_filters
from crockery.imap.wire.parser import Command
from crockery.imap.wire.responses import render_numbers
from crockery.imap.wire.sort import Criterion, Sort


async def handle_sort(session: Session, command: Command, arguments: Sort) -> Completed:
    """Find messages and tell them in order; with RETURN, as ESEARCH."""
    selected = session.require_selected()
    check_charset(session, command, arguments.search, "UTF-8")
    with emptied_by_no(selected, arguments.search):
        search = with_filters(session, arguments.search)
        check_tag(session, command, search)
        found = await find_messages(session, selected, command, search)
        ordered = await sort_messages(session, selected, arguments.criteria, found)
    if search.wants("SAVE"):
        selected.saved = selected.uids[saved_result(search, ordered)]
    modseq = highest_modseq(selected, search, ordered)
    numbers = selected.uids[ordered] if command.uid else ordered + 1
    position = selected.mailbox.position
    if search.returns is None:
        for piece in render_numbers(b"SORT", numbers, modseq):
            session.out.write(piece, position)
            await session.out.relieve()
    else:
        more = [b"MODSEQ %d" % modseq] if modseq else []
        session.out.write(render_results(command.tag, search, numbers, uid=command.uid, more=more), position)
        keep_up_to_date(session, command, search, ordered, arguments.criteria)
    return DONE


async def sort_messages(
    session: Session, selected: Selected, criteria: tuple[Criterion, ...], found: Indices
) -> Indices:
    """The same messages in order, but for those that are gone meanwhile; equal ones as in the mailbox."""
    keys = session.shared.sort_keys.of(selected.mailbox)
    await keys.load([criterion.key for criterion in criteria], session.shared.messages, session.out)
    here, _ = selected.rows(found)
    if len(here) < 2:
        return here
    ordered: Indices = here[keys.order(criteria, selected.uids[here])]
    return ordered
