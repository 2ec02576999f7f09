"""Actions on mailboxes: create, delete, rename, subscribe."""

import contextlib
from typing import Final

from crockery.actions.actor import Actor
from crockery.actions.errors import Reason, Refused
from crockery.actions.mail import add_move
from crockery.actions.metadata import TooManyEntries, add_metadata
from crockery.actions.store import Atom, Store
from crockery.events.ranges import pack_numbers
from crockery.events.types.mail import (
    MAILBOX_CREATED,
    MAILBOX_DELETED,
    MAILBOXES_RENAMED,
    SUBSCRIPTIONS_CHANGED,
)
from crockery.limits import MAX_MAILBOX_DEPTH, MAX_MAILBOX_NAME, MAX_MAILBOXES, MAX_SUBSCRIPTIONS
from crockery.projections.mailboxes import Mailbox

DELIMITER: Final = "/"
INBOX: Final = "INBOX"

FIRST_MAILBOXES: Final = (
    (INBOX, None),
    ("Drafts", "\\Drafts"),
    ("Sent", "\\Sent"),
    ("Junk", "\\Junk"),
    ("Trash", "\\Trash"),
    ("Archive", "\\Archive"),
)
"""What a new account has: name and special use (RFC 6154)."""


def canonical_name(name: str) -> str:
    """INBOX in any case is INBOX, also as the first level of a longer name; a trailing delimiter is dropped."""
    head, slash, rest = name.rstrip(DELIMITER).partition(DELIMITER)
    return (INBOX if head.upper() == INBOX else head) + slash + rest


def create_mailbox(store: Store, actor: Actor, account: int, name: str, special_use: str | None = None) -> Mailbox:
    """Create a mailbox and the levels above it that are missing. Raises Refused, LogFull."""
    atom = store.atom(actor)
    number = _add_with_parents(store, atom, account, canonical_name(name), special_use)
    atom.commit()
    return store.state.mailboxes.by_id[number]


def _add_with_parents(store: Store, atom: Atom, account: int, name: str, special_use: str | None = None) -> int:
    _check_name(name)
    mailboxes = store.state.mailboxes
    if mailboxes.find(account, name) is not None:
        raise Refused(Reason.ALREADY_EXISTS, f"there is a mailbox {name} already")
    levels = name.split(DELIMITER)
    paths = [DELIMITER.join(levels[:depth]) for depth in range(1, len(levels) + 1)]
    missing = [path for path in paths if mailboxes.find(account, path) is None]
    if len(mailboxes.of_account(account)) + len(missing) > MAX_MAILBOXES:
        raise Refused(Reason.LIMIT, f"an account can have {MAX_MAILBOXES} mailboxes")
    for path in missing:
        number = add_mailbox(store, atom, account, path, special_use if path == name else None)
    return number


def add_mailbox(
    store: Store, atom: Atom, account: int, name: str, special_use: str | None, *, subscribed: bool = False
) -> int:
    """Add the creation of one mailbox to an atom; returns its id."""
    facts: dict[str, object] = {
        "by": atom.by,
        "account": account,
        "name": name,
        "uidvalidity": _next_uidvalidity(store, atom),
    }
    if special_use:
        facts["special_use"] = special_use
    if subscribed:
        facts["subscribed"] = True
    return atom.add(MAILBOX_CREATED, facts)


def _next_uidvalidity(store: Store, atom: Atom) -> int:
    """Never given before, here or in another account: beyond all that were, not below the clock (RFC 9051 2.3.1.1).

    The clock alone would not do: mailboxes made faster than one a second are ahead of it.
    """
    return min(max(store.now, store.state.mailboxes.last_uidvalidity) + atom.next - store.log.head, 0xFFFFFFFF)


def delete_mailbox(store: Store, actor: Actor, account: int, name: str) -> None:
    """Delete a mailbox with its messages; inferior ones stay. Raises Refused, LogFull."""
    name = canonical_name(name)
    mailbox = existing(store, account, name)
    if name == INBOX:
        raise Refused(Reason.CANNOT, "INBOX cannot be deleted")
    if inferiors(store, account, name):
        raise Refused(Reason.HAS_CHILDREN, f"{name} has mailboxes below it: delete those first")
    atom = store.atom(actor)
    orphaned = store.state.mailboxes.orphans(mailbox.columns.number)
    facts = {"by": atom.by, "account": account, "mailbox": mailbox.id, "name": name, "orphaned": pack_numbers(orphaned)}
    atom.add(MAILBOX_DELETED, facts)
    atom.commit()


def rename_mailbox(store: Store, actor: Actor, account: int, old: str, new: str) -> None:
    """Rename a mailbox and what is below it; INBOX's messages move to a new one instead. Raises Refused, LogFull."""
    old, new = canonical_name(old), canonical_name(new)
    mailbox = existing(store, account, old)
    _check_name(new)
    if store.state.mailboxes.find(account, new) is not None:
        raise Refused(Reason.ALREADY_EXISTS, f"there is a mailbox {new} already")
    if new.startswith(old + DELIMITER) and old != INBOX:
        raise Refused(Reason.CANNOT, f"{old} cannot be moved below itself")
    if old == INBOX:
        _rename_inbox(store, actor, mailbox, new)
        return
    atom = store.atom(actor)
    _add_missing_parents(store, atom, account, new)
    moved = [mailbox, *inferiors(store, account, old)]
    names = [(box.id, box.name, new + box.name[len(old) :]) for box in moved]
    for _, _, name in names:
        _check_name(name)
    atom.add(MAILBOXES_RENAMED, {"by": atom.by, "account": account, "names": names})
    atom.commit()


def _rename_inbox(store: Store, actor: Actor, inbox: Mailbox, new: str) -> None:
    """RFC 9051 section 6.3.6: the messages move into a new mailbox; INBOX stays, empty. Both have the annotations."""
    atom = store.atom(actor)
    number = _add_with_parents(store, atom, inbox.account, new)
    with contextlib.suppress(TooManyEntries):
        entries = store.state.metadata.of(inbox.account, inbox.id)
        add_metadata(store, atom, inbox.account, number, entries, cmd="RENAME")
    created = Mailbox(number, inbox.account, new, 0, None)  # as it will be when its messages come
    add_move(atom, inbox, inbox.columns.uid, created, cmd="RENAME")
    atom.commit()


def _add_missing_parents(store: Store, atom: Atom, account: int, name: str) -> None:
    levels = name.split(DELIMITER)[:-1]
    for depth in range(1, len(levels) + 1):
        path = DELIMITER.join(levels[:depth])
        if store.state.mailboxes.find(account, path) is None:
            add_mailbox(store, atom, account, path, None)


def change_subscriptions(
    store: Store, actor: Actor, account: int, *, add: str | None = None, remove: str | None = None
) -> None:
    """Subscribe to or unsubscribe from a name; names need not exist (RFC 9051 section 6.3.7). Raises Refused."""
    mine = store.state.mailboxes.subscriptions.get(account, set())
    added = [canonical_name(add)] if add is not None else []
    for name in added:
        _check_name(name)
    added = [name for name in added if name not in mine]
    removed = [name for name in ([canonical_name(remove)] if remove is not None else []) if name in mine]
    if len(mine) + len(added) > MAX_SUBSCRIPTIONS:
        raise Refused(Reason.LIMIT, f"an account can subscribe to {MAX_SUBSCRIPTIONS} mailboxes")
    if added or removed:
        atom = store.atom(actor)
        facts = {"by": atom.by, "account": account, "added": added, "removed": removed}
        atom.add(SUBSCRIPTIONS_CHANGED, facts)
        atom.commit()


def existing(store: Store, account: int, name: str) -> Mailbox:
    """The mailbox of that name; raises Refused (NONEXISTENT)."""
    mailbox = store.state.mailboxes.find(account, canonical_name(name))
    if mailbox is None:
        raise Refused(Reason.NONEXISTENT, f"there is no mailbox {name}")
    return mailbox


def inferiors(store: Store, account: int, name: str) -> list[Mailbox]:
    """The mailboxes below `name`."""
    prefix = name + DELIMITER
    return [box for box in store.state.mailboxes.of_account(account).values() if box.name.startswith(prefix)]


def _check_name(name: str) -> None:
    if not name or name.startswith(DELIMITER) or DELIMITER * 2 in name:
        raise Refused(Reason.CANNOT, "a mailbox name needs text between the slashes")
    if len(name.encode()) > MAX_MAILBOX_NAME or name.count(DELIMITER) >= MAX_MAILBOX_DEPTH:
        raise Refused(Reason.LIMIT, f"a mailbox name can have {MAX_MAILBOX_NAME} octets and {MAX_MAILBOX_DEPTH} levels")
    if any(ord(c) < 32 or ord(c) == 127 or c in "\u2028\u2029" for c in name):
        raise Refused(Reason.CANNOT, "a mailbox name cannot have control characters")
