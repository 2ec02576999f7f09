"""Date fields."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crockery.message.dates import SentDate, parse_date, render_date, spell_date, spell_day

DATES = [
    (b"Wed, 17 Jul 1996 02:23:25 -0700 (PDT)", (837595405, -420)),
    (b"17 Jul 1996 02:23 -0700", (837595380, -420)),
    (b"Thu, 01 Jan 1970 00:00:00 GMT", (0, 0)),
    (b"Thu,1 Jan 1970 01:00:00 +0100", (0, 60)),
    (b"1 Jan 70 00:00:00 UT", (0, 0)),
    (b"1 Jan 26 00:00:00 Z", (1767225600, 0)),
    (b"1 Jan 126 00:00:00 Z", (1767225600, 0)),
    (b"Thu Jan  1 00:00:01 1970", (1, 0)),
    (b"Thu Jan 1 00:00:01 EST 1970", (18001, -300)),
    (b"Thursday, 1-Jan-70 00:00:01 GMT", (1, 0)),
    (b"1970-01-01T00:00:01Z", (1, 0)),
    (b"1970-01-01 00:00:01 +0530", (-19799, 330)),
    (b"Thu, 1 January 1970 00.00.01 +0000", (1, 0)),
    (b"Thu, 1 Jan 1970 00:00:60 +0000", (59, 0)),
    (b"Thu, 1 Jan 1970 00:00:01 GMT+0100", (-3599, 60)),
    (b"Thu, 1 Jan 1970 00:00:01 WHAT", (1, 0)),
    (b"Thu, 1 Jan 1970 00:00:01", (1, 0)),
    (b"Thu, 31 Feb 1970 00:00:01 +0000", None),
    (b"Thu, 1 Xyz 1970 00:00:01 +0000", None),
    (b"Thu, 1 Jan 0000 00:00:01 +0000", None),
    (b"Thu, 1 Jan 0001 00:00:01 +2300", None),
    (b"31 Dec 9999 23:59:59 -2300", None),
    (b"Malformed Date.", None),
    (b"", None),
]


@pytest.mark.parametrize(("value", "expected"), DATES, ids=[repr(row[0]) for row in DATES])
def test_dates(value: bytes, expected: tuple[int, int] | None) -> None:
    assert parse_date(value) == expected


def test_the_senders_day() -> None:
    assert SentDate(0, -60).day == date(1969, 12, 31)
    assert SentDate(86399, 60).day == date(1970, 1, 2)


@given(st.integers(-2 * 10**9, 2 * 10**10), st.integers(-1439, 1439))
def test_round_trip(seconds: int, zone: int) -> None:
    assert parse_date(render_date(seconds, zone)) == (seconds, zone)


def test_render() -> None:
    assert render_date(837595405, -420) == b"Wed, 17 Jul 1996 02:23:25 -0700"


@given(st.binary(max_size=60) | st.text("0123456789 :-+,JanFebMonGMT()", max_size=60).map(str.encode))
def test_soup(value: bytes) -> None:
    found = parse_date(value)
    assert found is None or found.day


@pytest.mark.parametrize(
    ("seconds", "zone", "expected"),
    [
        (0, 0, "Thursday, 1 January 1970 at 00:00 (UTC)"),
        (1_795_363_864, 60, "Sunday, 22 November 2026 at 17:11 (UTC+1)"),
        (1_795_363_864, -570, "Sunday, 22 November 2026 at 06:41 (UTC-9:30)"),
    ],
)
def test_dates_for_people(seconds: int, zone: int, expected: str) -> None:
    assert spell_date(seconds, zone) == expected
    assert expected.startswith(spell_day(seconds, zone))
