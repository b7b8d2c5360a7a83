"""Numbers and times as people read them, each time in the zone of whoever reads it."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from workreef_app.services.access import zones

LONGEST = 10**18


def zone_named(name: str) -> ZoneInfo:
    """The zone in which a person reads times."""
    return zones.zone(name)


def zone_word(at: datetime) -> str:
    """How a zone is called at a moment in it: `CET`, or `UTC+05:45` where it has no letters of its own."""
    name = at.tzname() or ""
    if name.isalpha():
        return name
    minutes = int((at.utcoffset() or timedelta()).total_seconds() // 60)
    sign, size = "-" if minutes < 0 else "+", abs(minutes)
    return f"UTC{sign}{size // 60:02}:{size % 60:02}"


def moment(at: datetime | None, zone: tzinfo) -> str:
    """`14 Nov 2026, 22:19 CET`; a dash where there is none."""
    if at is None:
        return "–"
    there = at.astimezone(zone)
    return f"{there:%-d %b %Y, %H:%M} {zone_word(there)}"


def exact(at: datetime, zone: tzinfo) -> str:
    """`2026-11-14 22:19:07 CET`."""
    there = at.astimezone(zone)
    return f"{there:%Y-%m-%d %H:%M:%S} {zone_word(there)}"


def given_moment(text: str, zone: tzinfo) -> str:
    """A time in ISO 8601 as people read it, in UTC where it names no zone; as it was given where it is no time."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return text
    return moment(at if at.tzinfo else at.replace(tzinfo=UTC), zone)


def lately(at: datetime, now: datetime, zone: tzinfo) -> str:
    """A past moment in a sentence: `14:05` today, `yesterday 14:05`, `Friday 14:05` in a week, else with its date."""
    there, today = at.astimezone(zone), now.astimezone(zone).date()
    days = (today - there.date()).days
    if days < 0 or days >= 7:
        return moment(at, zone)
    day = {0: "", 1: "yesterday "}.get(days, f"{there:%A} ")
    return f"{day}{there:%H:%M} {zone_word(there)}"


def hour(at: datetime, zone: tzinfo) -> str:
    """`14 Nov 2026, 22:00–23:00 CET`; both zones where the clocks change in that hour."""
    start, end = at.astimezone(zone), (at.astimezone(UTC) + timedelta(hours=1)).astimezone(zone)
    first, last = zone_word(start), zone_word(end)
    begin = f"{start:%-d %b %Y, %H:%M}" + ("" if first == last else f" {first}")
    return f"{begin}–{end:%H:%M} {last}"


def span(first: datetime, last: datetime, zone: tzinfo) -> str:
    """`15:59:06`, or `15:09:06–15:59:06`."""
    begin, end = f"{first.astimezone(zone):%H:%M:%S}", f"{last.astimezone(zone):%H:%M:%S}"
    return begin if begin == end else f"{begin}–{end}"


def day_begins(day: str, zone: tzinfo, *, after: int = 0) -> str:
    """The moment, as an address holds it, at which a day of a form (`2026-11-14`) begins in a zone; empty for no day.

    `after` is how many days later. Where the clocks jump over midnight it is the first moment there is.
    """
    try:
        begin = datetime.combine(date.fromisoformat(day) + timedelta(days=after), time(), zone)
        return begin.astimezone(UTC).isoformat().replace("+00:00", "Z")
    except (ValueError, OverflowError):
        return ""


def number(value: int) -> str:
    """`1,204`; from 10 to the 18th on only how long it is: nobody reads more, and Python refuses to write it out."""
    if abs(value) < LONGEST:
        return f"{value:,}"
    digits = int(math.log10(abs(value))) + 1
    return f"{'minus ' if value < 0 else ''}a number of about {digits:,} digits"


def counted(value: int, one: str, many: str = "") -> str:
    """`1 task`, `3 tasks`."""
    return f"{number(value)} {one if value == 1 else many or one + 's'}"


def share(thousandths: int | None) -> str:
    """A share in thousandths as a decimal, rounded down; `unknown` where there is none."""
    return "unknown" if thousandths is None else f"{thousandths // 10 / 100:.2f}"


def query(path: str, **filters: object) -> str:
    """An address with those filters that are set."""
    given = {name: str(value) for name, value in filters.items() if value not in ("", None)}
    return f"{path}?{urlencode(given)}" if given else path
