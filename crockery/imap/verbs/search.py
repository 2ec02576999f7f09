"""SEARCH and UID SEARCH (RFC 9051 §6.4.4, RFC 3501 §6.4.4, RFC 4731 ESEARCH, RFC 5182 SEARCHRES)."""

from crockery.imap.matching import Matching
from crockery.imap.selected import Indices, Selected
from crockery.imap.session import DONE, Completed, Session
from crockery.imap.wire.errors import BadCommand
from crockery.imap.wire.parser import Command
from crockery.imap.wire.responses import render_esearch, render_search
from crockery.imap.wire.search import And, InSet, Key, Not, Or, Search


async def handle_search(session: Session, command: Command, arguments: Search) -> Completed:
    """Find messages; the answer is ESEARCH where the client asked for it with RETURN, or enabled IMAP4rev2."""
    selected = session.require_selected()
    _check_numbers(arguments.key, len(selected), command)
    matching = Matching(selected, session.shared.messages, session.out)
    found = await matching.search(arguments.key)
    if arguments.wants("SAVE"):
        _save(selected, arguments, found)
    numbers = selected.uids[found] if command.uid else found + 1
    position = selected.mailbox.position
    if arguments.returns is None and not session.rev2:
        session.out.write(render_search(numbers.tolist()), position)
        return DONE
    everything = arguments.returns is None or arguments.wants("ALL")
    if everything or len(arguments.returns or ()) > arguments.wants("SAVE"):
        some = len(numbers) > 0
        line = render_esearch(
            command.tag,
            uid=command.uid,
            smallest=int(numbers[0]) if some and arguments.wants("MIN") else None,
            largest=int(numbers[-1]) if some and arguments.wants("MAX") else None,
            count=len(numbers) if arguments.wants("COUNT") else None,
            members=numbers if everything else None,
        )
        session.out.write(line, position)
    return DONE


def _save(selected: Selected, arguments: Search, found: Indices) -> None:
    """Set `$`: to MIN and MAX if only these were asked for, else to all that was found (RFC 5182 §2.4)."""
    ends = [index for option, index in (("MIN", 0), ("MAX", -1)) if arguments.wants(option)]
    if ends and len(found) and not arguments.wants("ALL") and not arguments.wants("COUNT"):
        found = found[sorted({index % len(found) for index in ends})]
    selected.saved = selected.uids[found]


def _check_numbers(key: Key, count: int, command: Command) -> None:
    """Sequence numbers that no message has are BAD, wherever they stand."""
    match key:
        case And(keys) | Or(keys):
            for one in keys:
                _check_numbers(one, count, command)
        case Not(inner):
            _check_numbers(inner, count, command)
        case InSet(messages, False) if messages.exceeds(count):
            raise BadCommand("There is no message with that number", command.tag)
