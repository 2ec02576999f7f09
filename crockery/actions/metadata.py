"""Actions on annotations (RFC 5464) and special uses (RFC 6154)."""

from collections.abc import Mapping, Sequence
from typing import Final

from crockery.actions.actor import Actor
from crockery.actions.errors import Reason, Refused
from crockery.actions.store import Atom, Store
from crockery.events.types.annotations import METADATA_CHANGED, SPECIAL_USES_CHANGED
from crockery.limits import METADATA_ENTRIES_MAX, METADATA_OCTETS_MAX, METADATA_VALUE_MAX
from crockery.projections.mailboxes import Mailbox
from crockery.projections.metadata import SERVER

SPECIAL_USES: Final = {
    use.lower(): use for use in ("\\Archive", "\\Drafts", "\\Flagged", "\\Important", "\\Junk", "\\Sent", "\\Trash")
}
"""\\All is not among them: there is no mailbox that shows what is in the others."""


class TooManyEntries(Refused):
    """There would be more entries, or more octets of them, than one mailbox or account can have."""


class ValueTooLong(Refused):
    """A value is longer than METADATA_VALUE_MAX octets."""


def set_metadata(
    store: Store, actor: Actor, account: int, mailbox: Mailbox | None, values: Mapping[str, bytes | None]
) -> bool:
    """Set entries (lower case) of a mailbox, or of the server if None, to values; None removes one. All or none.

    Only real changes are written; True if there were any. `account` is 0 for entries of the server that everybody
    sees. Raises TooManyEntries, ValueTooLong, LogFull.
    """
    atom = store.atom(actor)
    changed = add_metadata(store, atom, account, SERVER if mailbox is None else mailbox.id, values, cmd="SETMETADATA")
    if changed:
        atom.commit()
    return changed


def add_metadata(
    store: Store, atom: Atom, account: int, box: int, values: Mapping[str, bytes | None], *, cmd: str
) -> bool:
    """`set_metadata` as a part of an atom; `box` is a mailbox's id or SERVER. Raises TooManyEntries, ValueTooLong."""
    now = store.state.metadata.of(account, box)
    changes = [(entry, value, now.get(entry)) for entry, value in values.items() if value != now.get(entry)]
    _check_limits(store, account, len(now), changes)
    if changes:
        facts = {"by": atom.by, "account": account, "box": box, "entries": changes, "cmd": cmd}
        atom.add(METADATA_CHANGED, facts)
    return bool(changes)


def _check_limits(
    store: Store, account: int, count: int, changes: Sequence[tuple[str, bytes | None, bytes | None]]
) -> None:
    octets = grown = 0
    for entry, value, old in changes:
        if value is not None and len(value) > METADATA_VALUE_MAX:
            raise ValueTooLong(Reason.LIMIT, f"an annotation can have {METADATA_VALUE_MAX} octets")
        count += (value is not None) - (old is not None)
        grown += (value is not None) - (old is not None)
        octets += _octets(entry, value) - _octets(entry, old)
    if grown > 0 and count > METADATA_ENTRIES_MAX:
        raise TooManyEntries(Reason.LIMIT, f"there can be {METADATA_ENTRIES_MAX} annotations in one place")
    if octets > 0 and store.state.metadata.octets.get(account, 0) + octets > METADATA_OCTETS_MAX:
        raise TooManyEntries(Reason.LIMIT, f"annotations can have {METADATA_OCTETS_MAX} octets together")


def _octets(entry: str, value: bytes | None) -> int:
    return 0 if value is None else len(entry) + len(value)


def change_special_use(store: Store, actor: Actor, mailbox: Mailbox, use: str | None) -> Mailbox | None:
    """Give a mailbox a special use (a value of SPECIAL_USES) or take it away.

    A use goes from the mailbox that has it now, which is returned then (RFC 6154 §5.4). Raises LogFull.
    """
    before = None if use is None else store.state.mailboxes.with_special_use(mailbox.account, use)
    if mailbox.special_use == use:
        return None
    uses = [(mailbox.id, use, mailbox.special_use)]
    if before is not None:
        uses.insert(0, (before.id, None, use))
    atom = store.atom(actor)
    facts = {"by": atom.by, "account": mailbox.account, "uses": uses, "cmd": "SETMETADATA"}
    atom.add(SPECIAL_USES_CHANGED, facts)
    atom.commit()
    return before
