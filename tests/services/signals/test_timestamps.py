"""Times at the start of lines."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workreef_app.services.signals.timestamps import Stamped, parse_line, parse_time

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def parse(line: str, year: int | None = None, now: datetime = NOW) -> Stamped | None:
    return parse_line(line, zone=UTC, year=year, now=now)


@pytest.mark.parametrize(
    ("line", "at", "message"),
    [
        ("2024-05-16T12:00:01Z up", "2024-05-16T12:00:01", "up"),
        ("2024-05-16T12:00:01.123456789+02:00 up", "2024-05-16T10:00:01.123456", "up"),
        ("2024-05-16 12:00:01,978 up", "2024-05-16T12:00:01.978", "up"),
        ("2024-05-16 12:00:01 -0730 up", "2024-05-16T19:30:01", "up"),
        ("2024/05/16 12:00:01 up", "2024-05-16T12:00:01", "up"),
        ("[2024-05-16 12:00:01] up", "2024-05-16T12:00:01", "up"),
        ("Jan 14 15:16:01 web1 sshd[12]: closed", "2026-01-14T15:16:01", "sshd: closed"),
        ("Jan  4 15:16:01 web1 cron(pam): closed", "2026-01-04T15:16:01", "cron(pam): closed"),
        ("<34>Jan 14 15:16:01 web1 su: no", "2026-01-14T15:16:01", "su: no"),
        ("<165>1 2024-08-24T05:14:15Z web1 app 87 ID1 - hello", "2024-08-24T05:14:15", "app: hello"),
        ("[Sun Dec 04 04:47:44 2005] [notice] ready", "2005-12-04T04:47:44", "ready"),
        ("[Sun Dec 04 04:47:44.5 2005] ready", "2005-12-04T04:47:44.5", "ready"),
        ('10.0.0.1 - ann [10/Oct/2000:13:55:36 -0700] "GET /x" 200', "2000-10-10T20:55:36", '"GET /x" 200'),
        ("Sun, 04 Dec 2005 04:47:44 +0000 ready", "2005-12-04T04:47:44", "ready"),
        ("1117838570 up", "2005-06-03T22:42:50", "up"),
        ("1117838570.25 up", "2005-06-03T22:42:50.25", "up"),
        ("1117838570123 up", "2005-06-03T22:42:50.123", "up"),
        ("- 1117838570 2005.06.03 n1 2005-06-03-15.42.50.3 n1 INFO up", "2005-06-03T22:42:50", "up"),
        ("- 1117838570 2005.06.03 n1 Jun 3 15:42:50 n1/n1 crond[2]: up", "2005-06-03T22:42:50", "crond: up"),
        ("api.log.1.2017-05-16_13:53:08 2017-05-16 00:00:00.008 up", "2017-05-16T00:00:00.008", "up"),
        ('time="2024-05-16T12:00:00Z" level=info', "2024-05-16T12:00:00", "level=info"),
        ("web-1  | 2024-05-16T12:00:00Z up", "2024-05-16T12:00:00", "up"),
        ("081109 203615 14 INFO up", "2008-11-09T20:36:15", "up"),
        ("17/06/09 20:10:40 INFO up", "2017-06-09T20:10:40", "up"),
        ("01-17 16:13:38.811  1702  2395 D Tag: up", "2026-01-17T16:13:38.811", "Tag: up"),
        ("20171223-22:15:29:606|up", "2017-12-23T22:15:29.606", "up"),
        ("I0216 12:34:56.5 up", "2026-02-16T12:34:56.5", "up"),
        ("2016-12-31 23:59:60 leap", "2016-12-31T23:59:59", "leap"),
    ],
)
def test_formats(line: str, at: str, message: str) -> None:
    assert parse(line) == Stamped(datetime.fromisoformat(at).replace(tzinfo=UTC), message)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("2024-05-16 12:00:01 INFO [main] a.b.Worker: started job", "started job"),
        ("2024-05-16 12:00:01 - WARN  [pool[id=1]/0:0:Loop@7] - timed out", "timed out"),
        ("2024-05-16 12:00:01 2574 ERROR a.b.c [req-1 - -] [instance: 7] lost", "[instance: 7] lost"),
        ("2024-05-16 12:00:01 Information is power", "Information is power"),
        ("2024-05-16 12:00:01 Found an ERROR in it", "Found an ERROR in it"),
    ],
)
def test_what_stands_around_a_level_is_no_part_of_the_message(line: str, message: str) -> None:
    stamped = parse(line)
    assert stamped is not None
    assert stamped.message == message


@pytest.mark.parametrize(
    "line",
    ["", "no time here", "2024-13-01 00:00:00 x", "2024-02-30 00:00:00 x", "2024-02-01 25:00:00 x", "12345 x",
     "99999999999 x", "Foo 14 15:16:01 x", "a line of many words that tells 2024-05-16 12:00:01 late"],
)  # fmt: skip
def test_no_time_is_none(line: str) -> None:
    assert parse(line) is None


def test_the_zone_counts_where_the_line_names_none() -> None:
    zone = ZoneInfo("Europe/Berlin")
    stamped = parse_line("2024-07-01 12:00:00 x", zone=zone, year=None, now=NOW)
    assert stamped == Stamped(datetime(2024, 7, 1, 10, tzinfo=UTC), "x")


@pytest.mark.parametrize(
    ("line", "year", "expected"),
    [
        ("Mar  2 11:00:00 h p: x", None, 2026),
        ("Mar  2 13:00:00 h p: x", None, 2025),
        ("Dec 31 23:00:00 h p: x", None, 2025),
        ("Feb 29 00:00:00 h p: x", None, 2024),
        ("Dec 31 23:00:00 h p: x", 2011, 2011),
    ],
)
def test_a_missing_year(line: str, year: int | None, expected: int) -> None:
    stamped = parse(line, year)
    assert stamped is not None
    assert stamped.at.year == expected


def test_a_year_that_lacks_the_day_gives_none() -> None:
    assert parse("Feb 29 00:00:00 h p: x", 2025) is None


def test_new_year_is_near() -> None:
    now = datetime(2025, 12, 31, 23, 30, tzinfo=UTC)
    stamped = parse("Jan  1 00:10:00 h p: x", None, now)
    assert stamped is not None
    assert stamped.at == datetime(2026, 1, 1, 0, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    "value", [1117838570, 1117838570.0, 1117838570000, "1117838570", "2005-06-03T22:42:50Z"]
)
def test_a_time_on_its_own(value: str | float) -> None:
    assert parse_time(value, zone=UTC, year=None, now=NOW) == datetime(2005, 6, 3, 22, 42, 50, tzinfo=UTC)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 10**400, -(10**30), "soon", ""])
def test_no_time_on_its_own(value: str | float) -> None:
    assert parse_time(value, zone=UTC, year=None, now=NOW) is None


def test_long_lines_take_linear_time() -> None:
    units = (
        "1",
        "1 ",
        "A ",
        "[",
        "[a",
        "a.b.",
        "a: ",
        " ",
        "-",
        "2024-05-16 12:00:01 ",
        "Jan ",
        "<",
        "1[",
        "x y[1]: ",
    )
    heads = ("", "2024-05-16 12:00:01 ", "Jan 14 15:16:01 ", "1117838570 ", "<165>1 2024-05-16T12:00:01Z ")
    start = time.perf_counter()
    for head in heads:
        for unit in units:
            parse(head + unit * (65_536 // len(unit)))
    assert time.perf_counter() - start < 5


@given(
    st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1)),
    st.integers(-14 * 60, 14 * 60),
)
def test_iso_times_come_back(local: datetime, minutes: int) -> None:
    at = local.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    assert parse(f"{at.isoformat()} x") == Stamped(at.astimezone(UTC), "x")


@given(st.text(), st.sampled_from(["", "2024-05-16 12:00:01 ", "Jan 14 15:16:01 ", "[", "1117838570 ", "- "]))
def test_any_text_is_taken(tail: str, head: str) -> None:
    stamped = parse(head + tail)
    assert stamped is None or stamped.at.tzinfo is UTC


@given(
    st.from_regex(
        r"[0-9]{1,4}[-/. ]?[0-9]{2}[-/. ]?[0-9]{2}[T -][0-9]{2}:?[0-9]{2}:?[0-9]{2}.{0,9}", fullmatch=True
    )
)
def test_nonsense_near_a_time_never_raises(line: str) -> None:
    parse(line)
