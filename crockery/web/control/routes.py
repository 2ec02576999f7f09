"""From method and path to an operation, and the one way to perform it.

An operation is a plain function over the store: it looks, decides and appends without waiting, whoever calls it. What
takes time beforehand (hashing a password) is the route's `prepare`, which sees only the request.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple
from urllib.parse import unquote

from crockery.web.control import accounts, addresses, dns, journal, queue, settings, smart_host, status, tallies, trust
from crockery.web.control.errors import ControlError
from crockery.web.control.request import Context, Json, Lines, Request

Operation = Callable[..., Json | Lines]
"""Context, request, then the variable segments of the path, in order."""

Prepare = Callable[[Request], Any]


@dataclass(frozen=True, slots=True)
class Route:
    """One row of the API; in `template` a segment in braces stands for any."""

    method: str
    template: str
    operation: Operation
    prepare: Prepare | None = None
    follows: bool = False
    """Its lines go on with what happens next, if the query says `follow`."""


class Match(NamedTuple):
    """A route and the variable segments of the path that led to it."""

    route: Route
    segments: tuple[str, ...]


ROUTES: Final = (
    Route("GET", "/v1/status", status.show_status),
    Route("GET", "/v1/settings", settings.list_settings),
    Route("PUT", "/v1/settings/{name}", settings.change),
    Route("GET", "/v1/accounts", accounts.list_accounts),
    Route("POST", "/v1/accounts", accounts.add, prepare=accounts.hash_new_password),
    Route("GET", "/v1/accounts/{name}", accounts.show),
    Route("PATCH", "/v1/accounts/{name}", accounts.change, prepare=accounts.hash_new_password),
    Route("DELETE", "/v1/accounts/{name}", accounts.remove),
    Route("PUT", "/v1/accounts/{name}/forward", accounts.put_forward),
    Route("GET", "/v1/accounts/{name}/app-passwords", accounts.list_app_passwords),
    Route("POST", "/v1/accounts/{name}/app-passwords", accounts.add_app, prepare=accounts.make_app_password),
    Route("DELETE", "/v1/accounts/{name}/app-passwords/{label}", accounts.remove_app),
    Route("GET", "/v1/aliases", addresses.list_aliases),
    Route("PUT", "/v1/aliases/{alias}", addresses.put_alias),
    Route("DELETE", "/v1/aliases/{alias}", addresses.remove),
    Route("GET", "/v1/wildcard", addresses.show_wildcard),
    Route("PUT", "/v1/wildcard", addresses.put_wildcard),
    Route("GET", "/v1/queue", queue.list_queue),
    Route("GET", "/v1/queue/{number}", queue.show),
    Route("DELETE", "/v1/queue/{number}", queue.cancel),
    Route("POST", "/v1/queue/{number}/retry", queue.retry),
    Route("POST", "/v1/queue/{number}/send-insecure", queue.send_insecure),
    Route("POST", "/v1/queue-release", queue.release),
    Route("GET", "/v1/smart-host", smart_host.show),
    Route("PUT", "/v1/smart-host", smart_host.put),
    Route("DELETE", "/v1/smart-host", smart_host.remove),
    Route("GET", "/v1/whitelist/tls", trust.list_grants),
    Route("PUT", "/v1/whitelist/tls/{domain}", trust.grant),
    Route("DELETE", "/v1/whitelist/tls/{domain}", trust.revoke),
    Route("GET", "/v1/tls-tallies", tallies.list_tallies),
    Route("GET", "/v1/dns", dns.list_records),
    Route("GET", "/v1/log", journal.read_log, follows=True),
    Route("GET", "/v1/history", journal.read_history),
    Route("POST", "/v1/reindex", status.reindex),
)


def find_route(method: str, path: str) -> Match:
    """The route for a request; raises ControlError (404, 405)."""
    segments = path.split("/")
    allowed = []
    for route in ROUTES:
        found = _match(route.template.split("/"), segments)
        if found is None:
            continue
        if route.method == method:
            return Match(route, found)
        allowed.append(route.method)
    if allowed:
        raise ControlError(405, "method-not-allowed", f"{path} answers to {', '.join(allowed)}, not to {method}")
    raise ControlError(404, "no-such-resource", f"there is no {path} in this API")


def _match(template: list[str], segments: list[str]) -> tuple[str, ...] | None:
    if len(template) != len(segments):
        return None
    found = []
    for wanted, segment in zip(template, segments, strict=True):
        if wanted.startswith("{") and segment:
            found.append(unquote(segment))
        elif wanted != segment:
            return None
    return tuple(found)


def perform(context: Context, match: Match, request: Request) -> Json | Lines:
    """Do it; what `prepare` makes is in the request already. Raises ControlError and the errors of `actions`."""
    return match.route.operation(context, request, *match.segments)


def answer(context: Context, request: Request) -> Json | Lines:
    """The whole of a request where waiting is no harm: find, prepare, perform, and have it on disk."""
    match = find_route(request.method, request.path)
    if match.route.prepare is not None:
        request = replace(request, prepared=match.route.prepare(request))
    result = perform(context, match, request)
    context.store.log.commit()
    return result
