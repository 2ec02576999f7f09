"""The resources `status` and `reindex`: how the server and its log are."""

import os
from collections.abc import AsyncGenerator

import crockery
from crockery.web.control.errors import ControlError
from crockery.web.control.request import Context, Json, Lines, Request
from crockery.web.words import moment


def show_status(context: Context, request: Request) -> Json:
    """The server, the log, and what is in it."""
    store = context.store
    state = store.state
    boxes = state.mailboxes.by_id.values()
    disk = os.statvfs(context.path)
    certificate = state.server.certificate
    return {
        "running": context.running is not None,
        **(context.running() if context.running is not None else {}),
        "version": crockery.__version__,
        "domain": state.settings.domain,
        "hostname": state.settings.hostname,
        "log": str(context.path),
        "log_octets": store.log.end,
        "free_octets": disk.f_bavail * disk.f_frsize,
        "events": store.log.head,
        "last_event": moment(state.time) if state.time else None,
        "last_start": moment(state.server.started["time"]) if state.server.started else None,
        "stopped_cleanly": state.server.stopped_cleanly,
        "accounts": len(state.accounts.by_id),
        "aliases": len(state.accounts.aliases),
        "mailboxes": len(boxes),
        "messages": sum(len(box) for box in boxes),
        "octets": sum(box.octets for box in boxes),
        "smart_host": state.smart_host.current.name if state.smart_host.current is not None else None,
        "queued": len(state.queue.by_id),
        "standing_still": len(state.queue.still()),
        "certificate": {
            "source": certificate["source"],
            "names": list(certificate["names"]),
            "not_after": moment(certificate["not_after"] * 1_000_000),
            "fingerprint": certificate["fingerprint"],
        }
        if certificate
        else None,
    }


def reindex(context: Context, request: Request) -> Lines | AsyncGenerator[Json, None]:
    """Make the derived files anew; tells of `done` and `total` on the way."""
    if context.reindex is None:
        raise ControlError(501, "not-possible", "the derived files cannot be made anew here")
    return context.reindex()
