"""Actions on quotas (RFC 9208): limits of an account, room for more, and that the account was told."""

from collections.abc import Mapping

from crockery.actions.actor import Actor, the_server
from crockery.actions.errors import Reason, Refused
from crockery.actions.store import Atom, Store
from crockery.events.types.accounts import QUOTA_CHANGED, QUOTA_TOLD
from crockery.projections.accounts import Account
from crockery.projections.quota import Quota, has_room


def set_quota(store: Store, actor: Actor, account: Account, quota: Quota | None) -> None:
    """Give an account limits of its own (0: none), or with None those of the settings. Raises LogFull."""
    new = None if quota is None else list(quota)
    old = None if account.quota is None else list(account.quota)
    if new == old:
        return
    atom = store.atom(actor)
    atom.add(QUOTA_CHANGED, {"by": atom.by, "account": account.id, "quota": new, "old": old})
    atom.commit()


def check_room(store: Store, growth: Mapping[int, Quota]) -> None:
    """Whether accounts (by id) may get so much more; raises Refused (OVER_QUOTA)."""
    for account, more in growth.items():
        if not has_room(store.state, account, more):
            raise Refused(Reason.OVER_QUOTA, "the account would hold more than its quota allows")


def add_told(atom: Atom, account: int, step: int, lacking: int = 0) -> None:
    """Note in an atom that the account knows of this step (80, 95, 100), or (0) that it may be told of each again.

    `lacking`: octets of the mail that there was no room for.
    """
    facts = {"account": account, "step": step}
    atom.add(QUOTA_TOLD, facts | {"lacking": lacking} if lacking else facts)


def note_told(store: Store, account: int, step: int) -> None:
    """`add_told` as an action of its own. Raises LogFull."""
    atom = store.atom(the_server())
    add_told(atom, account, step)
    atom.commit()
