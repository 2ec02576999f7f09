"""A recipient of the queue as a notice tells of it. Pure."""

from collections.abc import Mapping
from typing import Any, Final

from crockery.message.dates import spell_date
from crockery.message.dsn_reasons import Reason, explain_status
from crockery.message.dsn_status import Action, RecipientStatus
from crockery.projections.queue import NOWHERE, Attempt, Notify, QueuedMessage, Recipient, RecipientState

_ACTIONS: Final = {
    RecipientState.DELIVERED: Action.DELIVERED,
    RecipientState.RELAYED: Action.RELAYED,
    RecipientState.FAILED: Action.FAILED,
}
_DEFAULTS: Final = {
    Action.DELIVERED: "2.0.0", Action.RELAYED: "2.0.0", Action.FAILED: "5.0.0", Action.DELAYED: "4.4.1",
}  # fmt: skip
_NONE: Final = Attempt(0, NOWHERE, "", 0, "", "", "")


def status_of(
    recipient: Recipient, message: QueuedMessage, kind: str, original: str, reason: Reason | None = None
) -> RecipientStatus:
    """What a notice of that kind (see NoticeMade) says; `original` is ORCPT, its xtext undone.

    `reason` has better words than those that go with the status.
    """
    last = recipient.story[-1] if recipient.story else _NONE
    action = _ACTIONS.get(recipient.state, Action.DELAYED) if kind == "final" else Action.DELAYED
    confirms = False
    if action is Action.DELIVERED and last.place.host:
        confirms = bool(recipient.notify & Notify.SUCCESS)  # it has DSN, and the wish was passed on
        action = Action.RELAYED  # it was handed to another server, which sees to the rest
    told = _last_words(recipient)
    remote = f"{told.code} {told.enhanced} {told.text}".replace("  ", " ") if told.code else ""
    return RecipientStatus(
        final=recipient.address,
        action=action,
        status="4.4.7" if kind == "deadline" else _status(last.enhanced, action),  # RFC 2852 §4.1.3
        original=original,
        remote_host=told.place.host,
        remote_reply=remote,
        diagnosis="" if remote else told.text,
        last_attempt=told.time // 1_000_000 if told.time else None,
        retry_until=message.expires if action is Action.DELAYED else None,
        why=reason.why if reason is not None else "",
        advice=reason.advice if reason is not None else "",
        confirms=confirms,
    )


def own_reason(kind: str, recipient: Recipient, facts: Mapping[str, Any]) -> Reason | None:
    """What only we know: a deadline of the message's own (RFC 2852), or that our copy of it is damaged.

    `facts` are those of its MessageQueued.
    """
    if kind == "deadline":
        when = spell_date(facts.get("deliver_by", 0), 0)
        return Reason(f"You wanted it to be delivered by {when}, and that time is over.", "")
    last = recipient.story[-1].why if recipient.story else ""
    if kind == "final" and last == "unreadable":
        return Reason("The copy that this server keeps of your message is damaged.", "Send the message again.")
    if kind == "final" and last == "requiretls":
        return explain_status("5.7.30", recipient.address)  # 5.7.10 from others says that they want TLS
    if kind == "final" and last == "impossible" and "return_by" in facts:
        when = spell_date(facts["return_by"], 0)
        return Reason(
            f"You wanted it to be delivered by {when}, or to come back. The mail server there does not promise that.",
            "Send it again without such a deadline.",
        )
    if kind == "final" and last == "expired" and returns_at_deadline(facts):
        when = spell_date(facts["return_by"], 0)
        return Reason(
            f"You wanted it to be delivered by {when}, or to come back. That time is over.",
            "Send it again with more time, or without such a deadline.",
        )
    return None


def returns_at_deadline(facts: Mapping[str, Any]) -> bool:
    """Whether a message with these facts comes back at a deadline of its own (RFC 2852), sooner than all others do."""
    return bool(facts) and facts["expires"] == facts.get("return_by")


def _last_words(recipient: Recipient) -> Attempt:
    """The last attempt that was one: not the giving up, which nobody else said anything about."""
    return next((attempt for attempt in reversed(recipient.story) if attempt.why != "expired"), _NONE)


def _status(enhanced: str, action: Action) -> str:
    """A status of the class that goes with the action (RFC 3464 section 2.3.4); expired ones keep their 4."""
    if not enhanced:
        return _DEFAULTS[action]
    if action is Action.DELAYED:
        return "4" + enhanced[1:]
    return enhanced
