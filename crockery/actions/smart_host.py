"""Actions on the smart host: the server that all outgoing mail is handed to."""

import ipaddress
from typing import Final

from crockery.actions.actor import Actor
from crockery.actions.errors import Reason, Refused
from crockery.actions.settings import check_domain
from crockery.actions.store import Atom, Store
from crockery.events.body import compress_body
from crockery.events.types.server import SMART_HOST_SET, SMART_HOST_TOLD
from crockery.limits import SMART_HOST_PASSWORD, SMART_HOST_USER

IMPLICIT: Final = "implicit"
STARTTLS: Final = "starttls"


def set_smart_host(
    store: Store, actor: Actor, host: str, port: int, tls: str, user: str = "", password: str = "", *, cmd: str = ""
) -> None:
    """From now on all outgoing mail goes by that server; what waits is tried at once. Raises Refused, LogFull.

    `tls` is "implicit" or "starttls"; there is no way without. An old password is erased.
    """
    if tls not in (IMPLICIT, STARTTLS):
        raise Refused(Reason.CANNOT, f"a smart host is reached with implicit TLS or with STARTTLS, not with {tls}")
    if not 0 < port < 65536:
        raise Refused(Reason.CANNOT, f"a port is a number from 1 to 65535, not {port}")
    if bool(user) != bool(password):
        raise Refused(Reason.CANNOT, "a login at the smart host has both a user name and a password")
    if len(user.encode()) > SMART_HOST_USER or len(password.encode()) > SMART_HOST_PASSWORD or "\0" in user + password:
        raise Refused(Reason.LIMIT, "no server takes such a user name or password: it is too long")
    name = _check_host(host)
    if name in (store.state.settings.hostname.lower(), store.state.settings.domain):
        raise Refused(Reason.CANNOT, f"{name} is this server itself: mail would go round in circles")
    facts = {"host": name, "port": port, "tls": tls, "user": user}
    _add(store, actor, facts, password, cmd)


def unset_smart_host(store: Store, actor: Actor, *, cmd: str = "") -> None:
    """From now on mail goes to the servers of its recipients. Raises Refused where it does already, LogFull."""
    if store.state.smart_host.current is None:
        raise Refused(Reason.CANNOT, "there is no smart host: mail goes to the servers of its recipients")
    _add(store, actor, {"host": "", "port": 0, "tls": "", "user": ""}, "", cmd)


def add_told(atom: Atom, why: str, told: int) -> None:
    """The postmaster is told by the message `told` of the same atom what is wrong."""
    atom.add(SMART_HOST_TOLD, {"why": why, "told": told})


def _add(store: Store, actor: Actor, facts: dict[str, object], password: str, cmd: str) -> None:
    before = store.state.smart_host.current
    atom = store.atom(actor)
    more: dict[str, object] = {"replaces": before.id} if before is not None and before.user else {}
    more |= {"cmd": cmd} if cmd else {}
    body = compress_body(password.encode()) if password else None
    atom.add(SMART_HOST_SET, {"by": atom.by, **facts, **more}, body)
    atom.commit()


def _check_host(host: str) -> str:
    """A domain in A-labels, or an address. Raises Refused."""
    try:
        return str(ipaddress.ip_address(host.strip().strip("[]")))
    except ValueError:
        return check_domain(host)
