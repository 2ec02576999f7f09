"""Addresses and accounts: whom mail to an address reaches, and which addresses an account may send as."""

import functools

from crockery.projections.accounts import Account, Accounts, Reach, fold_local_part
from crockery.projections.settings import Settings
from crockery.projections.state import State
from crockery.smtp.wire import AddressError, Mailbox, normalise_domain


def is_local_domain(settings: Settings, domain: str) -> bool:
    """Whether mail of this domain (normalised, or "" as in `<postmaster>`) is ours."""
    return not domain or domain == settings.domain or domain in _spellings(settings.domains)


@functools.lru_cache(maxsize=4)  # each mail asks several times, and it is always the same
def _spellings(domains: frozenset[str]) -> frozenset[str]:
    return domains | {_normalised(domain) for domain in domains if not domain.isascii()}


def local_accounts(state: State, address: Mailbox) -> list[Account] | None:
    """The accounts that mail to `address` is for; empty: nobody has that name; None: it is not our domain.

    Wherever they let their mail go on to: what the server itself writes goes into their mailboxes.
    """
    if not is_local_domain(state.settings, address.domain):
        return None
    return state.accounts.recipients(address.local)


def reach(state: State, address: Mailbox) -> Reach | None:
    """Where mail to `address` goes; None: it is not our domain."""
    if not is_local_domain(state.settings, address.domain):
        return None
    return state.accounts.reach(address.local)


def may_send_as(state: State, account: Account, address: Mailbox) -> bool:
    """Whether `address` belongs to the account: its name, an alias that reaches it, or a subaddress of these."""
    if not address.domain or not is_local_domain(state.settings, address.domain):
        return False
    return _owns_local_part(state.accounts, account, fold_local_part(address.local))


def account_address(settings: Settings, account: Account) -> Mailbox:
    """The account's own address."""
    return own_address(settings, account.name)


def own_address(settings: Settings, local_part: str) -> Mailbox:
    """A local part with our domain."""
    return Mailbox(local_part, _normalised(settings.domain))


def _owns_local_part(accounts: Accounts, account: Account, local_part: str) -> bool:
    own = accounts.addresses_of(account)
    if local_part in own:
        return True
    if local_part in accounts.by_name or local_part in accounts.aliases:
        return False  # a name of its own that only looks like a subaddress
    base, plus, _ = local_part.partition("+")
    return bool(plus) and base in own


def _normalised(domain: str) -> str:
    try:
        return normalise_domain(domain)
    except AddressError:
        return domain
