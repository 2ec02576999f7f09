"""The resource `smart-host`: the server that all outgoing mail is handed to."""

from crockery.actions.smart_host import set_smart_host, unset_smart_host
from crockery.web.control.errors import bad_request
from crockery.web.control.request import Context, Json, Request
from crockery.web.words import moment


def show(context: Context, request: Request) -> Json:
    """The smart host, without its password; `host` is null if there is none."""
    return describe(context)


def put(context: Context, request: Request) -> Json:
    """Set it: `host`, `port`, `tls` ("implicit" or "starttls"), and `user` and `password` if it wants a login."""
    port, user, password = request.body.get("port"), request.body.get("user", ""), request.body.get("password", "")
    if (
        not isinstance(port, int)
        or isinstance(port, bool)
        or not isinstance(user, str)
        or not isinstance(password, str)
    ):
        raise bad_request("port is a number, user and password are texts")
    host, tls = request.text("host"), request.text("tls")
    set_smart_host(context.store, request.actor, host, port, tls, user, password, cmd="smart-host")
    return describe(context)


def remove(context: Context, request: Request) -> Json:
    """Do without."""
    unset_smart_host(context.store, request.actor, cmd="smart-host off")
    return describe(context)


def describe(context: Context) -> Json:
    """What `show` says."""
    found = context.store.state.smart_host
    smart, trouble = found.current, found.trouble
    return {
        "host": smart.host if smart is not None else None,
        "port": smart.port if smart is not None else None,
        "tls": smart.tls if smart is not None else None,
        "user": smart.user or None if smart is not None else None,
        "since": moment(smart.time) if smart is not None else None,
        "trouble": {"since": moment(trouble.time), "why": trouble.why, "text": trouble.text} if trouble else None,
    }
