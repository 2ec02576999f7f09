"""How much an account may hold, and how much it does: a question to several projections, not one of its own.

Octets and messages are counted by each mailbox when they come and go; an account's are the sum over its mailboxes.
"""

from typing import Final, NamedTuple

from crockery.projections.state import State

FULL: Final = 100
STEPS: Final = (80, 95, FULL)
"""Percentages of which the account is told."""


class Quota(NamedTuple):
    """Octets and messages: a limit, where 0 is none, or what is used."""

    storage: int = 0
    messages: int = 0


def quota_of(state: State, account: int) -> Quota:
    """The limits in force: the account's own, or those of the settings."""
    found = state.accounts.by_id.get(account)
    if found is not None and found.quota is not None:
        return Quota(*found.quota)
    settings = state.settings
    return Quota(settings.number("quota-storage"), settings.number("quota-messages"))


def usage_of(state: State, account: int) -> Quota:
    """What the account's mailboxes hold."""
    boxes = state.mailboxes.of_account(account).values()
    return Quota(sum(box.octets for box in boxes), sum(len(box) for box in boxes))


def has_room(state: State, account: int, more: Quota) -> bool:
    """Whether the account may get so much more."""
    limit = quota_of(state, account)
    if not any(limit):
        return True
    used = usage_of(state, account)
    return all(not most or now + add <= most for most, now, add in zip(limit, used, more, strict=True))


def fullness(state: State, account: int) -> int:
    """Per cent of the limit that is nearest; 0 without limits."""
    pairs = zip(usage_of(state, account), quota_of(state, account), strict=True)
    return max((used * 100 // most for used, most in pairs if most), default=0)


def step_of(percent: int) -> int:
    """The highest of STEPS that is reached; 0: none."""
    return max((step for step in STEPS if step <= percent), default=0)
