"""MTA-STS: a domain's policy for mail to it, published over HTTPS and kept by senders.

RFC 8461 §3.1 (the TXT record), §3.2 (the policy), §3.3 (fetching), §4.1 (mx patterns), §5.1 (applying). Pure.

What it protects from: a policy once seen is kept for `max_age`, so an attacker who forges DNS later cannot make it go
away, and cannot name an MX host that the policy does not. What it does not: the first contact.

Invariant: parsers give a value or raise `PolicyError`. They are strict, but for blanks at the ends of lines and empty
lines at the end, which real policies have.
"""

import dataclasses
import enum
import re
from collections.abc import Sequence
from typing import Final

from crockery.delivery.tls.certificates import is_named
from crockery.limits import STS_MAX_AGE, STS_MAX_PATTERNS

PATH: Final = "/.well-known/mta-sts.txt"
MEDIA_TYPE: Final = "text/plain"

# sts-text-record = %s"v=STSv1" 1*(sts-field-delim sts-field) [sts-field-delim]; sts-field-delim = *WSP ";" *WSP
_VERSION: Final = re.compile(rb"v=STSv1[ \t]*;")
_ID: Final = re.compile(rb"id=([A-Za-z0-9]{1,32})")
_EXTENSION: Final = re.compile(rb"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}=[!-:<>-~]+")
# sts-policy-field = name ":" *WSP value
_FIELD: Final = re.compile(r"([A-Za-z0-9][A-Za-z0-9_.-]{0,31}):[ \t]*([^\x00-\x1f\x7f]*)")
_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_PATTERN: Final = re.compile(rf"(?:\*\.)?{_LABEL}(?:\.{_LABEL})*\.?")
_AGE: Final = re.compile(r"[0-9]{1,10}", re.ASCII)


class PolicyError(ValueError):
    """Not a policy by the grammar; str() says what is wrong."""


class Mode(enum.Enum):
    """What a policy asks of senders."""

    ENFORCE = "enforce"
    TESTING = "testing"
    NONE = "none"


@dataclasses.dataclass(frozen=True, slots=True)
class Policy:
    """`mx` are patterns in lower case; `max_age` seconds."""

    mode: Mode
    mx: tuple[str, ...]
    max_age: int

    def permits(self, host: str) -> bool:
        """Whether `host` is named by the policy (section 4.1)."""
        return any(is_named(pattern, host) for pattern in self.mx)


@dataclasses.dataclass(frozen=True, slots=True)
class Kept:
    """A policy as it is kept: the id under which it was found, and unix time of the fetch."""

    policy: Policy
    id: str
    fetched: int

    def is_live(self, now: int) -> bool:
        """Whether it still counts. One from the future came with a wrong clock and counts for no more than its age."""
        return abs(now - self.fetched) < self.policy.max_age


def parse_record(records: Sequence[bytes]) -> str | None:
    """The id in the TXT records of `_mta-sts.DOMAIN`, or None: the domain has no MTA-STS (section 3.1).

    Records of another kind are left out; if not exactly one is left, there is no policy.
    """
    candidates = [record for record in records if _VERSION.match(record)]
    if len(candidates) != 1:
        return None
    fields = [field.strip(b" \t") for field in candidates[0].split(b";")[1:]]
    if fields and not fields[-1]:
        fields.pop()
    ids = [match[1] for field in fields if (match := _ID.fullmatch(field))]
    if len(ids) != 1 or not all(_EXTENSION.fullmatch(field) for field in fields):
        return None
    return ids[0].decode()


def parse_policy(body: bytes) -> Policy:
    """The policy in a fetched file (section 3.2). Of repeated fields the first counts; unknown ones are left out.

    Raises PolicyError.
    """
    fields: dict[str, str] = {}
    patterns: list[str] = []
    try:
        lines = body.decode("utf-8").replace("\r\n", "\n").rstrip("\n").split("\n")
    except UnicodeError as error:
        raise PolicyError("not UTF-8") from error
    for line in lines:
        match = _FIELD.fullmatch(line.rstrip(" \t"))
        if match is None:
            raise PolicyError(f"not a field: {line[:80]!r}")
        name, value = match[1], match[2]
        if name == "mx":
            patterns.append(_pattern(value))
        else:
            fields.setdefault(name, value)
    if fields.get("version") != "STSv1":
        raise PolicyError("version is not STSv1")
    try:
        mode = Mode(fields.get("mode"))
    except ValueError as error:
        raise PolicyError("mode is not enforce, testing or none") from error
    age = fields.get("max_age", "")
    if not _AGE.fullmatch(age) or int(age) > STS_MAX_AGE:
        raise PolicyError(f"max_age is not a number up to {STS_MAX_AGE}")
    if not patterns and mode is not Mode.NONE:
        raise PolicyError("no mx")
    if len(patterns) > STS_MAX_PATTERNS:
        raise PolicyError(f"more than {STS_MAX_PATTERNS} mx")
    return Policy(mode, tuple(patterns), int(age))


def _pattern(value: str) -> str:
    if len(value) > 255 or not _PATTERN.fullmatch(value):
        raise PolicyError(f"not an mx pattern: {value[:80]!r}")
    return value.lower().rstrip(".")


def wants_fetch(kept: Kept | None, found_id: str | None, now: int) -> bool:
    """Whether the policy must be fetched: the DNS has an id, and none is kept, or under another id, or too old.

    Where the DNS has none any more, or gives no answer, what is kept goes on counting until its age (section 5.1):
    else an attacker would only have to hide the record.
    """
    return found_id is not None and (kept is None or kept.id != found_id or not kept.is_live(now))


def in_force(kept: Kept | None, now: int) -> Policy | None:
    """The policy that counts now, of what is kept."""
    if kept is None or not kept.is_live(now) or kept.policy.mode is Mode.NONE:
        return None
    return kept.policy
