"""The resources `accounts` and `app-passwords`."""

from typing import NamedTuple

from crockery.actions import accounts as actions
from crockery.actions.quota import set_quota
from crockery.limits import MAX_QUOTA
from crockery.net.passwords import app_password_secret, new_app_password
from crockery.projections.accounts import Account, AppPassword
from crockery.projections.quota import Quota, quota_of
from crockery.sasl import PrepError, ScramSecret
from crockery.web.control.errors import bad_request
from crockery.web.control.request import Context, Json, Request
from crockery.web.words import moment


class NewAppPassword(NamedTuple):
    """A random password, and what is kept of it."""

    password: str
    secret: ScramSecret


def hash_new_password(request: Request) -> str:
    """The verifier of the password in the body; "" when there is none. Takes time. Raises ControlError."""
    if "password" not in request.body:
        return ""
    try:
        return request.hasher.hash(request.text("password"))
    except PrepError as error:
        raise bad_request(str(error)) from error


def make_app_password(request: Request) -> NewAppPassword:
    """A new one. Takes time."""
    password = new_app_password()
    return NewAppPassword(password, app_password_secret(password))


def list_accounts(context: Context, request: Request) -> Json:
    """All accounts by name."""
    accounts = context.store.state.accounts.by_name
    return {"items": [describe(context, accounts[name]) for name in sorted(accounts)]}


def show(context: Context, request: Request, name: str) -> Json:
    """One account."""
    return describe(context, actions.existing_account(context.store, name))


def add(context: Context, request: Request) -> Json:
    """Add an account."""
    account = actions.add_account(context.store, request.actor, request.text("name"), request.prepared)
    return describe(context, account)


def change(context: Context, request: Request, name: str) -> Json:
    """Set the password, disable, enable."""
    if request.prepared:
        actions.set_password(context.store, request.actor, name, request.prepared)
    elif "quota" in request.body:
        _change_quota(context, request, actions.existing_account(context.store, name))
    elif isinstance(request.body.get("disabled"), bool):
        actions.disable_account(context.store, request.actor, name, request.body["disabled"])
    else:
        raise bad_request("an account's password and quota can be changed, and whether it is disabled")
    return show(context, request, name)


def put_forward(context: Context, request: Request, name: str) -> Json:
    """Let its mail go on to an address elsewhere; null: not any more. `keep` (default true): here as well."""
    address, keep = request.body.get("address"), request.body.get("keep", True)
    if not (address is None or isinstance(address, str)) or not isinstance(keep, bool):
        raise bad_request("address must be a text or null, and keep true or false")
    actions.set_forward(context.store, request.actor, name, address or "", keep=keep)
    return show(context, request, name)


def _change_quota(context: Context, request: Request, account: Account) -> None:
    """`{"quota": {"storage": 1000000, "messages": 0}}`: octets and messages, 0 for none; null: as the settings say."""
    wanted = request.body["quota"]
    if wanted is None:
        set_quota(context.store, request.actor, account, None)
        return
    limits: list[int] = [wanted.get(name, -1) for name in ("storage", "messages")] if isinstance(wanted, dict) else [-1]
    if not all(type(limit) is int and 0 <= limit <= MAX_QUOTA for limit in limits):
        raise bad_request("a quota is null, or has storage (octets) and messages, whole numbers, 0 for no limit")
    set_quota(context.store, request.actor, account, Quota(*limits))


def remove(context: Context, request: Request, name: str) -> Json:
    """Remove an account."""
    gone = show(context, request, name)
    actions.remove_account(context.store, request.actor, name)
    return gone


def list_app_passwords(context: Context, request: Request, name: str) -> Json:
    """The app passwords of an account, oldest first."""
    account = actions.existing_account(context.store, name)
    return {"items": [describe_app(account, app) for app in account.app_passwords.values()]}


def add_app(context: Context, request: Request, name: str) -> Json:
    """Make an app password; this answer is the only place where it can be read."""
    new: NewAppPassword = request.prepared
    app = actions.add_app_password(context.store, request.actor, name, request.text("label"), new.secret)
    account = actions.existing_account(context.store, name)
    return {**describe_app(account, app), "password": new.password}


def remove_app(context: Context, request: Request, name: str, label: str) -> Json:
    """Revoke an app password."""
    account = actions.existing_account(context.store, name)
    app = account.app_passwords.get(label.casefold())
    actions.remove_app_password(context.store, request.actor, name, label)
    return describe_app(account, app) if app is not None else {}


def describe(context: Context, account: Account) -> Json:
    """An account with what is in its mailboxes."""
    state = context.store.state
    boxes = state.mailboxes.of_account(account.id).values()
    return {
        "name": account.name,
        "address": f"{account.name}@{state.settings.domain}",
        "postmaster": account.postmaster,
        "disabled": account.disabled,
        "has_password": account.password != 0,
        "addresses": sorted(state.accounts.addresses_of(account)),
        "forward": account.forward or None,
        "keeps": account.keeps,
        "app_passwords": list(account.app_passwords),
        "mailboxes": len(boxes),
        "messages": sum(len(box) for box in boxes),
        "unseen": sum(box.unseen for box in boxes),
        "octets": sum(box.octets for box in boxes),
        "quota": quota_of(state, account.id)._asdict() | {"own": account.quota is not None},
        "added": moment(account.added),
    }


def describe_app(account: Account, app: AppPassword) -> Json:
    """An app password without the password."""
    return {
        "label": app.label,
        "login": f"{account.name}/{app.label}",
        "added": moment(app.added),
        "last_used": moment(app.last_used) if app.last_used else None,
        "last_peer": app.last_peer or None,
    }
