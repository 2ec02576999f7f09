"""Changing settings: what each may be, and what follows from a change.

`CHECKS` has one row for every setting of `projections.settings.SETTINGS`; a check takes what a person typed (or a value
as kept) and returns the value to keep.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final

from crockery.actions.actor import Actor
from crockery.actions.errors import Reason, Refused
from crockery.actions.store import Atom, Store
from crockery.events.types.server import SETTING_CHANGED
from crockery.limits import (
    MAX_DOMAIN_NAME,
    MAX_MESSAGE,
    MAX_OLD_DOMAINS,
    MAX_PER_DAY,
    MAX_QUOTA,
    MAX_RECIPIENTS,
    MAX_RETENTION_DAYS,
    MIN_MESSAGE,
    MIN_RECIPIENTS,
    KiB,
    MiB,
)
from crockery.projections.settings import BY_NAME, Value

_LABEL: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_SIZE: Final = re.compile(r"(\d{1,18})\s*([kmgt]?)(?:i?b)?", re.IGNORECASE)
_UNITS: Final = {"": 1, "k": KiB, "m": MiB, "g": 1024 * MiB, "t": 1024 * 1024 * MiB}


def change_setting(store: Store, actor: Actor, name: str, value: Value) -> Value:
    """Change a setting; None (or "default") gives it back its default. Returns the value kept. Raises Refused.

    A domain that is given up is still received: it is added to old-domains, in the same atom.
    """
    if name not in BY_NAME:
        known = ", ".join(sorted(BY_NAME))
        raise Refused(Reason.NONEXISTENT, f"there is no setting {name}; there are {known}")
    wanted = None if value is None or value == "default" else CHECKS[name](value)
    if name == "domain" and wanted is None:
        raise Refused(Reason.CANNOT, "a mail server needs a domain")
    settings = store.state.settings
    atom = store.atom(actor)
    if name == "domain" and settings.domain and wanted != settings.domain:
        old = settings.domain
        others = [domain for domain in settings.text("old-domains").split(",") if domain and domain != wanted]
        _add_change(store, atom, "old-domains", ",".join((*others, old)))
        if settings.values.get("hostname") is None:
            _add_change(store, atom, "hostname", old)  # its certificate and its MX record stand under this name
    changed = _add_change(store, atom, name, wanted)
    if changed:
        atom.commit()
    return settings.get(name)


def _add_change(store: Store, atom: Atom, name: str, value: Value) -> bool:
    old = store.state.settings.values.get(name)
    if value == old:
        return False
    atom.add(SETTING_CHANGED, {"by": atom.by, "name": name, "value": value, "old": old})
    return True


def check_domain(value: Value) -> str:
    """A domain name in lower case, A-labels for other scripts (RFC 5890). Raises Refused."""
    text = str(value).strip().rstrip(".")
    try:
        domain = text.encode("idna").decode("ascii").lower()
    except UnicodeError:
        domain = ""
    if len(domain) > MAX_DOMAIN_NAME or not all(_LABEL.fullmatch(label) for label in domain.split(".")):
        raise Refused(Reason.CANNOT, f"{text!r} is not a domain name")
    if domain.rpartition(".")[2].isdigit():
        raise Refused(Reason.CANNOT, f"{text!r} is an address, not a domain name")
    return domain


def _check_domains(value: Value) -> str:
    domains = [check_domain(part) for part in str(value).split(",") if part.strip()]
    if len(domains) > MAX_OLD_DOMAINS:
        raise Refused(Reason.LIMIT, f"there can be {MAX_OLD_DOMAINS} old domains")
    return ",".join(dict.fromkeys(domains))


def _check_number(low: int, high: int, what: str) -> Callable[[Value], int]:
    """A check for a whole number, or a size with K, M, G or T behind it."""

    def check(value: Value) -> int:
        number = parse_size(str(value))
        if not low <= number <= high:
            raise Refused(Reason.CANNOT, f"{what} must be a number from {low} to {high}, not {value}")
        return number

    return check


def parse_size(text: str) -> int:
    """A number, or a size with K, M, G or T behind it, in octets; -1 for what is neither."""
    match = _SIZE.fullmatch(text.strip())
    return int(match[1]) * _UNITS[match[2].lower()] if match else -1


def _check_switch(what: str) -> Callable[[Value], bool]:
    """A check for on or off."""
    words = {"on": True, "yes": True, "true": True, "off": False, "no": False, "false": False}

    def check(value: Value) -> bool:
        chosen = words.get(str(value).strip().lower())
        if chosen is None:
            raise Refused(Reason.CANNOT, f"{what} is on or off, not {value}")
        return chosen

    return check


CHECKS: Final[Mapping[str, Callable[[Value], Value]]] = {
    "domain": check_domain,
    "hostname": check_domain,
    "old-domains": _check_domains,
    "retention-days": _check_number(0, MAX_RETENTION_DAYS, "retention-days"),
    "max-message-size": _check_number(MIN_MESSAGE, MAX_MESSAGE, "max-message-size"),
    "max-recipients": _check_number(MIN_RECIPIENTS, MAX_RECIPIENTS, "max-recipients"),
    "max-mails-per-day": _check_number(0, MAX_PER_DAY, "max-mails-per-day"),
    "max-new-recipients-per-day": _check_number(0, MAX_PER_DAY, "max-new-recipients-per-day"),
    "quota-storage": _check_number(0, MAX_QUOTA, "quota-storage"),
    "quota-messages": _check_number(0, MAX_QUOTA, "quota-messages"),
    "imap-unauthenticate": _check_switch("imap-unauthenticate"),
}
