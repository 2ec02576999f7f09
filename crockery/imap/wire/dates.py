"""Dates of SEARCH and APPEND (RFC 9051 section 9: date, date-time)."""

import re
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Final

from crockery.imap.wire.cursor import Cursor
from crockery.imap.wire.errors import BadCommand

MONTHS: Final = (b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec")
MONTH_NUMBER: Final = {month.lower(): number for number, month in enumerate(MONTHS, 1)}

DATE = re.compile(rb'("?)([0-9]{1,2})-([A-Za-z]{3})-([0-9]{4})\1')
DATE_TIME = re.compile(
    rb'"( [0-9]|[0-9]{1,2})-([A-Za-z]{3})-([0-9]{4}) ([0-9]{2}):([0-9]{2}):([0-9]{2}) ([+-])([0-9]{2})([0-9]{2})"'
)


def parse_date(cursor: Cursor) -> date:
    """`date = date-text / DQUOTE date-text DQUOTE`, `date-text = date-day "-" date-month "-" date-year`"""
    found = cursor.match(DATE)
    if found is None:
        cursor.fail("date as 1-Feb-1994")
    try:
        return date(int(found[4]), _month(found[3]), int(found[2]))
    except ValueError:
        raise BadCommand("No such date") from None


def parse_date_time(cursor: Cursor) -> datetime:
    """`date-time = DQUOTE date-day-fixed "-" date-month "-" date-year SP time SP zone DQUOTE`

    The day may also be one digit without its space. A leap second is its minute's last second.
    """
    found = cursor.match(DATE_TIME)
    if found is None:
        cursor.fail('date-time as "17-Jul-1996 02:44:25 -0700"')
    try:
        offset = timedelta(hours=int(found[8]), minutes=int(found[9]))
        zone = timezone(-offset if found[7] == b"-" else offset)
        moment = datetime(
            int(found[3]),
            _month(found[2]),
            int(found[1]),
            int(found[4]),
            int(found[5]),
            min(int(found[6]), 59) if found[6] == b"60" else int(found[6]),
            tzinfo=zone,
        )
        moment.astimezone(UTC)  # years at the ends of the calendar cannot be moved to UTC
    except (ValueError, OverflowError):
        raise BadCommand("No such date") from None
    return moment


def _month(name: bytes) -> int:
    return MONTH_NUMBER.get(name.lower(), 0)
