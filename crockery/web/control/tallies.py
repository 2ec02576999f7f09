"""The resource `tls-tallies`: how secure connections to other domains were, as TLS-RPT counts it (RFC 8460 §4.4)."""

from datetime import UTC, date, datetime
from typing import Any

from crockery.projections.tls_tallies import Failure, PolicyKey, Tally
from crockery.web.control.errors import bad_request
from crockery.web.control.request import Context, Json, Request

_DAY = 86400


def list_tallies(context: Context, request: Request) -> Json:
    """The days that are kept, oldest first; with `day` in the query (2026-11-22, UTC) only that one."""
    wanted = request.query.get("day")
    number = None if not wanted else _number(wanted)
    days = context.store.state.tls_tallies.days
    return {
        "items": [
            {
                "day": datetime.fromtimestamp(at * _DAY, UTC).strftime("%Y-%m-%d"),
                "left_out": day.left_out,
                "policies": [_policy(key, day.tallies[key]) for key in sorted(day.tallies)],
            }
            for at, day in days.items()
            if number in (None, at)
        ]
    }


def _number(text: str) -> int:
    try:
        return (date.fromisoformat(text) - date(1970, 1, 1)).days
    except ValueError as error:
        raise bad_request(f"a day is written like 2026-11-22, not {text}") from error


def _policy(key: PolicyKey, tally: Tally) -> dict[str, Any]:
    return {
        "domain": key.domain,
        "type": key.kind,
        "policy": list(key.strings),
        "mx": list(tally.mx),
        "successes": tally.successes,
        "failures": [_failure(failure, count) for failure, count in tally.failures.items()],
    }


def _failure(failure: Failure, count: int) -> dict[str, Any]:
    return {
        "result": failure.result,
        "reason": failure.reason or None,
        "mx_host": failure.host or None,
        "mx_address": failure.address or None,
        "own_address": failure.own or None,
        "sessions": count,
    }
