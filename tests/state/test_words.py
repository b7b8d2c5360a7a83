"""Numbers and times as people read them."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workreef_app.services.access import zones
from workreef_app.state import words

AT = datetime(2026, 11, 14, 21, 19, 7, tzinfo=UTC)


BERLIN, ST_JOHNS, KATHMANDU = (ZoneInfo(n) for n in ("Europe/Berlin", "America/St_Johns", "Asia/Kathmandu"))
EVERY = st.sampled_from(zones.known()).map(ZoneInfo)
TIMES = st.datetimes(datetime(1970, 1, 2), datetime(2099, 12, 30), timezones=st.just(UTC))


@pytest.mark.parametrize(("zone", "text"), [
    (UTC, "14 Nov 2026, 21:19 UTC"), (BERLIN, "14 Nov 2026, 22:19 CET"), (ST_JOHNS, "14 Nov 2026, 17:49 NST"),
    (KATHMANDU, "15 Nov 2026, 03:04 UTC+05:45"), (ZoneInfo("Asia/Dubai"), "15 Nov 2026, 01:19 UTC+04:00"),
    (ZoneInfo("America/Sao_Paulo"), "14 Nov 2026, 18:19 UTC-03:00"),
])
def test_a_moment_is_told_in_the_readers_zone_whatever_zone_it_came_in(zone: tzinfo, text: str) -> None:
    assert words.moment(AT, zone) == text
    assert words.moment(AT.astimezone(timezone(timedelta(hours=5, minutes=30))), zone) == text
    assert words.moment(None, zone) == "–"


def test_the_hour_that_comes_twice_is_told_apart() -> None:
    """Berlin's clocks went from 3:00 back to 2:00 on 25 October 2026, at 1:00 UTC."""
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert words.moment(first, BERLIN) == "25 Oct 2026, 02:30 CEST"
    assert words.moment(first + timedelta(hours=1), BERLIN) == "25 Oct 2026, 02:30 CET"
    assert words.hour(first.replace(minute=0), BERLIN) == "25 Oct 2026, 02:00 CEST–02:00 CET"
    assert words.hour(first.replace(hour=1, minute=0), BERLIN) == "25 Oct 2026, 02:00–03:00 CET"


def test_the_hour_that_is_left_out_is_never_told() -> None:
    """Berlin's clocks went from 2:00 to 3:00 on 29 March 2026, at 1:00 UTC; St John's likewise on 8 March at 5:30."""
    last = datetime(2026, 3, 29, 0, 0, tzinfo=UTC)
    assert words.hour(last, BERLIN) == "29 Mar 2026, 01:00 CET–03:00 CEST"
    assert words.moment(last + timedelta(minutes=59), BERLIN) == "29 Mar 2026, 01:59 CET"
    assert words.moment(last + timedelta(minutes=60), BERLIN) == "29 Mar 2026, 03:00 CEST"
    jump = datetime(2026, 3, 8, 5, 30, tzinfo=UTC)
    assert words.moment(jump - timedelta(minutes=1), ST_JOHNS) == "8 Mar 2026, 01:59 NST"
    assert words.moment(jump, ST_JOHNS) == "8 Mar 2026, 03:00 NDT"
    assert words.hour(datetime(2026, 3, 8, 5, tzinfo=UTC), ST_JOHNS) == "8 Mar 2026, 01:30 NST–03:30 NDT"


@given(TIMES, EVERY)
def test_a_moment_names_one_minute_and_no_other(at: datetime, zone: ZoneInfo) -> None:
    """What is told is the wall clock there, and an hour later is told otherwise, also while clocks change."""
    told = words.moment(at, zone)
    there = at.astimezone(zone)
    assert told.startswith(f"{there.day} {there:%b %Y, %H:%M} ")
    assert told.rsplit(" ", 1)[1]
    assert words.moment(at + timedelta(hours=1), zone) != told


@given(TIMES, EVERY)
def test_the_word_of_a_zone_is_letters_or_an_offset(at: datetime, zone: ZoneInfo) -> None:
    word = words.zone_word(at.astimezone(zone))
    assert word.isalpha() or re.fullmatch(r"UTC[+-]\d\d:\d\d", word)


@given(st.dates(date(1971, 1, 2), date(2099, 12, 30)), EVERY)
def test_a_day_begins_with_the_first_moment_that_bears_its_date(day: date, zone: ZoneInfo) -> None:
    begin = datetime.fromisoformat(words.day_begins(day.isoformat(), zone))
    assert begin.astimezone(zone).date() >= day
    assert (begin - timedelta(seconds=1)).astimezone(zone).date() < day
    assert words.day_begins((day - timedelta(days=1)).isoformat(), zone, after=1) == words.day_begins(
        day.isoformat(), zone)


@pytest.mark.parametrize(("day", "zone", "begin"), [
    ("2026-11-14", BERLIN, "2026-11-13T23:00:00Z"), ("2026-11-14", KATHMANDU, "2026-11-13T18:15:00Z"),
    ("2026-11-14", UTC, "2026-11-14T00:00:00Z"), ("", BERLIN, ""), ("soon", BERLIN, ""), ("2026-02-30", BERLIN, ""),
    ("0001-01-01", KATHMANDU, ""), ("9999-12-31T", UTC, ""),
    # Havana's clocks jump over midnight: the day begins at 1:00 there.
    ("2026-03-08", ZoneInfo("America/Havana"), "2026-03-08T05:00:00Z"),
])
def test_a_day_of_a_form_begins_at_midnight_there(day: str, zone: tzinfo, begin: str) -> None:
    assert words.day_begins(day, zone) == begin


def test_a_given_moment_is_read_or_shown_as_it_came() -> None:
    assert words.given_moment("2026-11-14T22:19:07+01:00", UTC) == "14 Nov 2026, 21:19 UTC"
    assert words.given_moment("2026-11-14T21:19:07", BERLIN) == "14 Nov 2026, 22:19 CET", "UTC where none is named"
    assert words.given_moment("last week", UTC) == "last week"


@pytest.mark.parametrize(("back", "text"), [
    (timedelta(), "22:19 CET"), (timedelta(hours=22), "00:19 CET"), (timedelta(hours=23), "yesterday 23:19 CET"),
    (timedelta(days=2), "Thursday 22:19 CET"), (timedelta(days=6), "Sunday 22:19 CET"),
    (timedelta(days=7), "7 Nov 2026, 22:19 CET"), (timedelta(days=-1), "15 Nov 2026, 22:19 CET"),
])
def test_a_past_moment_is_told_by_the_readers_calendar(back: timedelta, text: str) -> None:
    assert words.lately(AT - back, AT, BERLIN) == text


def test_an_exact_moment_sorts_and_names_its_zone() -> None:
    assert words.exact(AT, KATHMANDU) == "2026-11-15 03:04:07 UTC+05:45"


def test_an_hour_names_its_end_also_at_midnight() -> None:
    assert words.hour(AT.replace(minute=0), UTC) == "14 Nov 2026, 21:00–22:00 UTC"
    assert words.hour(AT.replace(hour=23, minute=0), UTC) == "14 Nov 2026, 23:00–00:00 UTC"
    assert words.hour(AT.replace(minute=0), KATHMANDU) == "15 Nov 2026, 02:45–03:45 UTC+05:45"


def test_a_span_of_one_moment_is_one_time() -> None:
    assert words.span(AT, AT, UTC) == "21:19:07"
    assert words.span(AT, AT + timedelta(minutes=5), BERLIN) == "22:19:07–22:24:07"


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (999, "999"), (10_000, "10,000"), (-1_204, "-1,204"), (10**18 - 1, "999,999,999,999,999,999")],
)
def test_numbers_are_grouped(value: int, text: str) -> None:
    assert words.number(value) == text


def test_a_number_of_ten_thousand_digits_is_told_by_its_length() -> None:
    assert words.number(10**9_999) == "a number of about 10,000 digits"
    assert words.number(-(10**9_999)) == "minus a number of about 10,000 digits"
    assert words.counted(10**9_999, "line") == "a number of about 10,000 digits lines"


@given(st.integers())
def test_a_number_is_short_enough_for_a_line(value: int) -> None:
    assert len(words.number(value)) <= 60


def test_one_is_singular() -> None:
    assert words.counted(1, "entry", "entries") == "1 entry"
    assert words.counted(0, "entry", "entries") == "0 entries"
    assert words.counted(1_204, "task") == "1,204 tasks"


@pytest.mark.parametrize(
    ("thousandths", "text"), [(None, "unknown"), (0, "0.00"), (949, "0.94"), (999, "0.99"), (1000, "1.00")]
)
def test_a_share_is_rounded_down_and_unknown_is_no_number(thousandths: int | None, text: str) -> None:
    assert words.share(thousandths) == text


def test_an_address_holds_only_filters_that_are_set() -> None:
    assert words.query("/tasks") == "/tasks"
    assert words.query("/tasks", department="", status=None, after=0) == "/tasks?after=0"
    assert words.query("/audit", actor="person:1 & 2") == "/audit?actor=person%3A1+%26+2"
