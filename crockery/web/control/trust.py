"""The resource `whitelist/tls`: ways to other domains that are trusted though nobody vouches for them."""

from crockery.actions.settings import check_domain
from crockery.actions.trust import grant_plain, revoke_trust
from crockery.projections.trust import Grant
from crockery.web.control.request import Context, Json, Request
from crockery.web.words import moment


def list_grants(context: Context, request: Request) -> Json:
    """All grants, oldest first."""
    return {"items": [_describe(context, grant) for grant in context.store.state.trust.grants.values()]}


def grant(context: Context, request: Request, domain: str) -> Json:
    """Let mail to a domain go without a secure way, where there is none."""
    number = grant_plain(context.store, request.actor, check_domain(domain), cmd="whitelist tls")
    return _describe(context, context.store.state.trust.grants[number])


def revoke(context: Context, request: Request, domain: str) -> Json:
    """Trust a domain no more."""
    gone = revoke_trust(context.store, request.actor, check_domain(domain), cmd="whitelist tls remove")
    return {"items": [_describe(context, grant) for grant in gone]}


def _describe(context: Context, grant: Grant) -> Json:
    account = context.store.state.accounts.by_id.get(grant.account)
    return {
        "number": grant.id,
        "time": moment(grant.time),
        "domain": grant.domain,
        "host": grant.host or None,
        "key": grant.spki or None,
        "names": list(grant.names),
        "account": account.name if account is not None else None,
    }
