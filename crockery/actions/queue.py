"""Actions on mail that goes elsewhere: queueing, attempts and what became of them, taking back, trying again.

A message is given up to retention (`orphaned`) by the event after which all its recipients are final and nobody is to
be told of any: DSNs quote it, so an owed one keeps its body.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from crockery.actions.actor import Actor, the_server
from crockery.actions.errors import Reason, Refused
from crockery.actions.store import Atom, Store
from crockery.events.ranges import pack_numbers
from crockery.events.types.queue import (
    ATTEMPT_BEGUN,
    QUEUE_RELEASED,
    RECIPIENTS_ATTEMPTED,
    RECIPIENTS_CANCELLED,
    RECIPIENTS_RESCHEDULED,
    RECIPIENTS_RESTORED,
)
from crockery.limits import QUEUE_LIFETIME, QUEUE_RELEASED_LIFETIME, QUEUE_TEXT
from crockery.projections.queue import NOWHERE, Notify, Place, QueuedMessage, Recipient, RecipientState

_NOTIFIED: Final = {"delivered": Notify.SUCCESS, "relayed": Notify.SUCCESS, "failed": Notify.FAILURE}
"""Which results the sender may want to be told."""


class Terms(NamedTuple):
    """What a submission asked for, all recipients alike. Times are unix seconds, 0: none."""

    ret: str = ""
    envid: str = ""
    requiretls: bool = False
    tls_optional: bool = False
    hold_until: int = 0
    hold: str = ""
    """The words of RFC 4865 §5.1.2 for it."""
    deliver_by: int = 0
    """Mode N of RFC 2852."""
    return_by: int = 0
    """Mode R of it: given up then, if that is before the usual time."""
    by_trace: bool = False
    """T of it."""


class Outgoing(NamedTuple):
    """The recipients elsewhere of a message. `options` by recipient as in `events.types.queue.RecipientOptions`."""

    account: int
    reverse_path: str
    recipients: Sequence[str]
    prefix: bytes
    body: str = "7BIT"
    smtputf8: bool = False
    envelope: Mapping[str, object] | None = None
    origin: str = "submitted"
    options: Mapping[str, Mapping[str, object]] | None = None
    terms: Terms = Terms()


class Outcome(NamedTuple):
    """What an attempt came to for some recipients; see `events.types.queue.Outcome`."""

    recipients: Sequence[str]
    result: str
    code: int = 0
    enhanced: str = ""
    text: str = ""
    why: str = ""
    next: int = 0
    problem: Mapping[str, Any] | None = None
    tell: bool = False
    """The sender is told unless it wants to hear nothing at all (RFC 2852)."""


def queue_facts(store: Store, atom: Atom, outgoing: Outgoing, message_id: str) -> dict[str, object]:
    """The facts of a MessageQueued, without those of its body."""
    terms = outgoing.terms
    lifetime = max(store.now, terms.hold_until) + QUEUE_LIFETIME
    facts: dict[str, object] = {
        "by": atom.by,
        "account": outgoing.account,
        "origin": outgoing.origin,
        "reverse_path": outgoing.reverse_path,
        "recipients": list(outgoing.recipients),
        "expires": min(lifetime, terms.return_by) if terms.return_by else lifetime,
        "prefix": outgoing.prefix,
        "body": outgoing.body,
        "smtputf8": outgoing.smtputf8,
    }
    further = terms._asdict()
    further |= {"message_id": message_id, "envelope": outgoing.envelope, "options": outgoing.options}
    return facts | {name: value for name, value in further.items() if value}


def add_arrived(atom: Atom, number: int, outgoing: Outgoing) -> None:
    """The message that `number` queues has arrived here already, and its sender is to be told so; see RECEIVED."""
    recipients = list(outgoing.recipients)
    outcome = {"recipients": recipients, "result": "delivered", "enhanced": "2.1.5", "why": "local", "owed": recipients}
    atom.add(RECIPIENTS_ATTEMPTED, {"message": number, "outcomes": [outcome], "orphaned": b""})


def begin_attempt(store: Store, message: QueuedMessage, recipients: Sequence[str], place: Place) -> int:
    """Note that the final dot is about to be sent; it may be once the number returned is durable. Raises LogFull."""
    facts = {"message": message.id, "recipients": list(recipients), **_place_facts(place)}
    atom = store.atom(the_server())
    number = atom.add(ATTEMPT_BEGUN, facts)
    atom.commit()
    return number


def record_outcomes(
    store: Store, message: QueuedMessage, outcomes: Sequence[Outcome], *, attempt: int = 0, place: Place = NOWHERE
) -> None:
    """Note what became of recipients; `attempt` is the AttemptBegun, `place` for attempts without. Raises LogFull."""
    atom = store.atom(the_server())
    add_outcomes(atom, message, outcomes, attempt=attempt, place=place)
    atom.commit()


def add_outcomes(
    atom: Atom, message: QueuedMessage, outcomes: Sequence[Outcome], *, attempt: int = 0, place: Place = NOWHERE
) -> None:
    """`record_outcomes` as a part of an atom. Recipients cancelled meanwhile stay so."""
    final: set[str] = set()
    owed: set[str] = set()
    told = []
    for given in outcomes:
        outcome = given._replace(recipients=[r.address for r in message.select(given.recipients) if not r.is_final])
        if not outcome.recipients:
            continue
        facts = _outcome_facts(message, outcome)
        told.append(facts)
        owed.update(facts.get("owed", ()))
        if outcome.result in _NOTIFIED:
            final.update(outcome.recipients)
    orphaned = _is_released(message, lambda r: (r.is_final or r.address in final, r.owed or r.address in owed))
    facts = {"message": message.id, "outcomes": told, "orphaned": pack_numbers([message.id] if orphaned else [])}
    facts |= {"attempt": attempt} if attempt else _place_facts(place)
    atom.add(RECIPIENTS_ATTEMPTED, facts)


def _outcome_facts(message: QueuedMessage, outcome: Outcome) -> dict[str, Any]:
    facts = {name: value for name, value in outcome._asdict().items() if value and name != "tell"}
    facts["recipients"] = list(outcome.recipients)
    if outcome.text:
        facts["text"] = outcome.text[:QUEUE_TEXT]
    wanted = _NOTIFIED.get(outcome.result)
    if outcome.result == "delivered" and outcome.why != "local":
        wanted = Notify.NEVER if outcome.tell else None  # the hop was handed the wish along with the message
    if wanted is not None and message.reverse_path:
        owed = [r.address for r in message.select(outcome.recipients) if r.notify & wanted or _wants(r, outcome)]
        if owed:
            facts["owed"] = owed
    return facts


def _wants(recipient: Recipient, outcome: Outcome) -> bool:
    return outcome.tell and recipient.notify != Notify.NEVER


def cancel_recipients(
    store: Store, actor: Actor, message: int, recipients: Sequence[str] = (), *, cmd: str = ""
) -> list[str]:
    """Take recipients of a queued message back (all that wait, if none is named); returns them. Raises Refused.

    A message that nobody is to get any more leaves the queue; its body is erased after the retention time.
    """
    atom = store.atom(actor)
    gone = add_cancel(store, atom, message, recipients, cmd=cmd)
    atom.commit()
    return gone


def add_cancel(store: Store, atom: Atom, message: int, recipients: Sequence[str] = (), *, cmd: str = "") -> list[str]:
    """`cancel_recipients` as a part of an atom."""
    queued = existing_queued(store, message)
    gone = _waiting(queued, recipients)
    orphaned = _is_released(queued, lambda r: (r.is_final or r.address in gone, r.owed))
    facts = {"message": message, "recipients": gone, "orphaned": pack_numbers([message] if orphaned else [])}
    atom.add(RECIPIENTS_CANCELLED, {"by": atom.by, **facts, **_command(cmd)})
    return gone


def reschedule_recipients(
    store: Store,
    actor: Actor,
    message: int,
    recipients: Sequence[str] = (),
    *,
    insecure: bool | None = None,
    cmd: str = "",
) -> list[str]:
    """Try recipients again at once (all that wait, if none is named); returns them. Raises Refused.

    `insecure`: from now on they may go without a secure way, or may not any more; None leaves that as it is. Those that
    wait for a broken policy now may go against it, the others not: nobody knew of one when it was said.
    """
    atom = store.atom(actor)
    held = existing_queued(store, message).waiting
    broken = [r.address for r in held if r.problem is not None and r.problem["kind"] == "policy"]
    wanted = add_reschedule(store, atom, message, recipients, insecure=insecure, against_policy=broken, cmd=cmd)
    atom.commit()
    return wanted


def add_reschedule(
    store: Store,
    atom: Atom,
    message: int,
    recipients: Sequence[str] = (),
    *,
    insecure: bool | None = None,
    against_policy: Sequence[str] = (),
    cmd: str = "",
) -> list[str]:
    """`reschedule_recipients` as a part of an atom. A held submission stays held until its time.

    With `insecure`, those of the recipients that are `against_policy` may go even against the domain's own policy.
    """
    queued = existing_queued(store, message)
    if store.state.queue.stands_still(queued):
        words = "stands still, since this log is a copy: `crockery queue release send` lets all of it go"
        raise Refused(Reason.CANNOT, f"message {message} {words}")
    wanted = _waiting(queued, recipients)
    facts: dict[str, object] = {
        "by": atom.by,
        "message": message,
        "recipients": wanted,
        "at": max(store.now, queued.hold_until),
        **_command(cmd),
    }
    if insecure is not None:
        facts["insecure"] = insecure
    against = [address for address in wanted if address in against_policy]
    if insecure and against:
        facts["against_policy"] = against
    atom.add(RECIPIENTS_RESCHEDULED, facts)
    return wanted


def add_restore(store: Store, atom: Atom, message: int, recipients: Sequence[str], *, cmd: str = "") -> list[str]:
    """Undo a cancellation, as a part of an atom; returns the recipients. Raises Refused."""
    queued = store.state.queue.find(message)
    cancelled = [r.address for r in queued.select(recipients) if _is_cancelled(r)] if queued is not None else []
    if queued is None or not cancelled:
        raise Refused(Reason.NONEXISTENT, f"message {message} has nothing that could be taken up again")
    if store.now >= queued.expires:
        raise Refused(Reason.CANNOT, f"message {message} is too old to be sent")
    facts = {"message": message, "recipients": cancelled, "at": max(store.now, queued.hold_until)}
    atom.add(RECIPIENTS_RESTORED, {"by": atom.by, **facts, **_command(cmd)})
    return cancelled


def release_queue(store: Store, actor: Actor, choice: str, *, cmd: str = "") -> int:
    """After a restored copy: "send" what stood still, or "drop" it. Returns how many messages. Raises Refused."""
    queue = store.state.queue
    held = [message.id for message in queue.still()]
    if not queue.standing_still:
        raise Refused(Reason.CANNOT, "no mail stands still: this log is no copy, or it has been released before")
    if choice not in ("send", "drop"):
        raise Refused(Reason.CANNOT, f"the queue can be released with send or drop, not {choice}")
    atom = store.atom(actor)
    orphaned = pack_numbers(held if choice == "drop" else [])
    facts = {"by": atom.by, "choice": choice, "orphaned": orphaned, **_command(cmd)}
    if choice == "send":
        facts["expires"] = store.now + QUEUE_RELEASED_LIFETIME
    atom.add(QUEUE_RELEASED, facts)
    atom.commit()
    return len(held)


def existing_queued(store: Store, message: int) -> QueuedMessage:
    """The queued message with that number; raises Refused (NONEXISTENT)."""
    queued = store.state.queue.by_id.get(message)
    if queued is None:
        if message in store.state.queue.finished:
            words = f"message {message} has left the queue: `crockery queue show {message}` tells what became of it"
            raise Refused(Reason.CANNOT, words)
        words = f"there is no message {message} in the queue: `crockery queue list` shows all"
        raise Refused(Reason.NONEXISTENT, words)
    return queued


def released_by_notice(message: QueuedMessage, told: Iterable[str]) -> bytes:
    """`orphaned` of an event by which the sender is told of these recipients' end."""
    done = set(told)
    released = _is_released(message, lambda r: (r.is_final, r.owed and r.address not in done))
    return pack_numbers([message.id] if released else [])


def _is_released(message: QueuedMessage, after: Any) -> bool:
    """Whether the message is needed no more; `after` tells of a recipient (is final, is owed) after the event."""
    return all(final and not owed for final, owed in map(after, message.recipients))


def _is_cancelled(recipient: Recipient) -> bool:
    return recipient.state is RecipientState.CANCELLED


def _waiting(message: QueuedMessage, recipients: Sequence[str]) -> list[str]:
    """The addresses named, or all that wait. Raises Refused where one does not, or none."""
    named = {address.casefold() for address in recipients}
    waiting = [r.address for r in message.waiting if not named or r.address.casefold() in named]
    unknown = named - {address.casefold() for address in waiting}
    if unknown:
        raise Refused(Reason.NONEXISTENT, f"message {message.id} does not wait to be sent to {min(unknown)}")
    if not waiting:
        raise Refused(Reason.CANNOT, f"message {message.id} is being sent at this moment")
    return waiting


def _place_facts(place: Place) -> dict[str, object]:
    if not place.host:
        return {}
    facts: dict[str, object] = {"host": place.host, "address": place.address}
    return facts | {"tls": dict(place.tls)} if place.tls else facts


def _command(cmd: str) -> dict[str, str]:
    return {"cmd": cmd} if cmd else {}
