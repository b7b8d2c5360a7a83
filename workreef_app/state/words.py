"""Numbers and times as people read them."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from urllib.parse import urlencode

LONGEST = 10**18


def moment(at: datetime | None) -> str:
    """`14 Nov 2026, 21:19 UTC`; a dash where there is none."""
    return at.astimezone(UTC).strftime("%-d %b %Y, %H:%M UTC") if at else "–"


def given_moment(text: str) -> str:
    """A time in ISO 8601 as people read it; as it was given where it is none."""
    try:
        return moment(datetime.fromisoformat(text))
    except ValueError:
        return text


def hour(at: datetime) -> str:
    """`14 Nov 2026, 21:00–22:00 UTC`."""
    start = at.astimezone(UTC)
    return f"{start:%-d %b %Y, %H:00}–{(start.hour + 1) % 24:02}:00 UTC"


def span(first: datetime, last: datetime) -> str:
    """`15:59:06`, or `15:09:06–15:59:06`."""
    begin, end = f"{first.astimezone(UTC):%H:%M:%S}", f"{last.astimezone(UTC):%H:%M:%S}"
    return begin if begin == end else f"{begin}–{end}"


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
