"""Searches that stay up to date: the return option UPDATE of SEARCH and SORT (RFC 5267 §4.3).

A context keeps the UIDs it found, in their order. When the view tells changes, messages that changed or came since are
looked at again, and what enters or leaves the result is told as ADDTO and REMOVEFROM: expunged ones before their
EXPUNGE, new ones after their EXISTS, so that sequence numbers mean what the client thinks.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from crockery import limits
from crockery.imap.errors import Refusal
from crockery.imap.matching import Matching
from crockery.imap.selected import Indices, Selected, Uids, find_sorted
from crockery.imap.session import Session
from crockery.imap.wire.errors import BadCommand
from crockery.imap.wire.parser import Command
from crockery.imap.wire.render import render_status
from crockery.imap.wire.response_codes import render_no_update
from crockery.imap.wire.responses import render_update
from crockery.imap.wire.search import Aged, HasFlag, InSet, Key, Search, iterate_keys
from crockery.imap.wire.sort import Criterion


@dataclass(slots=True)
class Context:
    """One search kept up to date. Without `criteria` its result is in the order of the mailbox."""

    tag: bytes
    key: Key
    criteria: tuple[Criterion, ...]
    uid: bool
    uids: Uids
    position: int
    """Messages that changed later than this event have not been looked at again."""


@dataclass(slots=True)
class Contexts:
    """Those of one selected mailbox; void when the session has another."""

    view: Selected
    by_tag: dict[bytes, Context] = field(default_factory=dict)


def contexts_of(session: Session) -> dict[bytes, Context]:
    """The session's contexts by tag; empty where there are none."""
    contexts = session.contexts
    if contexts is None or contexts.view is not session.selected:
        return {}
    return contexts.by_tag


def check_tag(session: Session, command: Command, search: Search) -> None:
    """A tag names one context only (§4.3). Raises BadCommand."""
    if search.wants("UPDATE") and command.tag in contexts_of(session):
        raise BadCommand("Tag reuse", command.tag)


def keep_up_to_date(
    session: Session, command: Command, search: Search, result: Indices, criteria: tuple[Criterion, ...] = ()
) -> None:
    """Open the context of a search that was just done, if it asks for that; or say that there will be no updates."""
    view = session.selected
    if not search.wants("UPDATE"):
        return
    if view is None or not all(map(_can_follow, iterate_keys(search.key))):
        refuse_updates(session, command.tag, "What this search asks for changes in ways that are not followed")
        return
    if session.contexts is None or session.contexts.view is not view:
        session.contexts = Contexts(view)
    contexts = session.contexts.by_tag
    if len(contexts) >= limits.IMAP_CONTEXTS_MAX:
        refuse_updates(session, command.tag, "Too many contexts")
        return
    uid = command.uid or command.verb == "ESEARCH"
    contexts[command.tag] = Context(command.tag, search.key, criteria, uid, view.uids[result], view.told)


def _can_follow(key: Key) -> bool:
    """False for keys whose truth changes although the message does not: numbers, `$`, \\Recent, and ages."""
    match key:
        case InSet(messages, uid):
            return uid and not messages.saved
        case HasFlag(flag):
            return flag != "\\Recent"
        case Aged():
            return False
    return True


def refuse_updates(session: Session, tag: bytes, why: str) -> None:
    """`* NO [NOUPDATE "tag"]`: the context is not there, or not any more."""
    session.out.write(render_status(b"NO", why, code=render_no_update(tag)))


def cancel(session: Session, command: Command, tags: Iterable[bytes]) -> None:
    """CANCELUPDATE. Raises BadCommand, having cancelled none, if any of the tags is no context's."""
    contexts = contexts_of(session)
    if any(tag not in contexts for tag in tags):
        raise BadCommand("No search with that tag is kept up to date", command.tag)
    for tag in tags:
        contexts.pop(tag, None)


async def tell_changes(session: Session, *, expunge: bool, uid: bool = False) -> None:
    """As Session.tell_changes, with the changes of all contexts around it."""
    contexts = contexts_of(session)
    if contexts and expunge:
        for context in contexts.values():
            _tell_expunged(session, context)
    session.tell_changes(expunge=expunge, uid=uid)
    for context in list(contexts.values()):
        try:
            told = await _update(session, context)
        except Refusal as refusal:
            told, why = False, refusal.text
        else:
            why = "Too many changes: search again"
        if not told:
            del contexts[context.tag]
            refuse_updates(session, context.tag, why)


def _tell_expunged(session: Session, context: Context) -> None:
    view = session.require_selected()
    gone = ~np.isin(context.uids, view.mailbox.columns.uid, assume_unique=True)
    if gone.any():
        _write(session, context, b"REMOVEFROM", np.flatnonzero(gone)[::-1], context.uids)
        context.uids = context.uids[~gone]


async def _update(session: Session, context: Context) -> bool:
    """Look again at what changed. False if that is too much to tell."""
    view = session.require_selected()
    columns, told = view.mailbox.columns, view.told
    if told <= context.position:
        return True
    changed = find_sorted(view.uids, columns.uid[columns.modseq > context.position])
    matching = Matching(view, session.shared.messages, session.out, now=session.store.now, among=changed)
    fits = view.uids[await matching.search(context.key)]
    before = context.uids
    leaving = np.isin(before, view.uids[changed], assume_unique=True) & ~np.isin(before, fits, assume_unique=True)
    entering = fits[~np.isin(fits, before, assume_unique=True)]
    if not leaving.any() and not len(entering):
        context.position = told
        return True
    if context.criteria and int(leaving.sum()) + len(entering) > limits.IMAP_CONTEXT_CHANGES_MAX:
        return False
    after = np.sort(np.concatenate((before[~leaving], entering)))
    if context.criteria:
        keys = session.shared.sort_keys.of(view.mailbox)
        await keys.load([one.key for one in context.criteria], session.shared.messages, session.out)
        if not np.isin(after, view.mailbox.columns.uid, assume_unique=True).all():
            return True  # some are gone: their EXPUNGE comes first, and then this is done again
        after = after[keys.order(context.criteria, after)]
    context.position = told
    context.uids = after
    _write(session, context, b"REMOVEFROM", np.flatnonzero(leaving)[::-1], before)
    _write(session, context, b"ADDTO", np.flatnonzero(np.isin(after, entering, assume_unique=True)), after)
    return True


def _write(session: Session, context: Context, what: bytes, places: Indices, uids: Uids) -> None:
    """Tell of members at these places of a result. Removing goes from the end, so that places hold still."""
    if not len(places):
        return
    view = session.require_selected()
    numbers = uids.astype(np.int64) if context.uid else view.uids.searchsorted(uids) + 1
    if context.criteria:
        pairs = [(place + 1, numbers[place : place + 1]) for place in places.tolist()]
    else:
        pairs = [(0, np.sort(numbers[places]))]
    line = render_update(context.tag, what, _joined(pairs, what), uid=context.uid)
    session.out.write(line, view.mailbox.position)


def _joined(pairs: list[tuple[int, Indices]], what: bytes) -> list[tuple[int, Indices]]:
    """Neighbours with rising numbers as one pair, as the RFC prefers (§4.3.3)."""
    if len(pairs) < 2:
        return pairs
    rising = pairs if what == b"ADDTO" else pairs[::-1]
    runs: list[tuple[int, list[Indices]]] = []
    for place, numbers in rising:
        if runs and place == runs[-1][0] + len(runs[-1][1]) and numbers[0] > runs[-1][1][-1][0]:
            runs[-1][1].append(numbers)
        else:
            runs.append((place, [numbers]))
    joined = [(place, np.concatenate(members)) for place, members in runs]
    return joined if what == b"ADDTO" else joined[::-1]
