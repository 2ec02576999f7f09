"""SEARCH and UID SEARCH (RFC 9051 §6.4.4, RFC 3501 §6.4.4, RFC 4731 ESEARCH, RFC 5182 SEARCHRES, RFC 9394 PARTIAL)."""

from crockery.imap.matching import Matching
from crockery.imap.results import render_results, saved_result
from crockery.imap.selected import NO_UIDS, Indices, Selected
from crockery.imap.session import DONE, Completed, Session
from crockery.imap.wire.errors import BadCommand
from crockery.imap.wire.parser import Command
from crockery.imap.wire.responses import render_search
from crockery.imap.wire.search import And, InSet, Key, Not, Or, Search


async def handle_search(session: Session, command: Command, arguments: Search) -> Completed:
    """Find messages; the answer is ESEARCH where the client asked for it with RETURN, or enabled IMAP4rev2."""
    selected = session.require_selected()
    found = await find_messages(session, selected, command, arguments)
    numbers = selected.uids[found] if command.uid else found + 1
    position = selected.mailbox.position
    if arguments.returns is None and not session.rev2:
        session.out.write(render_search(numbers.tolist()), position)
    else:
        session.out.write(render_results(command.tag, arguments, numbers, uid=command.uid), position)
    return DONE


async def find_messages(session: Session, selected: Selected, command: Command, search: Search) -> Indices:
    """Ascending indices of the messages that a search finds, and `$` set where it says SAVE."""
    check_numbers(search.key, len(selected), command)
    saves = search.wants("SAVE")
    matching = Matching(selected, session.shared.messages, session.out, now=session.store.now)
    try:
        found = await matching.search(search.key)
    except Exception:
        if saves:
            selected.saved = NO_UIDS  # a NO empties it (RFC 5182 §2.1)
        raise
    if saves:
        selected.saved = selected.uids[saved_result(search, found)]
    return found


def check_numbers(key: Key, count: int, command: Command) -> None:
    """Sequence numbers that no message has are BAD, wherever they stand."""
    match key:
        case And(keys) | Or(keys):
            for one in keys:
                check_numbers(one, count, command)
        case Not(inner):
            check_numbers(inner, count, command)
        case InSet(messages, False) if messages.exceeds(count):
            raise BadCommand("There is no message with that number", command.tag)
