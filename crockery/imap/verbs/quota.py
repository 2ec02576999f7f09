"""GETQUOTA, GETQUOTAROOT and SETQUOTA (RFC 9208): one quota root an account, `#user/anna`, for all its mailboxes."""

from typing import Final

from crockery.actions.quota import set_quota
from crockery.imap.errors import Refusal
from crockery.imap.session import DONE, Completed, Session
from crockery.imap.wire.mailboxes import MailboxArgument
from crockery.imap.wire.parser import Command
from crockery.imap.wire.quota import GetQuota, SetQuota, render_quota, render_quota_root
from crockery.projections.accounts import Account
from crockery.projections.quota import Quota, quota_of, usage_of

ROOT: Final = "#user/"
UNIT: Final = 1024
"""Octets of a STORAGE unit (§5.1)."""


async def handle_get_quota(session: Session, command: Command, arguments: GetQuota) -> Completed:
    """Limits and usage of a root: of one's own, or, for the postmaster, of any."""
    account = _find(session, arguments.root)
    if account is None or (account.id != session.account and not _is_postmaster(session)):
        raise Refusal("There is no such quota root", b"NONEXISTENT")
    session.out.write(_render(session, account), session.store.log.head)
    return DONE


async def handle_get_quota_root(session: Session, command: Command, arguments: MailboxArgument) -> Completed:
    """The root of a mailbox, which need not exist, and its limits and usage."""
    account = session.store.state.accounts.by_id[session.account]
    session.out.write(render_quota_root(arguments.mailbox, [_root(account)], utf8=session.utf8))
    session.out.write(_render(session, account), session.store.log.head)
    return DONE


async def handle_set_quota(session: Session, command: Command, arguments: SetQuota) -> Completed:
    """Replace all limits of a root: for the postmaster alone."""
    if not _is_postmaster(session):
        raise Refusal("Quotas are the postmaster's to set", b"NOPERM")
    account = _find(session, arguments.root)
    if account is None:
        raise Refusal("There is no such quota root", b"NONEXISTENT")
    set_quota(session.store, session.actor, account, _read_limits(arguments))
    session.changed()
    session.out.write(_render(session, account))
    return DONE


def _read_limits(arguments: SetQuota) -> Quota:
    storage = messages = 0
    for name, most in arguments.limits:
        if name not in ("STORAGE", "MESSAGE"):
            raise Refusal(f"{name[:40]} cannot be limited", b"CANNOT")
        if not 0 < most < 1 << 50:
            raise Refusal("That limit cannot be set: leave out what is to be without one", b"CANNOT")
        if name == "STORAGE":
            storage = most * UNIT
        else:
            messages = most
    return Quota(storage, messages)


def _render(session: Session, account: Account) -> bytes:
    state = session.store.state
    used, most = usage_of(state, account.id), quota_of(state, account.id)
    resources = [
        ("STORAGE", -(-used.storage // UNIT), most.storage // UNIT),
        ("MESSAGE", used.messages, most.messages),
    ]
    return render_quota(_root(account), [each for each, limit in zip(resources, most, strict=True) if limit])


def _find(session: Session, root: str) -> Account | None:
    return session.store.state.accounts.find(root.removeprefix(ROOT)) if root.startswith(ROOT) else None


def _root(account: Account) -> str:
    return ROOT + account.name


def _is_postmaster(session: Session) -> bool:
    account = session.store.state.accounts.by_id.get(session.account)
    return account is not None and account.postmaster
