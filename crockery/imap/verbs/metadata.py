"""GETMETADATA and SETMETADATA (RFC 5464), with the entries that are the server's own: /shared/admin, special uses."""

from collections.abc import Iterable, Mapping
from typing import Final

from crockery.actions.metadata import (
    SPECIAL_USES,
    TooManyEntries,
    ValueTooLong,
    change_special_use,
    set_metadata,
)
from crockery.imap.errors import Refusal
from crockery.imap.session import DONE, Completed, Session
from crockery.imap.wire.metadata import GetMetadata, SetMetadata, render_metadata
from crockery.imap.wire.parser import Command
from crockery.limits import METADATA_VALUE_MAX
from crockery.projections.mailboxes import Mailbox
from crockery.projections.metadata import SERVER

ADMIN: Final = "/shared/admin"
SPECIAL_USE: Final = "/private/specialuse"


async def handle_get_metadata(session: Session, command: Command, arguments: GetMetadata) -> Completed:
    """Tell values: NIL for an entry that was asked for and is not there."""
    mailbox = session.find_mailbox(arguments.mailbox) if arguments.mailbox else None
    there = visible_entries(session, mailbox)
    wanted = _wanted(there, arguments)
    sizes = {entry: len(value) for entry, value in wanted.items() if value is not None}
    most = arguments.max_size
    too_long = [] if most is None else [size for size in sizes.values() if size > most]
    shown = {entry: value for entry, value in wanted.items() if most is None or sizes.get(entry, 0) <= most}
    if shown:
        name = mailbox.name if mailbox is not None else ""
        session.out.write(render_metadata(name, shown, utf8=session.utf8), metadata_position(session))
    return Completed(code=b"METADATA LONGENTRIES %d" % max(too_long) if too_long else None)


def visible_entries(session: Session, mailbox: Mailbox | None) -> Mapping[str, bytes]:
    """All entries of a mailbox, or of the server for None, as the account sees them."""
    metadata = session.store.state.metadata
    if mailbox is None:
        domain = session.store.state.settings.domain
        admin = f"mailto:postmaster@{domain}".encode("idna" if not domain.isascii() else "ascii")
        return {**metadata.of(0, SERVER), **metadata.of(session.account, SERVER), ADMIN: admin}
    entries = metadata.of(session.account, mailbox.id)
    if mailbox.special_use:
        return {**entries, SPECIAL_USE: mailbox.special_use.encode("ascii")}
    return entries


def metadata_position(session: Session) -> int:
    """The last event that changed anything of what `visible_entries` may show."""
    positions = session.store.state.metadata.positions
    return max(positions.get(0, 0), positions.get(session.account, 0), session.list_position)


def _wanted(there: Mapping[str, bytes], arguments: GetMetadata) -> dict[str, bytes | None]:
    found: dict[str, bytes | None] = {}
    for entry in arguments.entries:
        if entry in there or (not arguments.depth and entry.count("/") > 1):
            found[entry] = there.get(entry)
        if arguments.depth:
            found.update((below, there[below]) for below in _below(there, entry, arguments.depth))
    return found


def _below(there: Iterable[str], entry: str, depth: int) -> list[str]:
    prefix = entry + "/"
    return sorted(name for name in there if name.startswith(prefix) and name[len(prefix) :].count("/") < depth)


async def handle_set_metadata(session: Session, command: Command, arguments: SetMetadata) -> Completed:
    """Set or remove entries: all of them, or none if any cannot be (§4.3)."""
    mailbox = session.find_mailbox(arguments.mailbox) if arguments.mailbox else None
    values = dict(arguments.values)
    if mailbox is None:
        _check_server_entries(session, values)
    use = _take_special_use(session, mailbox, values)
    try:
        for account, chosen in _by_owner(session, mailbox, values):
            if set_metadata(session.store, session.actor, account, mailbox, chosen):
                session.changed()
    except ValueTooLong as error:
        raise Refusal(str(error), b"METADATA MAXSIZE %d" % METADATA_VALUE_MAX) from error
    except TooManyEntries as error:
        raise Refusal(str(error), b"METADATA TOOMANY") from error
    if mailbox is not None and use is not None:
        _change_use(session, mailbox, use)
    return DONE


def _by_owner(
    session: Session, mailbox: Mailbox | None, values: Mapping[str, bytes | None]
) -> list[tuple[int, dict[str, bytes | None]]]:
    """What everybody sees of the server belongs to nobody; all else to the account."""
    shared = {entry: value for entry, value in values.items() if mailbox is None and entry.startswith("/shared/")}
    own = {entry: value for entry, value in values.items() if entry not in shared}
    return [(account, chosen) for account, chosen in ((session.account, own), (0, shared)) if chosen]


def _check_server_entries(session: Session, values: Mapping[str, bytes | None]) -> None:
    account = session.store.state.accounts.by_id.get(session.account)
    if ADMIN in values:
        raise Refusal(f"{ADMIN} cannot be changed", b"CANNOT")
    if any(entry.startswith("/shared/") for entry in values):
        if account is None or not account.postmaster:
            raise Refusal("What all accounts see is the postmaster's to set", b"NOPERM")
        if any(entry.startswith("/private/") for entry in values):
            raise Refusal("Set private and shared entries of the server one after the other", b"CANNOT")


def _take_special_use(session: Session, mailbox: Mailbox | None, values: dict[str, bytes | None]) -> str | None:
    """The special use to set, "" to take it away, None to leave it; checked as CREATE does (RFC 6154 §4)."""
    if mailbox is None or SPECIAL_USE not in values:
        return None
    value = values.pop(SPECIAL_USE) or b""
    use = SPECIAL_USES.get(value.decode("ascii", "replace").lower(), "") if value else ""
    if value and not use:
        raise Refusal("A mailbox has one special use at most, and not that", b"USEATTR")
    return use


def _change_use(session: Session, mailbox: Mailbox, use: str) -> None:
    before = change_special_use(session.store, session.actor, mailbox, use or None)
    session.changed()
    if before is not None:
        session.out.write(render_metadata(before.name, {SPECIAL_USE: None}, utf8=session.utf8), before.position)
