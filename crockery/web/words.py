"""Numbers as words: counts, sizes, sets of UIDs, times."""

from collections.abc import Sequence
from datetime import UTC, datetime

SHOWN_RANGES = 3
"""UID ranges shown in a sentence; more are only counted."""


def plural(count: int, noun: str) -> str:
    """ "1 message", "3 messages"."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def octets(size: int) -> str:
    """A size for people: "512 B", "4.1 KiB", "30 MiB"."""
    if size < 1024:
        return f"{size} B"
    value = float(size)
    for unit in ("KiB", "MiB", "GiB", "TiB"):
        value /= 1024
        if value < 1000:
            return f"{value:.1f} {unit}" if value < 10 else f"{value:.0f} {unit}"
    return f"{value:,.0f} TiB"


def count_of(ranges: Sequence[int]) -> int:
    """How many numbers are in flat ranges (see `events.ranges`)."""
    return sum(high - low + 1 for low, high in zip(ranges[::2], ranges[1::2], strict=True))


def uids(ranges: Sequence[int]) -> str:
    """A set of messages: "UID 5", "3 messages (UIDs 4:6)", "1,200 messages"."""
    count = count_of(ranges)
    if count == 1:
        return f"UID {ranges[0]}"
    pairs = list(zip(ranges[::2], ranges[1::2], strict=True))
    shown = ",".join(str(low) if low == high else f"{low}:{high}" for low, high in pairs)
    return plural(count, "message") + (f" (UIDs {shown})" if len(pairs) <= SHOWN_RANGES else "")


def listed(names: Sequence[str]) -> str:
    """ "a", "a and b", "a, b and c"."""
    if len(names) < 2:
        return "".join(names)
    return ", ".join(names[:-1]) + " and " + names[-1]


def moment(microseconds: int) -> str:
    """RFC 3339 in UTC, to the microsecond: for programs."""
    return datetime.fromtimestamp(microseconds / 1_000_000, UTC).isoformat(timespec="microseconds")[:-6] + "Z"


def day(seconds: int) -> str:
    """A calendar day, UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%-d %b %Y")
