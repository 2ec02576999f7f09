"""Searches that stay up to date: the return option UPDATE of SEARCH and SORT (RFC 5267 §4.3, RFC 5465 §7).

A context keeps the UIDs it found, in their order. When the view tells changes, messages that changed or came since are
looked at again, and what enters or leaves the result is told as ADDTO and REMOVEFROM: expunged ones before their
EXPUNGE, new ones after their EXISTS, so that sequence numbers mean what the client thinks. Where RFC 5465 contradicts
itself (§5.2, §7), what is fetched of new messages comes before the ADDTO, as in its example.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from crockery import limits
from crockery.imap.errors import Refusal
from crockery.imap.fetching import Plan
from crockery.imap.matching import Matching
from crockery.imap.recent import Ranges, in_ranges
from crockery.imap.selected import Indices, Selected, Uids, find_sorted
from crockery.imap.sending import send_messages
from crockery.imap.session import Session
from crockery.imap.wire.errors import BadCommand
from crockery.imap.wire.fetch import Item
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
    newest: int
    """The highest UID that was looked at."""
    items: tuple[Item, ...] = ()
    """What to fetch of new messages."""


class Update(NamedTuple):
    """What is to be told of one context: ESEARCH responses, and UIDs of new messages of which something is fetched."""

    lines: bytes = b""
    new: tuple[int, ...] = ()


@dataclass(slots=True)
class Contexts:
    """Those of one selected mailbox; void when the session has another."""

    view: Selected
    by_tag: dict[bytes, Context] = field(default_factory=dict)
    brought: Ranges = field(default_factory=list)
    """UIDs that the session put into the mailbox itself (APPEND, COPY ...): of these nothing is fetched."""
    fetched: set[int] = field(default_factory=set)
    """UIDs of which NOTIFY's items have been fetched with a context's own."""


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
    items = next((option.argument for option in search.returns or () if option.name == "UPDATE"), None)
    contexts[command.tag] = Context(
        command.tag,
        search.key,
        criteria,
        uid,
        view.uids[result],
        view.told,
        _newest(view),
        items if isinstance(items, tuple) else (),
    )


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
    updates: list[bytes] = []
    wanted: dict[int, dict[Item, None]] = {}
    for context in list(contexts.values()):
        try:
            update = await _update(session, context)
        except Refusal as refusal:
            update, why = None, refusal.text
        else:
            why = "Too many changes: search again"
        if update is None:
            del contexts[context.tag]
            refuse_updates(session, context.tag, why)
            continue
        updates.append(update.lines)
        for number in update.new:
            wanted.setdefault(number, {}).update(dict.fromkeys(context.items))
    if wanted:
        await _fetch_new(session, wanted)
    if any(updates):
        session.out.write(b"".join(updates), session.require_selected().mailbox.position)


async def _fetch_new(session: Session, wanted: dict[int, dict[Item, None]]) -> None:
    """FETCH of new messages what contexts want of them, and with it what NOTIFY does (RFC 5465 §5.2)."""
    view, watch = session.require_selected(), session.watch
    group = None if watch is None or watch.notify is None else watch.selected
    alike: dict[tuple[Item, ...], list[int]] = {}
    for number, items in wanted.items():
        if group is not None and group.items:
            assert session.contexts is not None
            items.update(dict.fromkeys(group.items))
            session.contexts.fetched.add(number)
        alike.setdefault(tuple(items), []).append(number)
    for chosen, numbers in alike.items():
        indices = find_sorted(view.uids, np.unique(np.array(numbers, dtype=view.uids.dtype)))
        try:
            await send_messages(session, view, indices, Plan(chosen, session.features, uid=True))
        except Refusal as refusal:
            session.out.write(render_status(b"NO", refusal.text, code=refusal.code))


def _tell_expunged(session: Session, context: Context) -> None:
    view = session.require_selected()
    gone = ~np.isin(context.uids, view.mailbox.columns.uid, assume_unique=True)
    if gone.any():
        line = _render(session, context, b"REMOVEFROM", np.flatnonzero(gone)[::-1], context.uids)
        session.out.write(line, view.mailbox.position)
        context.uids = context.uids[~gone]


async def _update(session: Session, context: Context) -> Update | None:
    """Look again at what changed. None if that is too much to tell."""
    view = session.require_selected()
    columns, told = view.mailbox.columns, view.told
    if told <= context.position:
        return Update()
    changed = find_sorted(view.uids, columns.uid[columns.modseq > context.position])
    keys = session.shared.sort_keys.of(view.mailbox)
    matching = Matching(view, session.shared.messages, keys, session.out, now=session.store.now, among=changed)
    fits = view.uids[await matching.search(context.key)]
    before = context.uids
    leaving = np.isin(before, view.uids[changed], assume_unique=True) & ~np.isin(before, fits, assume_unique=True)
    entering = fits[~np.isin(fits, before, assume_unique=True)]
    if not leaving.any() and not len(entering):
        context.position, context.newest = told, _newest(view)
        return Update()
    if context.criteria and int(leaving.sum()) + len(entering) > limits.IMAP_CONTEXT_CHANGES_MAX:
        return None
    after = np.sort(np.concatenate((before[~leaving], entering)))
    if context.criteria:
        keys = session.shared.sort_keys.of(view.mailbox)
        await keys.load([one.key for one in context.criteria], session.shared.messages, session.out)
        if not np.isin(after, view.mailbox.columns.uid, assume_unique=True).all():
            return Update()  # some are gone: their EXPUNGE comes first, and then this is done again
        after = after[keys.order(context.criteria, after)]
    context.position = told
    context.uids = after
    removed = _render(session, context, b"REMOVEFROM", np.flatnonzero(leaving)[::-1], before)
    added = _render(session, context, b"ADDTO", np.flatnonzero(np.isin(after, entering, assume_unique=True)), after)
    new = _new_of(session, context, entering) if context.items else ()
    context.newest = _newest(view)
    return Update(removed + added, new)


def _newest(view: Selected) -> int:
    return int(view.uids[-1]) if len(view) else 0


def _new_of(session: Session, context: Context, entering: Uids) -> tuple[int, ...]:
    """Those that are new here, not only to the result, and that others brought."""
    assert session.contexts is not None
    new = entering[entering > context.newest]
    found: list[int] = new[~in_ranges(new, session.contexts.brought)].tolist()
    return tuple(found)


def _render(session: Session, context: Context, what: bytes, places: Indices, uids: Uids) -> bytes:
    """What tells of members at these places of a result. Removing goes from the end, so that places hold still."""
    if not len(places):
        return b""
    view = session.require_selected()
    numbers = uids.astype(np.int64) if context.uid else view.uids.searchsorted(uids) + 1
    if context.criteria:
        pairs = [(place + 1, numbers[place : place + 1]) for place in places.tolist()]
    else:
        pairs = [(0, np.sort(numbers[places]))]
    return render_update(context.tag, what, _joined(pairs, what), uid=context.uid)


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
