"""Actions on accounts, aliases, the wildcard and passwords.

Verifiers come in made: hashing takes time, and salts are random, so both are the caller's (`net.passwords`).
"""

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

import msgpack
import numpy as np

from crockery.actions.actor import Actor
from crockery.actions.errors import Reason, Refused
from crockery.actions.mailboxes import FIRST_MAILBOXES, add_mailbox
from crockery.actions.store import Atom, Store
from crockery.events.body import compress_body
from crockery.events.ranges import pack_numbers
from crockery.events.types.accounts import (
    ACCOUNT_ADDED,
    ACCOUNT_DISABLED,
    ACCOUNT_REMOVED,
    ALIAS_ADDED,
    ALIAS_REMOVED,
    APP_PASSWORD_ADDED,
    APP_PASSWORD_REMOVED,
    APP_PASSWORD_USED,
    FORWARD_SET,
    PASSWORD_SET,
    WILDCARD_SET,
)
from crockery.limits import (
    MAX_ALIAS_TARGETS,
    MAX_APP_PASSWORDS,
    MAX_LABEL,
    MAX_LOCAL_PART,
)
from crockery.projections.accounts import (
    CROCKERYS_NAME,
    POSTMASTER_NAMES,
    REWRITTEN,
    Account,
    AppPassword,
    fold_local_part,
)
from crockery.sasl import ScramSecret
from crockery.smtp.wire import AddressError, parse_mailbox

# RFC 5322 section 3.2.3 dot-atom with RFC 6532 letters, without "+" (subaddresses) and "/" (labels of app passwords).
_LOCAL_PART: Final = re.compile(r"[\w!#$%&'*=?^`{|}~-]+(?:\.[\w!#$%&'*=?^`{|}~-]+)*")
_LABEL: Final = re.compile(r"[\w.-]+")


def add_account(store: Store, actor: Actor, name: str, verifier: str = "", *, postmaster: bool = False) -> Account:
    """Add an account with its first mailboxes, and its password if `verifier` (argon2id, PHC form) is given.

    Raises Refused, LogFull.
    """
    name = check_local_part(own_name(store, name))
    _check_free(name)
    accounts = store.state.accounts
    if accounts.find(name) is not None:
        raise Refused(Reason.ALREADY_EXISTS, f"there is an account {name} already")
    if name in accounts.aliases:
        raise Refused(Reason.ALREADY_EXISTS, f"{name} is an alias: remove it first")
    if name in POSTMASTER_NAMES and not postmaster:
        raise Refused(Reason.CANNOT, f"mail to {name}@ always reaches the postmaster")
    if postmaster and accounts.postmaster is not None:
        raise Refused(Reason.ALREADY_EXISTS, f"{accounts.postmaster.name} is the postmaster")
    atom = store.atom(actor)
    account = atom.add(ACCOUNT_ADDED, {"by": atom.by, "name": name, "postmaster": postmaster})
    for mailbox, special_use in FIRST_MAILBOXES:
        add_mailbox(store, atom, account, mailbox, special_use, subscribed=True)
    if verifier:
        _add_password(atom, account, verifier, 0)
    atom.commit()
    return accounts.by_id[account]


def remove_account(store: Store, actor: Actor, name: str) -> None:
    """Remove an account, its mailboxes, and its name from aliases. Raises Refused, LogFull."""
    account = existing_account(store, name)
    if account.postmaster:
        raise Refused(Reason.CANNOT, f"{account.name} is the postmaster, whom every domain must have (RFC 5321)")
    mailboxes = store.state.mailboxes
    columns = [box.columns.number for box in mailboxes.of_account(account.id).values()]
    numbers = np.concatenate(columns) if columns else np.empty(0, dtype=np.uint64)
    secrets = [*(app.id for app in account.app_passwords.values()), account.password]
    atom = store.atom(actor)
    for alias, targets in store.state.accounts.aliases.items():
        if account.name in targets:
            _change_alias(store, atom, alias, [target for target in targets if target != account.name])
    facts = {
        "by": atom.by,
        "account": account.id,
        "name": account.name,
        "orphaned": pack_numbers(mailboxes.orphans(numbers)),
        "secrets": pack_numbers(np.array([number for number in secrets if number], dtype=np.uint64)),
    }
    atom.add(ACCOUNT_REMOVED, facts)
    atom.commit()


def disable_account(store: Store, actor: Actor, name: str, disabled: bool = True) -> None:
    """Let nobody log in to the account any more (or again); its mail is received all the same. Raises Refused."""
    account = existing_account(store, name)
    if account.disabled != disabled:
        atom = store.atom(actor)
        atom.add(ACCOUNT_DISABLED, {"by": atom.by, "account": account.id, "disabled": disabled})
        atom.commit()


def set_password(store: Store, actor: Actor, name: str, verifier: str) -> None:
    """Set an account's password by its verifier (argon2id, PHC form); the old is erased. Raises Refused, LogFull."""
    account = existing_account(store, name)
    atom = store.atom(actor)
    _add_password(atom, account.id, verifier, account.password)
    atom.commit()


def _add_password(atom: Atom, account: int, verifier: str, replaces: int) -> None:
    facts = {"by": atom.by, "account": account, "replaces": replaces}
    atom.add(PASSWORD_SET, facts, compress_body(verifier.encode()))


def add_alias(store: Store, actor: Actor, alias: str, targets: Sequence[str]) -> str:
    """Let mail to `alias` go to these accounts and addresses elsewhere, instead of those it went to; returns its name.

    Raises Refused.
    """
    alias = check_local_part(own_name(store, alias))
    _check_free(alias)
    if store.state.accounts.find(alias) is not None:
        raise Refused(Reason.ALREADY_EXISTS, f"{alias} is an account: an alias would hide it")
    if alias in POSTMASTER_NAMES:
        raise Refused(Reason.CANNOT, f"mail to {alias}@ always reaches the postmaster")
    names = list(dict.fromkeys(_alias_target(store, target) for target in targets))
    if not names:
        raise Refused(Reason.CANNOT, f"to which accounts should mail to {alias} go?")
    if len(names) > MAX_ALIAS_TARGETS:
        raise Refused(Reason.LIMIT, f"an alias can have {MAX_ALIAS_TARGETS} targets")
    atom = store.atom(actor)
    _change_alias(store, atom, alias, names)
    atom.commit()
    return alias


def _alias_target(store: Store, target: str) -> str:
    """An account's name, or an address elsewhere."""
    return check_elsewhere(store, target) if _is_elsewhere(store, target) else existing_account(store, target).name


def set_forward(store: Store, actor: Actor, name: str, address: str, *, keep: bool = True) -> Account:
    """Let mail for the account go on to an address elsewhere, and with `keep` stay here as well; "": not any more.

    Raises Refused.
    """
    account = existing_account(store, name)
    address = check_elsewhere(store, address) if address else ""
    keep = keep or not address
    if (address, keep) != (account.forward, account.keeps):
        atom = store.atom(actor)
        facts = {"by": atom.by, "account": account.id, "address": address, "keep": keep}
        atom.add(FORWARD_SET, {**facts, "old": account.forward, "old_keep": account.keeps})
        atom.commit()
    return account


def check_elsewhere(store: Store, address: str) -> str:
    """An address of another domain as it is kept: the domain in lower case. Raises Refused."""
    try:
        mailbox = parse_mailbox(address.strip())
    except AddressError as error:
        raise Refused(Reason.CANNOT, f"{address!r} is not a mail address") from error
    if not _is_elsewhere(store, str(mailbox)):
        domain = store.state.settings.domain
        raise Refused(Reason.CANNOT, f"{mailbox} is an address of {domain}: use an alias for it")
    return str(mailbox)


def _is_elsewhere(store: Store, address: str) -> bool:
    _, at, domain = address.rpartition("@")
    return bool(at) and domain.casefold() not in store.state.settings.domains


def remove_alias(store: Store, actor: Actor, alias: str) -> None:
    """Remove an alias. Raises Refused."""
    alias = fold_local_part(own_name(store, alias))
    if alias not in store.state.accounts.aliases:
        raise Refused(Reason.NONEXISTENT, f"there is no alias {alias}")
    atom = store.atom(actor)
    _change_alias(store, atom, alias, [])
    atom.commit()


def _change_alias(store: Store, atom: Atom, alias: str, targets: list[str]) -> None:
    old = store.state.accounts.aliases.get(alias, [])
    if not targets:
        atom.add(ALIAS_REMOVED, {"by": atom.by, "alias": alias, "old": old})
    elif targets != old:
        atom.add(ALIAS_ADDED, {"by": atom.by, "alias": alias, "targets": targets, "old": old})


def set_wildcard(store: Store, actor: Actor, name: str | None) -> None:
    """Let mail to unknown local parts go to this account; None: refuse it. Raises Refused."""
    account = None if name is None else existing_account(store, name).id
    old = store.state.accounts.wildcard
    if account != old:
        atom = store.atom(actor)
        atom.add(WILDCARD_SET, {"by": atom.by, "account": account, "old": old})
        atom.commit()


def add_app_password(store: Store, actor: Actor, name: str, label: str, secret: ScramSecret) -> AppPassword:
    """Add a password for one device, with the login name `name/label`. Raises Refused, LogFull."""
    account = existing_account(store, name)
    label = check_label(label)
    if label in account.app_passwords:
        raise Refused(Reason.ALREADY_EXISTS, f"{account.name} has an app password {label} already: remove it first")
    if len(account.app_passwords) >= MAX_APP_PASSWORDS:
        raise Refused(Reason.LIMIT, f"an account can have {MAX_APP_PASSWORDS} app passwords")
    body = {
        "salt": secret.salt,
        "iterations": secret.iterations,
        "stored_key": secret.stored_key,
        "server_key": secret.server_key,
    }
    atom = store.atom(actor)
    facts = {"by": atom.by, "account": account.id, "label": label}
    atom.add(APP_PASSWORD_ADDED, facts, compress_body(msgpack.packb(body)))
    atom.commit()
    return account.app_passwords[label]


def remove_app_password(store: Store, actor: Actor, name: str, label: str) -> None:
    """Revoke an app password; its secret is erased. Raises Refused."""
    account = existing_account(store, name)
    app = account.app_passwords.get(fold_local_part(label))
    if app is None:
        raise Refused(Reason.NONEXISTENT, f"{account.name} has no app password {label}")
    atom = store.atom(actor)
    facts = {"by": atom.by, "account": account.id, "app": app.id, "label": app.label}
    atom.add(APP_PASSWORD_REMOVED, facts)
    atom.commit()


def note_app_password_used(store: Store, actor: Actor, app: int, peer: str) -> None:
    """Note that an app password was used from there."""
    atom = store.atom(actor)
    atom.add(APP_PASSWORD_USED, {"app": app, "peer": peer})
    atom.commit()


def existing_account(store: Store, name: str) -> Account:
    """The account of that name; raises Refused (NONEXISTENT)."""
    account = store.state.accounts.find(own_name(store, name))
    if account is None:
        raise Refused(Reason.NONEXISTENT, f"there is no account {name}")
    return account


def own_name(store: Store, name: str) -> str:
    """The local part of a name given as an address of ours; other names as they are. Raises Refused."""
    local_part, at, domain = name.rpartition("@")
    if not at:
        return name
    if domain.casefold() not in store.state.settings.domains:
        raise Refused(Reason.CANNOT, f"{name} is not an address of {store.state.settings.domain}")
    return local_part


def check_local_part(name: str) -> str:
    """The name as it is kept: normalised (NFC), in lower case. Raises Refused."""
    folded = fold_local_part(unicodedata.normalize("NFC", name))
    if len(folded.encode(errors="replace")) > MAX_LOCAL_PART:
        raise Refused(Reason.LIMIT, f"a name can have {MAX_LOCAL_PART} octets")
    if not _LOCAL_PART.fullmatch(folded):
        raise Refused(Reason.CANNOT, f"{name!r} cannot be a name: letters, digits, dots and hyphens make one")
    return folded


def _check_free(name: str) -> None:
    """No name that the server itself uses, whatever else is there. Raises Refused."""
    if name == CROCKERYS_NAME:
        raise Refused(Reason.CANNOT, f"{name}@ is the address at which this server asks and is answered: take another")
    if name.startswith(REWRITTEN):
        raise Refused(Reason.CANNOT, f"names that begin with {name[:5]} are those of forwarded mail on its way back")


def check_label(label: str) -> str:
    """The label of an app password as it is kept. Raises Refused."""
    folded = fold_local_part(unicodedata.normalize("NFC", label))
    if len(folded) > MAX_LABEL or not _LABEL.fullmatch(folded):
        raise Refused(Reason.CANNOT, f"a label is up to {MAX_LABEL} letters, digits, dots and hyphens, like phone")
    return folded
