"""Numbers and times as people read them."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import urlencode


def moment(at: datetime | None) -> str:
    """`14 Nov 2026, 21:19 UTC`; a dash where there is none."""
    return at.astimezone(UTC).strftime("%-d %b %Y, %H:%M UTC") if at else "–"


def hour(at: datetime) -> str:
    """`14 Nov 2026, 21:00–22:00 UTC`."""
    start = at.astimezone(UTC)
    return f"{start:%-d %b %Y, %H:00}–{(start.hour + 1) % 24:02}:00 UTC"


def span(first: datetime, last: datetime) -> str:
    """`15:59:06`, or `15:09:06–15:59:06`."""
    begin, end = f"{first.astimezone(UTC):%H:%M:%S}", f"{last.astimezone(UTC):%H:%M:%S}"
    return begin if begin == end else f"{begin}–{end}"


def number(value: int) -> str:
    """`1,204`."""
    return f"{value:,}"


def counted(value: int, one: str, many: str = "") -> str:
    """`1 task`, `3 tasks`."""
    return f"{value:,} {one if value == 1 else many or one + 's'}"


def share(thousandths: int | None) -> str:
    """A share in thousandths as a decimal, rounded down; `unknown` where there is none."""
    return "unknown" if thousandths is None else f"{thousandths // 10 / 100:.2f}"


def query(path: str, **filters: object) -> str:
    """An address with those filters that are set."""
    given = {name: str(value) for name, value in filters.items() if value not in ("", None)}
    return f"{path}?{urlencode(given)}" if given else path
