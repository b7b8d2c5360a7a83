"""Recognises the time at the start of a log line, in the formats that logs commonly have.

One alternation of anchored forms, so what a line is read as depends on that line alone. Formats: ISO 8601 and
RFC 3339; RFC 3164 (syslog) and ctime (Apache); the common log format; Unix seconds and milliseconds; logcat;
glog; Log4j's `yy/MM/dd` and `yyMMdd HHmmss`; compact `yyyyMMdd`. Month and day names are English.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import NamedTuple

#: Times outside of these are slips (a negative time, a garbled year) that no window could hold.
EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
_DAY_AHEAD = timedelta(days=1)
_MONTH_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTHS = {name: number for number, name in enumerate(_MONTH_NAMES, 1)}
_TIME = r"(\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?"
_LOOSE_TIME = r"(\d\d)[:.](\d\d)[:.](\d\d)(?:[.,](\d{1,9}))?"
_ZONE = r"(?:\s?(Z|[+-](?:0\d|1[0-4]):?[0-5]\d)(?![\d:]))?"
_DAY = r"(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,?\s+)"
_MONTH = rf"({'|'.join(_MONTH_NAMES)})[a-z]*"

# Every form has groups in the order that its reader in `_FIELDS` names.
_FORMS: dict[str, tuple[str, str]] = {
    "iso": (rf"(\d{{4}})([-/.])(\d\d)\2(\d\d)[T _-]{_LOOSE_TIME}(?!\d){_ZONE}", "Y-mdHMSfz"),
    "ctime": (rf"{_DAY}{_MONTH}\s+(\d{{1,2}})\s+{_TIME}\s+(?:[A-Z]{{3,4}}\s+)?(\d{{4}})\b", "bdHMSfY"),
    "syslog": (rf"{_DAY}?{_MONTH}\s+(\d{{1,2}})\s+(?:(\d{{4}})\s+)?{_TIME}(?![\d:])", "bdYHMSf"),
    "dmy": (rf"{_DAY}?(\d{{1,2}})[ /-]{_MONTH}[ /-](\d{{4}})[ :T]{_TIME}{_ZONE}", "dbYHMSfz"),
    "epoch_ms": (r"(\d{10})(\d{3})(?!\w|[.:/-]\d)", "es"),
    "epoch": (r"(\d{10})(?:\.(\d{1,9}))?(?!\w|[.:/-]\d)", "es"),
    "compact": (
        rf"(\d{{4}})(\d\d)(\d\d)[-T ](\d\d):?(\d\d):?(\d\d)(?:[.,:](\d{{1,9}}))?(?!\d){_ZONE}", "YmdHMSfz",
    ),
    "log4j": (rf"(\d\d)/(\d\d)/(\d\d) {_TIME}(?!\d)", "ymdHMSf"),
    "packed": (r"(\d\d)(\d\d)(\d\d) (\d\d):?(\d\d):?(\d\d)(?!\d)", "ymdHMS"),
    "logcat": (rf"(\d\d)-(\d\d) {_TIME}(?!\d)", "mdHMSf"),
    "glog": (rf"[IWEF](\d\d)(\d\d) {_TIME}(?!\d)", "mdHMSf"),
}  # fmt: skip


_NEVER = 1
"""The number of a group that matches nothing: a field that a form lacks is read from there."""


def _alternation(*names: str) -> str:
    """One pattern of the named forms; the one back-reference (the separator of a date) is moved along."""
    offset, parts = _NEVER, ["((?!))"]
    for name in names:
        form = _FORMS[name][0]
        parts.append(f"(?P<{name}>" + form.replace(r"\2", rf"\{offset + 3}") + ")")
        offset += re.compile(form).groups + 1
    return "|".join(parts)


def _groups(pattern: re.Pattern[str], kinds: str) -> dict[int, tuple[int, ...]]:
    """For each form, by the number of its group: where the fields of those kinds are."""
    return {
        at: tuple(at + 1 + _FORMS[name][1].index(kind) if kind in _FORMS[name][1] else _NEVER for kind in kinds)
        for name, at in pattern.groupindex.items()
    }


_AT_START = re.compile(rf"""(?:<\d{{1,3}}>(?:1\s)?)?\s*["\[(]?(?:{_alternation(*_FORMS)})""")
# The first forms of both, so that a form's groups have the same numbers. The look-ahead is for speed alone.
_LATER = re.compile(rf"(?=[\dA-Z])(?:{_alternation('iso', 'ctime', 'syslog', 'dmy')})")
_EPOCH = _groups(_AT_START, "es")
_CALENDAR = _groups(_AT_START, "YymbdHMSfz")
# By their size: seconds reach 1e11 in the year 5138, and milliseconds pass it in March 1973. As the first word of a
# line only seconds and milliseconds are taken for a time: longer numbers there are mostly ids.
_EPOCH_UNITS = ((1e17, 1e9), (1e14, 1e6), (1e11, 1e3))
_LONG_EPOCHS = (16, 19)
_PREFIX_LENGTH = 200
_PREFIX_WORDS = 3
_COLLECTOR = re.compile(r"\W{1,3}\s")
_AFTER = re.compile(r"""["\])]*\s*(?:[-:|,]\s+|\|)?""")

# What may stand between the time and the message of a line that names its level.
_BRACKETS = r"\[(?:[^\[\]]|\[[^\[\]]*\])*\]"
_LEVEL = (
    r"TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|SEVERE|CRITICAL|CRIT|ALERT|EMERG|FATAL|FAILURE"
    r"|trace|debug|info|notice|warn|warning|error|crit|critical|alert|emerg|fatal|Info|Warning|Error"
)
_HEADER = re.compile(
    r"(?:(?>(?=\S*?\d)\S+|[^\sa-z]+)\s++){0,5}?"  # process, thread and node ids, facilities in capitals
    rf"(?:\[(?:\w+:)?(?:{_LEVEL})\]|(?:{_LEVEL})(?=[\s:,|])|[VDIWEF](?=\s+[\w.\-]+\s*:))[:,|]?\s+"
    rf"(?:-\s+)?(?:{_BRACKETS}\s+)?(?:-\s+)?"
)
_LOGGER = re.compile(rf"[A-Za-z_][\w$]*(?:\.[\w$]+)+(?:\s+{_BRACKETS}\s+|:\s+|\s+-\s+)")
_RFC_5424_HEADER = re.compile(r"\S+ (\S+) \S+ \S+ (?:-|(?:\[[^\]]*\])+)(?: |$)")
_SYSLOG_HEADER = re.compile(r"\S+\s+([A-Za-z_][^\s\[\]:]*)(?:\[\d+\])?:\s*")


class Stamped(NamedTuple):
    """A dated line: the time in UTC, and what is left to be read as the message."""

    at: datetime
    message: str


def parse_line(line: str, *, zone: tzinfo, year: int | None, now: datetime) -> Stamped | None:
    """The line's time and message; None where no known time stands at or near its start. Never raises.

    `zone` counts where the line names none. A missing year is `year`, or the latest that does not put the
    time more than a day after `now` (aware).
    """
    found = _AT_START.match(line) or _later(line)
    if found is None:
        return None
    at = _believed(_read(found, zone, year, now))
    if at is None:
        return None
    rest = _after(line, found)
    if found.lastgroup in ("epoch", "epoch_ms"):
        return Stamped(at, _own_line(rest))
    if found.lastgroup == "syslog":
        return Stamped(at, _program_first(_SYSLOG_HEADER, rest))
    if line.startswith("<") and _RFC_5424_HEADER.match(rest):
        return Stamped(at, _program_first(_RFC_5424_HEADER, rest))
    return Stamped(at, _message(rest))


def parse_time(value: str | float, *, zone: tzinfo, year: int | None, now: datetime) -> datetime | None:
    """A time on its own, as text in any of the formats or as Unix seconds, milli-, micro- or nanoseconds."""
    if isinstance(value, str):
        if not (len(value) in _LONG_EPOCHS and value.isascii() and value.isdigit()):
            found = _AT_START.match(value)
            return _believed(_read(found, zone, year, now)) if found else None
        value = int(value)
    size = abs(value)
    unit = next((unit for least, unit in _EPOCH_UNITS if size >= least), 1)
    try:
        return _believed(datetime.fromtimestamp(value / unit, UTC))
    except (ValueError, OverflowError, OSError):
        return None


def _believed(at: datetime | None) -> datetime | None:
    return at if at is not None and EARLIEST <= at < LATEST else None


def _later(line: str) -> re.Match[str] | None:
    """A time behind a file name or another short prefix."""
    collector = _COLLECTOR.match(line)
    if collector and (found := _AT_START.match(line, collector.end())):
        return found
    found = _LATER.search(line, 0, _PREFIX_LENGTH)
    while found and line[found.start() - 1 : found.start()] not in (" ", "\t", "[", "(", '"', "=", "|"):
        found = _LATER.search(line, found.end(), _PREFIX_LENGTH)
    if found and (_is_access_log(line, found) or len(line[: found.start()].split()) <= _PREFIX_WORDS):
        return found
    return None


def _is_access_log(line: str, found: re.Match[str]) -> bool:
    return found.lastgroup == "dmy" and line[found.start() - 1] == "["


def _after(line: str, found: re.Match[str]) -> str:
    """What follows the time and the punctuation that closes it."""
    after = _AFTER.match(line, found.end())
    return line[after.end() :] if after else ""


def _program_first(header: re.Pattern[str], rest: str) -> str:
    """`host program[pid]: text` as `program: text`; anything else as it is."""
    match = header.match(rest)
    return f"{match[1]}: {rest[match.end() :]}" if match else rest


def _own_line(rest: str) -> str:
    """The message of a line that a collector put its Unix time before, without the line's own times."""
    while (found := _LATER.search(rest, 0, _PREFIX_LENGTH)) and len(rest[: found.start()].split()) <= 2:
        rest = _after(rest, found)
        if found.lastgroup == "syslog":
            return _program_first(_SYSLOG_HEADER, rest)
    return _message(rest)


def _message(rest: str) -> str:
    """Without process ids, level, the bracketed thread or request, and the dotted name of a logger."""
    header = _HEADER.match(rest)
    if header is None:
        return rest
    logger = _LOGGER.match(rest, header.end())
    return rest[logger.end() if logger else header.end() :]


def _read(found: re.Match[str], zone: tzinfo, year: int | None, now: datetime) -> datetime | None:
    form = int(found.lastindex or 0)
    try:
        if found.lastgroup in ("epoch", "epoch_ms"):
            seconds, fraction = found.group(*_EPOCH[form])
            return datetime.fromtimestamp(int(seconds), UTC) + _fraction(fraction)
        written, short, month, name, day, hour, minute, second, fraction, offset = found.group(*_CALENDAR[form])
        # A leap second is counted with the second before it: no calendar here knows it.
        clock = (int(hour), int(minute), 59 if second == "60" else int(second), _microseconds(fraction))
        own = _offset(offset) if offset else zone
        months = int(month) if name is None else _MONTHS[name]
        if written:
            year = int(written)
        elif short:
            year = 2000 + int(short)
        if year is None:
            at = _latest(months, int(day), clock, own, now)
        else:
            at = datetime(year, months, int(day), *clock, tzinfo=own)
        return at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _latest(month: int, day: int, clock: tuple[int, int, int, int], zone: tzinfo, now: datetime) -> datetime:
    """The latest such date not over a day after `now`; 29 February may lie up to eight years back."""
    last = now + _DAY_AHEAD
    newest = (last + _DAY_AHEAD).year  # the zone may be ahead of that of `now`
    for candidate in range(newest, newest - 10, -1):
        try:
            at = datetime(candidate, month, day, *clock, tzinfo=zone)
        except ValueError:
            continue
        if at <= last:
            return at
    raise ValueError("no such day")


def _microseconds(digits: str | None) -> int:
    return int(digits[:6].ljust(6, "0")) if digits else 0


def _fraction(digits: str | None) -> timedelta:
    return timedelta(microseconds=_microseconds(digits))


@lru_cache(maxsize=256)
def _offset(written: str) -> tzinfo:
    if written == "Z":
        return UTC
    minutes = int(written[1:3]) * 60 + int(written[-2:])
    return timezone(timedelta(minutes=minutes if written[0] == "+" else -minutes))
