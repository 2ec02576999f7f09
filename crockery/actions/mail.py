"""Actions on messages: receive, change flags, copy, move, expunge.

`uids` arguments are sorted NumPy arrays of UIDs; those that are not in the mailbox are ignored, as IMAP wants.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from crockery.actions.actor import Actor
from crockery.actions.errors import Reason, Refused
from crockery.actions.incoming import ReceivedBody
from crockery.actions.queue import Outgoing, queue_facts
from crockery.actions.quota import check_room
from crockery.actions.store import Atom, Store
from crockery.events.ranges import pack_numbers, pack_ranges
from crockery.events.types.mail import FLAGS_CHANGED, MESSAGE_RECEIVED, MESSAGES_COPIED, MESSAGES_EXPUNGED
from crockery.events.types.queue import MESSAGE_QUEUED
from crockery.projections.mailboxes import DELETED, MAX_KEYWORDS, SYSTEM_FLAGS, Mailbox
from crockery.projections.quota import Quota

UidArray = npt.NDArray[Any]

MAX_UID: Final = 0xFFFFFFFF

_ACCOUNT_MIX: Final = 0x9E3779B97F4A7C15
"""Odd, so that accounts never share a key of a conversation but by chance."""
_KEY_MASK: Final = (1 << 64) - 1


class Delivery(NamedTuple):
    """One copy of an incoming message: the mailbox, its own trace header, and what the envelope said."""

    mailbox: Mailbox
    prefix: bytes
    flags: Sequence[str] = ()
    envelope: Mapping[str, object] | None = None


class Copied(NamedTuple):
    """What COPYUID tells: UIDs in the source and, in the same order, in the destination."""

    uidvalidity: int
    source: npt.NDArray[np.uint32]
    first: int


def deliver(
    store: Store,
    actor: Actor,
    body: ReceivedBody,
    deliveries: Sequence[Delivery],
    outgoing: Outgoing | None = None,
    *,
    via: str,
    message_id: str = "",
    keys: Sequence[int] = (),
    date: int | None = None,
    cmd: str = "",
) -> list[int]:
    """Put a message into mailboxes and the queue, in one atom; returns the UIDs, one a delivery.

    The body is kept once. `keys` are those of its conversation (`message.conversation`); `date` is the internal date in
    unix seconds (default now). Raises Refused, LogFull.
    """
    atom = store.atom(actor)
    uids = add_delivery(
        store, atom, body, deliveries, outgoing, via=via, message_id=message_id, keys=keys, date=date, cmd=cmd
    )
    atom.commit()
    return uids


def add_delivery(
    store: Store,
    atom: Atom,
    body: ReceivedBody,
    deliveries: Sequence[Delivery],
    outgoing: Outgoing | None = None,
    *,
    via: str,
    message_id: str = "",
    keys: Sequence[int] = (),
    date: int | None = None,
    cmd: str = "",
) -> list[int]:
    """`deliver` as a part of an atom. What comes by APPEND must fit into the quota, all of the atom together."""
    common: dict[str, object] = {"by": atom.by, "via": via, "date": store.now if date is None else date}
    if message_id:
        common["message_id"] = message_id
    if cmd:
        common["cmd"] = cmd
    holder = _BodyHolder(atom, body)
    uids = []
    for delivery in deliveries:
        mailbox = delivery.mailbox
        uid = atom.next_uids.get(mailbox.id, mailbox.uidnext)
        if uid >= MAX_UID:
            raise Refused(Reason.LIMIT, f"the mailbox {mailbox.name} has no UIDs left")
        atom.next_uids[mailbox.id] = uid + 1
        _take_keywords(atom, mailbox, delivery.flags)
        if via == "append":
            _take_room(store, atom, mailbox.account, body.size + len(delivery.prefix), 1)
        facts = {**common, "mailbox": mailbox.id, "uid": uid, "flags": list(delivery.flags), "prefix": delivery.prefix}
        if delivery.envelope:
            facts["envelope"] = dict(delivery.envelope)
        facts |= _thread_facts(store, atom, mailbox.account, keys)
        holder.add(MESSAGE_RECEIVED, facts)
        uids.append(uid)
    if outgoing is not None:
        holder.add(MESSAGE_QUEUED, queue_facts(store, atom, outgoing, message_id))
    return uids


def _thread_facts(store: Store, atom: Atom, account: int, keys: Sequence[int]) -> dict[str, object]:
    """The conversation that the keys lead to, the nearest first, and what is new of them."""
    own = [(key ^ account * _ACCOUNT_MIX) & _KEY_MASK for key in keys]
    known = store.state.threads.find(own)
    known |= {key: atom.threads[key] for key in own if key in atom.threads}
    thread = next((known[key] for key in own if key in known), None)
    new = [key for key in own if key not in known]
    atom.threads |= dict.fromkeys(new, atom.next if thread is None else thread)
    facts: dict[str, object] = {} if thread is None else {"thread": thread}
    if new:
        facts["keys"] = b"".join([key.to_bytes(8, "little") for key in new])
    return facts


def _take_room(store: Store, atom: Atom, account: int, octets: int, messages: int) -> None:
    before = atom.growth.get(account, (0, 0))
    atom.growth[account] = before[0] + octets, before[1] + messages
    check_room(store, {account: Quota(*atom.growth[account])})


class _BodyHolder:
    """The first event with the body has it, the others name that event."""

    def __init__(self, atom: Atom, body: ReceivedBody) -> None:
        self._atom = atom
        self._body = body
        self._number = body.holder

    def add(self, kind: Any, facts: dict[str, object]) -> None:
        if self._number:
            self._atom.add(kind, {**facts, "size": self._body.size, "body_of": self._number})
        else:
            self._number = self._atom.add(kind, {**facts, **self._body.facts()}, self._body.stored)


def store_flags(
    store: Store, actor: Actor, mailbox: Mailbox, uids: UidArray, operation: str, flags: Iterable[str], *, cmd: str = ""
) -> npt.NDArray[np.int64]:
    """Add ("+"), remove ("-") or replace ("=") flags of messages; returns the indices whose flags really changed.

    Only real changes are written; without any there is no event. Raises Refused when keywords run out, LogFull.
    """
    columns = mailbox.columns
    at = columns.find(uids)
    names = {name.lower(): name for name in flags}
    words = columns.flags[at]
    wanted = _known_word(mailbox, names)
    added: dict[str, list[int]] = {}
    removed: dict[str, list[int]] = {}
    changed = np.zeros(len(at), dtype=bool)
    if operation != "-":
        _new_keywords(mailbox, names)
        for lower, name in names.items():
            missing = (words & np.uint64(mailbox.flag_bits.get(lower, 0))) == 0
            _note(added, name, columns.uid[at[missing]])
            changed |= missing
    dropped = wanted if operation == "-" else ~wanted & _all_bits(mailbox) if operation == "=" else 0
    for name in mailbox.flags_of(dropped):
        present = (words & np.uint64(mailbox.flag_bits[name.lower()])) != 0
        _note(removed, name, columns.uid[at[present]])
        changed |= present
    if added or removed:
        atom = store.atom(actor)
        facts: dict[str, object] = {"by": atom.by, "mailbox": mailbox.id, "added": added, "removed": removed}
        if cmd:
            facts["cmd"] = cmd
        atom.add(FLAGS_CHANGED, facts)
        atom.commit()
    return at[changed]


def _known_word(mailbox: Mailbox, names: Mapping[str, str]) -> int:
    word = 0
    for lower in names:
        word |= mailbox.flag_bits.get(lower, 0)
    return word


def _all_bits(mailbox: Mailbox) -> int:
    return (1 << len(mailbox.flag_names)) - 1


def _take_keywords(atom: Atom, mailbox: Mailbox, flags: Iterable[str]) -> None:
    """Bits for those of the flags that the mailbox does not know, and that no event of the atom before has brought."""
    new = _new_keywords(mailbox, flags, atom.keywords.get(mailbox.id, ()))
    if new:
        atom.keywords[mailbox.id] = new


def _new_keywords(mailbox: Mailbox, flags: Iterable[str], before: Iterable[str] = ()) -> set[str]:
    """Those of the flags, in lower case, that the mailbox has no bit for, and those of `before`; raises Refused."""
    new = {flag.lower() for flag in flags} - mailbox.flag_bits.keys()
    if not new:
        return set(before)
    new.update(before)
    if len(mailbox.flag_names) - len(SYSTEM_FLAGS) + len(new) > MAX_KEYWORDS:
        raise Refused(Reason.LIMIT, f"a mailbox can have {MAX_KEYWORDS} keywords, and {mailbox.name} has them")
    return new


def _note(changes: dict[str, list[int]], name: str, uids: UidArray) -> None:
    if len(uids):
        changes[name] = pack_ranges(uids)


def copy_messages(
    store: Store, actor: Actor, source: Mailbox, uids: UidArray, destination: Mailbox, *, cmd: str = "COPY"
) -> Copied:
    """Copy messages with their flags and dates. Raises Refused, LogFull."""
    atom = store.atom(actor)
    sizes = source.columns.size[source.columns.find(uids)]
    _take_room(store, atom, destination.account, int(sizes.sum(dtype=np.int64)), len(sizes))
    copied, _ = _add_copy(atom, source, uids, destination, cmd)
    atom.commit()
    return copied


def move_messages(
    store: Store, actor: Actor, source: Mailbox, uids: UidArray, destination: Mailbox, *, cmd: str = "MOVE"
) -> Copied:
    """Copy and expunge in one atom (RFC 6851). Raises Refused, LogFull."""
    atom = store.atom(actor)
    copied = add_move(atom, source, uids, destination, cmd=cmd)
    atom.commit()
    return copied


def add_move(atom: Atom, source: Mailbox, uids: UidArray, destination: Mailbox, *, cmd: str) -> Copied:
    """`move_messages` as a part of an atom. Raises Refused."""
    copied, numbers = _add_copy(atom, source, uids, destination, cmd)
    if len(copied.source):
        facts = {
            "by": atom.by,
            "mailbox": source.id,
            "uids": pack_ranges(copied.source),
            "numbers": pack_numbers(numbers),
            "orphaned": b"",
            "cmd": cmd,
        }
        atom.add(MESSAGES_EXPUNGED, facts)
    return copied


def _add_copy(
    atom: Atom, source: Mailbox, uids: UidArray, destination: Mailbox, cmd: str
) -> tuple[Copied, npt.NDArray[np.uint64]]:
    at = source.columns.find(uids)
    found = source.columns.uid[at]
    numbers = source.columns.number[at]
    first = destination.uidnext
    if first + len(at) > MAX_UID:
        raise Refused(Reason.LIMIT, f"the mailbox {destination.name} has not enough UIDs left")
    if source.flag_names != destination.flag_names:
        used = int(np.bitwise_or.reduce(source.columns.flags[at], initial=np.uint64(0)))
        _take_keywords(atom, destination, source.flags_of(used))
    if len(at):
        facts = {
            "by": atom.by,
            "source": source.id,
            "uids": pack_ranges(found),
            "mailbox": destination.id,
            "first": first,
            "numbers": pack_numbers(numbers),
            "cmd": cmd,
        }
        atom.add(MESSAGES_COPIED, facts)
    return Copied(destination.uidvalidity, found, first), numbers


def expunge(
    store: Store, actor: Actor, mailbox: Mailbox, uids: UidArray | None = None, *, cmd: str = "EXPUNGE"
) -> npt.NDArray[np.uint32]:
    """Take the messages flagged \\Deleted out (of `uids` only, if given); returns their UIDs. Raises LogFull."""
    columns = mailbox.columns
    at = np.flatnonzero(columns.flags & np.uint64(DELETED))
    if uids is not None:
        at = at[np.isin(columns.uid[at], uids)]
    gone = columns.uid[at]
    atom = store.atom(actor)
    if len(gone):
        add_expunge(store, atom, mailbox, gone, cmd=cmd)
        atom.commit()
    return gone


def add_expunge(store: Store, atom: Atom, mailbox: Mailbox, uids: UidArray, *, cmd: str) -> None:
    """Add to an atom that these messages, which must be there, leave the mailbox."""
    numbers = mailbox.columns.number[mailbox.columns.find(uids)]
    facts = {
        "by": atom.by,
        "mailbox": mailbox.id,
        "uids": pack_ranges(uids),
        "numbers": pack_numbers(numbers),
        "orphaned": pack_numbers(store.state.mailboxes.orphans(numbers)),
        "cmd": cmd,
    }
    atom.add(MESSAGES_EXPUNGED, facts)
