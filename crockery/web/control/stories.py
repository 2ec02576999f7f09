"""A recipient's whole story in sentences: what `queue show` tells."""

from collections.abc import Sequence
from typing import Final

from crockery.projections.queue import Attempt, Leave, QueuedMessage, Recipient, RecipientState, Report
from crockery.web.control.request import Json
from crockery.web.words import moment, plural

_MICRO: Final = 1_000_000
_VERIFIED: Final = {
    "dane": "its certificate is the one that the domain's DANE records name",
    "mta-sts": "its certificate is valid, as the domain's MTA-STS policy asks",
    "certificate": "its certificate is valid for its name",
    "pin": "it has the key that was trusted",
    "smart-host": "the smart host, its certificate valid for its name; the way from there on is for it to see to",
}
_RESULTS: Final = {
    "delivered": "it took the message, and tells of what comes of it",
    "relayed": "it took the message",
    "deferred": "it is to be tried again",
    "held": "the message was held, because that is not a secure way",
    "failed": "that is final",
}

_REPORTED: Final = {
    "failed": "it could not be delivered",
    "delayed": "it is delayed, and is still being tried",
    "delivered": "it was delivered",
    "relayed": "it went on to a server that sends no such news",
    "expanded": "it went on to the members of a list",
}


def state_of(message: QueuedMessage, recipient: Recipient, now: int) -> str:
    """Its state in a word or two; `now` in unix seconds."""
    if recipient.state is RecipientState.DUE and message.hold_until > now:
        return "held until its time"
    return recipient.state.name.lower().replace("_", " ")


def last_words(recipient: Recipient) -> str | None:
    """What was said at its last attempt; None: there was none yet."""
    if not recipient.story:
        return None
    last = recipient.story[-1]
    return f"{last.code or ''} {last.enhanced if last.code else ''} {last.text}".strip()


def tell(
    message: QueuedMessage,
    recipient: Recipient,
    now: int,
    *,
    stands_still: bool,
    reports: Sequence[Report] = (),
    smart_host: str = "",
) -> Json:
    """All there is to tell of a recipient, for programs and, in `story`, for people; mail goes by `smart_host` now."""
    return {
        "address": recipient.address,
        "state": state_of(message, recipient, now),
        "attempts": recipient.attempts,
        "next": moment(recipient.next * _MICRO) if recipient.is_waiting else None,
        "insecure": bool(recipient.insecure),
        "problem": dict(recipient.problem) if recipient.problem else None,
        "story": [
            *map(_attempt, recipient.story),
            *map(_report, reports),
            *_ahead(message, recipient, now, stands_still, smart_host),
        ],
        "tries": [_facts(attempt) for attempt in recipient.story],
        "reports": [{**report._asdict(), "time": moment(report.time)} for report in reports],
    }


def _attempt(attempt: Attempt) -> str:
    when = _when(attempt.time // _MICRO)
    host = f" ({attempt.place.address})" if attempt.place.address else ""
    where = f"{attempt.place.host}{host}" if attempt.place.host else "no server was asked"
    said = f"{attempt.code} {attempt.enhanced} {attempt.text}".strip() if attempt.code else attempt.text
    words = f": {said}" if said else ""
    end = "the connection was lost before the answer came, so it may have arrived" if attempt.why == "uncertain" else ""
    return f"{when}: {where}{_tls(attempt)}{words}; {end or _RESULTS.get(attempt.result, attempt.result)}"


def _report(report: Report) -> str:
    """A notice: who says what, and where the notice is; for it is a claim."""
    when = _when(report.time // _MICRO)
    final = f" to {report.final}" if report.final else ""
    said = f"{report.status} {report.text}".strip()
    if report.status and report.status in report.text:
        said = report.text
    words = f": {said}" if said else ""
    host = f" by {report.host}" if report.host and report.host != report.reporter else ""
    claim = f"{_REPORTED.get(report.action, report.action)}{final}{host}{words}"
    source = f"the notice is message {report.number}, and came from {report.peer}"
    return f"{when}: their server{f' {report.reporter}' if report.reporter else ''} later said: {claim} ({source})"


def _tls(attempt: Attempt) -> str:
    tls = attempt.place.tls
    if tls is None:
        return " without TLS" if attempt.place.address and attempt.result in ("delivered", "relayed") else ""
    if attempt.result == "held":
        return f", {tls['version']}"  # the words that follow say what is wrong
    how = _VERIFIED.get(tls["verified"], "nothing vouches for its certificate")
    return f", {tls['version']}, {how}"


def _ahead(message: QueuedMessage, recipient: Recipient, now: int, stands_still: bool, smart_host: str) -> list[str]:
    """What comes next."""
    if stands_still:
        return ["it waits for a word: this log is a copy, and `crockery queue release send` or `drop` decides"]
    if recipient.state is RecipientState.IN_FLIGHT:
        return ["it is being sent at this moment"]
    if recipient.state is RecipientState.CANCELLED:
        return ["it was taken back"]
    if not recipient.is_waiting:
        return []
    left = message.expires - now
    days = plural(max(left // 86400, 0), "day") if left >= 86400 else plural(max(left // 3600, 0), "hour")
    if message.hold_until > now:
        ahead = [f"held until {_when(message.hold_until)}: nobody gets it before, and till then it can be taken back"]
    else:
        by = f", by the smart host {smart_host}" if smart_host else ""
        ahead = [f"next attempt {_when(recipient.next)}{by}; given up in {days}"]
    if recipient.insecure:
        even = ", even against the domain's own policy" if recipient.insecure is Leave.ANY else ""
        ahead.insert(0, f"it may go without a secure way{even}, as was allowed")
    if message.deliver_by > now:
        ahead.append(f"its sender is told if it is not there by {_when(message.deliver_by)}")
    return ahead


def _when(seconds: int) -> str:
    return f"{moment(seconds * _MICRO)[:16].replace('T', ' ')} UTC"


def _facts(attempt: Attempt) -> Json:
    place = attempt.place
    return {
        "time": moment(attempt.time),
        "host": place.host or None,
        "address": place.address or None,
        "tls": dict(place.tls) if place.tls else None,
        "result": attempt.result,
        "code": attempt.code or None,
        "enhanced": attempt.enhanced or None,
        "text": attempt.text or None,
        "why": attempt.why or None,
    }
