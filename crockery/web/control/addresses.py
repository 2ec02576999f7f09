"""The resources `aliases` and `wildcard`: who gets mail for names that are no accounts."""

from crockery.actions import accounts as actions
from crockery.projections.accounts import fold_local_part
from crockery.web.control.errors import bad_request
from crockery.web.control.request import Context, Json, Request


def list_aliases(context: Context, request: Request) -> Json:
    """All aliases by name."""
    aliases = context.store.state.accounts.aliases
    return {"items": [_describe(context, alias) for alias in sorted(aliases)]}


def put_alias(context: Context, request: Request, alias: str) -> Json:
    """Add an alias, or change where it leads."""
    targets = request.body.get("targets")
    if not isinstance(targets, list) or not all(isinstance(target, str) for target in targets):
        raise bad_request("targets must be a list of account names and addresses elsewhere")
    alias = actions.add_alias(context.store, request.actor, alias, targets)
    return _describe(context, alias)


def remove(context: Context, request: Request, alias: str) -> Json:
    """Remove an alias."""
    gone = _describe(context, fold_local_part(actions.own_name(context.store, alias)))
    actions.remove_alias(context.store, request.actor, alias)
    return gone


def show_wildcard(context: Context, request: Request) -> Json:
    """The account that gets mail to unknown names; null: it is refused."""
    accounts = context.store.state.accounts
    account = accounts.by_id.get(accounts.wildcard) if accounts.wildcard is not None else None
    return {"account": account.name if account is not None else None}


def put_wildcard(context: Context, request: Request) -> Json:
    """Choose it."""
    name = request.body.get("account")
    if name is not None and not isinstance(name, str):
        raise bad_request("account must be a name or null")
    actions.set_wildcard(context.store, request.actor, name)
    return show_wildcard(context, request)


def _describe(context: Context, alias: str) -> Json:
    state = context.store.state
    targets = state.accounts.aliases.get(alias, [])
    return {"alias": alias, "address": f"{alias}@{state.settings.domain}", "targets": list(targets)}
