"""Date fields (RFC 5322 §3.3 and §4.3), read tolerantly, written strictly. No clock: time comes in as Unix seconds."""

import re
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Final, NamedTuple

from crockery.limits import DATE_READ

_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_DAY_NAMES: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTH_NAMES: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_ZONES: Final = {  # RFC 5322 §4.3, and those seen in mail; minutes east of UTC
    b"ut": 0, b"utc": 0, b"gmt": 0, b"z": 0, b"est": -300, b"edt": -240, b"cst": -360, b"cdt": -300, b"mst": -420,
    b"mdt": -360, b"pst": -480, b"pdt": -420, b"bst": 60, b"wet": 0, b"west": 60, b"cet": 60, b"cest": 120,
    b"met": 60, b"mest": 120, b"mez": 60, b"eet": 120, b"eest": 180, b"msk": 180, b"jst": 540, b"kst": 540,
    b"hst": -600, b"akst": -540, b"akdt": -480, b"nzst": 720, b"nzdt": 780, b"aest": 600, b"aedt": 660,
}  # fmt: skip
_TIME = rb"(\d{1,2})[:.](\d{1,2})(?:[:.](\d{1,2})(?:[.,]\d{1,9})?)?"
_ZONE = rb"(?:\s*+(?:(?:gmt|utc?)(?=[+-]))?([+-]\d{1,2}:?\d{2}|[a-z]{1,5}\b))?"
_RFC5322 = re.compile(rb"\s*+(?:[a-z]+\.?\s*+,?\s*+)?(\d{1,2})[\s-]+([a-z]{3})[a-z]*\.?[\s,-]+(\d{2,4})[\s,]+" + _TIME
                      + _ZONE, re.IGNORECASE)  # fmt: skip
_ASCTIME = re.compile(rb"\s*+(?:[a-z]+[.,\s]++)?([a-z]{3})[a-z]*\.?\s++(\d{1,2}),?\s++(?:(\d{4})\s++)?" + _TIME
                      + _ZONE + rb"(?:\s++(\d{4}))?", re.IGNORECASE)  # fmt: skip
_ISO8601 = re.compile(rb"\s*+(\d{4})-(\d{1,2})-(\d{1,2})(?:t|\s++)" + _TIME + _ZONE, re.IGNORECASE)
_COMMENT = re.compile(rb"\([^()]*+\)")
_FIRST_DAY: Final = date(1970, 1, 1).toordinal()
_LAST_DAY: Final = date.max.toordinal()


class SentDate(NamedTuple):
    """A moment as the sender wrote it: Unix seconds, and minutes east of UTC (0 where the zone is unknown)."""

    seconds: int
    zone: int

    @property
    def day(self) -> date:
        """The calendar day in the sender's zone, which SENTON and its like compare (RFC 9051 §6.4.4)."""
        return (datetime(1970, 1, 1) + timedelta(seconds=self.seconds, minutes=self.zone)).date()


def parse_date(value: bytes) -> SentDate | None:
    """The moment in a Date field, or None if there is none that can be read. Never raises."""
    value = _COMMENT.sub(b" ", value[:DATE_READ])
    if match := _RFC5322.match(value):
        day, name, year, hour, minute, second, zone = match.groups()
        return _moment(_full_year(year), _month(name), day, hour, minute, second, zone)
    if match := _ASCTIME.match(value):
        name, day, year, hour, minute, second, zone, late_year = match.groups()
        if late_year or year:
            return _moment(int(late_year or year), _month(name), day, hour, minute, second, zone)
    if match := _ISO8601.match(value):
        year, month, day, hour, minute, second, zone = match.groups()
        return _moment(int(year), int(month), day, hour, minute, second, zone)
    return None


def render_date(seconds: int, zone: int = 0) -> bytes:
    """date-time of RFC 5322 §3.3, e.g. b"Sun, 22 Nov 2026 16:11:04 +0000"; `zone` in minutes east of UTC."""
    local = datetime.fromtimestamp(seconds, UTC).astimezone(timezone(timedelta(minutes=zone)))
    sign, ahead = ("-", -zone) if zone < 0 else ("+", zone)
    month = _MONTHS[local.month - 1].capitalize()
    clock = f"{local.hour:02}:{local.minute:02}:{local.second:02}"
    return (
        f"{_DAYS[local.weekday()]}, {local.day} {month} {local.year:04} {clock} {sign}{ahead // 60:02}{ahead % 60:02}"
    ).encode()


def spell_date(seconds: int, zone: int = 0) -> str:
    """A moment for people: "Sunday, 22 November 2026 at 16:11 (UTC+1)"; `zone` in minutes east of UTC."""
    local = datetime.fromtimestamp(seconds, UTC) + timedelta(minutes=zone)
    hours, minutes = divmod(abs(zone), 60)
    ahead = "" if not zone else f"{'-' if zone < 0 else '+'}{hours}" + (f":{minutes:02}" if minutes else "")
    return f"{spell_day(seconds, zone)} at {local.hour:02}:{local.minute:02} (UTC{ahead})"


def spell_day(seconds: int, zone: int = 0) -> str:
    """The day of a moment for people: "Sunday, 22 November 2026"."""
    local = datetime.fromtimestamp(seconds, UTC) + timedelta(minutes=zone)
    return f"{_DAY_NAMES[local.weekday()]}, {local.day} {_MONTH_NAMES[local.month - 1]} {local.year}"


def _moment(
    year: int, month: int, day: bytes, hour: bytes, minute: bytes, second: bytes | None, zone: bytes | None
) -> SentDate | None:
    ahead = _zone_minutes(zone)
    hours, minutes, seconds = int(hour), int(minute), min(int(second or 0), 59)
    try:
        days = date(year, month, int(day)).toordinal()
    except ValueError:
        return None
    if hours > 23 or minutes > 59 or not 1 < days < _LAST_DAY:  # so that no zone leads out of the calendar
        return None
    return SentDate((days - _FIRST_DAY) * 86400 + (hours * 60 + minutes - ahead) * 60 + seconds, ahead)


def _zone_minutes(zone: bytes | None) -> int:
    if not zone:
        return 0
    if zone[:1] not in b"+-":
        return _ZONES.get(zone.lower(), 0)  # RFC 5322 §4.3: unknown ones mean -0000
    digits = zone[1:].replace(b":", b"").rjust(4, b"0")
    ahead = int(digits[:2]) * 60 + int(digits[2:])
    if ahead >= 24 * 60:
        return 0
    return -ahead if zone.startswith(b"-") else ahead


def _full_year(year: bytes) -> int:
    number = int(year)
    if len(year) == 4:
        return number
    if len(year) == 3:
        return number + 1900
    return number + (2000 if number < 50 else 1900)


def _month(name: bytes) -> int:
    """1 to 12, or 0, which no date has."""
    lower = name.decode("ascii", "replace").lower()
    return _MONTHS.index(lower) + 1 if lower in _MONTHS else 0
