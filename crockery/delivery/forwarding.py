"""Mail that goes on to other servers because an alias or an account says so.

It goes on byte for byte, so that the author's DKIM signature stays good; only trace fields are put on top. Its
reverse-path becomes ours (`srs`), or the next server's SPF check would fail it; bounces come back to that and go on to
the sender. Delivered-To tells of a loop when the message comes back (RFC 9228). What RFC 3461 §5.2.7 says of
notifications: the next server sees to them, but where the message stays here too, we say ourselves that it arrived.
"""

from typing import Final, TypedDict

from crockery.actions.queue import Outgoing, Terms
from crockery.actions.signing import ensure_srs_key
from crockery.actions.store import Store
from crockery.delivery.envelope import Envelope
from crockery.delivery.recipients import is_local_domain, own_address
from crockery.delivery.srs import SRSError, is_rewritten, restore, rewrite
from crockery.events.types.queue import RecipientOptions
from crockery.projections.accounts import Forward
from crockery.smtp.wire import Mailbox
from crockery.smtp.wire.received import render_delivered_to

_DAY: Final = 86400


class DeadlineTerms(TypedDict, total=False):
    """A part of `Terms`."""

    deliver_by: int
    return_by: int
    by_trace: bool


def rewrite_path(store: Store, sender: Mailbox | None) -> str:
    """The reverse-path under which mail from `sender` is forwarded. Raises LogFull."""
    if sender is None:
        return ""
    domain = own_address(store.state.settings, "").domain
    return str(rewrite(sender, domain, ensure_srs_key(store), store.now // _DAY))


def restore_path(store: Store, recipient: Mailbox) -> Mailbox:
    """Where a bounce to a reverse-path of ours goes next. Raises SRSError."""
    if not store.state.signing.srs_key:
        raise SRSError("nothing was ever forwarded")
    return restore(recipient.local, ensure_srs_key(store), store.now // _DAY)


def forwarded(
    store: Store, envelope: Envelope, forward: Forward, recipient: Mailbox, reverse_path: str, *, stays: bool
) -> Outgoing:
    """One forward of mail to `recipient`, without its content type; `stays`: it is kept here as well."""
    return Outgoing(
        account=forward.account,
        reverse_path=reverse_path,
        recipients=[forward.address],
        prefix=render_delivered_to(own_address(store.state.settings, forward.name)),
        smtputf8=envelope.smtputf8,
        origin="forward",
        options={forward.address: _options(envelope.options.get(str(recipient), {}), recipient, stays=stays)},
        terms=Terms(ret=envelope.ret, envid=envelope.envid, requiretls=envelope.requiretls, **deadline_terms(envelope)),
    )


def deadline_terms(envelope: Envelope) -> DeadlineTerms:
    """What the envelope's deadline (RFC 2852) means for the queue: a sooner end in mode R, a notice in mode N."""
    if not envelope.deadline:
        return {}
    when: DeadlineTerms = {"return_by": envelope.deadline} if envelope.returns else {"deliver_by": envelope.deadline}
    return {**when, "by_trace": envelope.traces}


def _options(asked: RecipientOptions, recipient: Mailbox, *, stays: bool) -> RecipientOptions:
    kind = "rfc822" if str(recipient).isascii() else "utf-8"
    options: RecipientOptions = {"orcpt": asked.get("orcpt", f"{kind};{recipient}")}
    if "notify" in asked:
        wanted = [word for word in asked["notify"] if not (stays and word == "SUCCESS")]
        options["notify"] = wanted or ["NEVER"]
    return options


def sender_behind(store: Store, reverse_path: Mailbox) -> Mailbox:
    """The sender whom a reverse-path that may be of our making stands for."""
    if not is_local_domain(store.state.settings, reverse_path.domain) or not is_rewritten(reverse_path.local):
        return reverse_path
    try:
        return restore_path(store, reverse_path)
    except SRSError:
        return reverse_path
