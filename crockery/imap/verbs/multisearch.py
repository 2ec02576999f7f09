"""ESEARCH: one search over several mailboxes (RFC 7377)."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from crockery.actions.mailboxes import DELIMITER, INBOX, canonical_name
from crockery.imap.contexts import check_tag, contexts_of, keep_up_to_date, refuse_updates
from crockery.imap.results import render_results
from crockery.imap.selected import Selected
from crockery.imap.session import DONE, Completed, Session
from crockery.imap.verbs.listing import ancestors
from crockery.imap.verbs.search import check_charset, emptied_by_no, find_messages, highest_modseq, with_filters
from crockery.imap.wire.errors import BadCommand
from crockery.imap.wire.multisearch import MailboxFilter, Multisearch
from crockery.imap.wire.parser import Command
from crockery.imap.wire.responses import render_mailbox_correlator
from crockery.imap.wire.search import InSet, Search, iterate_keys
from crockery.projections.mailboxes import Mailbox

SELECTED: Final = MailboxFilter("SELECTED")


async def handle_multisearch(session: Session, command: Command, arguments: Multisearch) -> Completed:
    """Search each mailbox in turn; those where nothing is found are not told of."""
    check_charset(session, command, arguments.search, None)
    with emptied_by_no(session.selected, arguments.search):
        search = with_filters(session, arguments.search)
        arguments = replace(arguments, search=search)
        _check(session, command, arguments)
        check_tag(session, command, search)
        session.out.note(session.list_position)
        for mailbox in list(choose_mailboxes(session, arguments.sources)):
            if mailbox.id not in session.store.state.mailboxes.by_id:
                continue  # gone while others were searched
            await _search_one(session, command, search, mailbox)
            await session.out.relieve()
    if search.wants("UPDATE") and command.tag not in contexts_of(session):
        refuse_updates(session, command.tag, "Only the selected mailbox is kept up to date")
    return DONE


def _check(session: Session, command: Command, arguments: Multisearch) -> None:
    sources = arguments.sources or (SELECTED,)
    if session.selected is None and (SELECTED in sources or arguments.search.wants("UPDATE")):
        raise BadCommand("No mailbox is selected", command.tag)
    if all(source == SELECTED for source in sources):
        return
    if arguments.search.wants("SAVE"):
        raise BadCommand("SAVE needs the selected mailbox alone", command.tag)
    for key in iterate_keys(arguments.search.key):
        if isinstance(key, InSet) and (key.messages.saved or not key.uid):
            raise BadCommand("Sequence numbers and $ need the selected mailbox alone", command.tag)


async def _search_one(session: Session, command: Command, search: Search, mailbox: Mailbox) -> None:
    view = session.selected
    if view is None or view.mailbox is not mailbox:
        view = Selected(mailbox, session.shared.recents, read_only=True, features=session.features)
    found = await find_messages(session, view, command, search)
    if view is session.selected:
        keep_up_to_date(session, command, search, found)
    if len(found):
        correlator = render_mailbox_correlator(mailbox.name, mailbox.uidvalidity, utf8=session.utf8)
        modseq = highest_modseq(view, search, found)
        more = [b"MODSEQ %d" % modseq] if modseq else []
        line = render_results(command.tag, search, view.uids[found], uid=True, mailbox=correlator, more=more)
        session.out.write(line, mailbox.position)


def choose_mailboxes(session: Session, sources: Iterable[MailboxFilter]) -> Iterable[Mailbox]:
    """The mailboxes that any of the filters means, each once, INBOX first, then by name; without filters, the selected.

    What is not there is passed over (RFC 5465 §6).
    """
    existing = session.store.state.mailboxes.of_account(session.account)
    names: set[str] = set()
    for source in sources or (SELECTED,):
        names.update(_names(session, source, existing))
    return [existing[name] for name in sorted(names, key=lambda name: (name != INBOX, name)) if name in existing]


def _names(session: Session, source: MailboxFilter, existing: Iterable[str]) -> Iterable[str]:
    given = {canonical_name(name) for name in source.names}
    match source.kind:
        case "SELECTED":
            return () if session.selected is None else (session.selected.mailbox.name,)
        case "INBOXES":
            return (INBOX,)
        case "PERSONAL":
            return existing
        case "SUBSCRIBED":
            return session.store.state.mailboxes.subscriptions.get(session.account, ())
        case "MAILBOXES":
            return given
        case "SUBTREE-ONE":
            return [name for name in existing if name in given or name.rpartition(DELIMITER)[0] in given]
    return [name for name in existing if name in given or ancestors((name,)) & given]
