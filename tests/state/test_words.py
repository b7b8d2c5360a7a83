"""Numbers and times as people read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workreef_app.state import words

AT = datetime(2026, 11, 14, 21, 19, 7, tzinfo=UTC)


def test_a_moment_is_told_in_utc_whatever_zone_it_came_in() -> None:
    assert words.moment(AT) == "14 Nov 2026, 21:19 UTC"
    assert words.moment(AT.astimezone(timezone(timedelta(hours=5, minutes=30)))) == "14 Nov 2026, 21:19 UTC"
    assert words.moment(None) == "–"


def test_a_given_moment_is_read_or_shown_as_it_came() -> None:
    assert words.given_moment("2026-11-14T22:19:07+01:00") == "14 Nov 2026, 21:19 UTC"
    assert words.given_moment("last week") == "last week"


def test_an_hour_names_its_end_also_at_midnight() -> None:
    assert words.hour(AT) == "14 Nov 2026, 21:00–22:00 UTC"
    assert words.hour(AT.replace(hour=23)) == "14 Nov 2026, 23:00–00:00 UTC"


def test_a_span_of_one_moment_is_one_time() -> None:
    assert words.span(AT, AT) == "21:19:07"
    assert words.span(AT, AT + timedelta(minutes=5)) == "21:19:07–21:24:07"


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
