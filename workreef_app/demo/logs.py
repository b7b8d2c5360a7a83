"""Sample logs of a month, made up line by line: the same bytes for the same seed and end.

A department's systems have habits. Some fail on most days in the same way, most only report, some touch health
data, some happened once. The lines are written as such systems write them, as syslog or as JSON lines.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from workreef_app.demo.habits import HABITS, Habit

DAYS = 30
_SLOT = re.compile(r"\{([^{}]+)\}")
_RANGE = re.compile(r"(\d+)-(\d+)")


@dataclass(frozen=True, slots=True)
class SampleFile:
    """A log as a file: its name and its bytes."""

    name: str
    content: bytes


def files(tenant: str, department: str, *, until: datetime, seed: str = "workreef") -> tuple[SampleFile, ...]:
    """The month of logs up to `until` (aware) of a sample department: its servers' and its applications'."""
    rng = random.Random(f"{seed}/{tenant}/{department}")  # nosec B311
    servers: list[tuple[datetime, str]] = []
    applications: list[tuple[datetime, str]] = []
    for habit in HABITS[tenant, department]:
        for at in _times(habit, rng, until):
            line = _json(habit, at, rng) if habit.level else _syslog(habit, at, rng)
            (applications if habit.level else servers).append((at, line))
    return (
        SampleFile(f"{department}-servers.log", _joined(servers)),
        SampleFile(f"{department}-applications.jsonl", _joined(applications)),
    )


def _times(habit: Habit, rng: random.Random, until: datetime) -> Iterator[datetime]:
    first = (until - timedelta(days=DAYS)).replace(hour=0, minute=0, second=0, microsecond=0)
    for number in range(1, DAYS + 1):
        day = first + timedelta(days=number)
        if (habit.weekdays and day.weekday() >= 5) or rng.random() >= habit.days:
            continue
        for _ in range(rng.randint(*habit.times)):
            opening, closing = habit.hours
            at = day + timedelta(milliseconds=rng.randrange(opening * 3_600_000, closing * 3_600_000))
            if at < until:
                yield at


def _joined(lines: list[tuple[datetime, str]]) -> bytes:
    return "".join(f"{line}\n" for _, line in sorted(lines)).encode()


def _syslog(habit: Habit, at: datetime, rng: random.Random) -> str:
    """RFC 3164: no year, local host name, program with its process id."""
    host, program = filled(habit.host, at, rng), f"{habit.program}[{rng.randint(300, 32000)}]"
    return f"{at:%b} {at.day:>2} {at:%H:%M:%S} {host} {program}: {filled(habit.message, at, rng)}"


def _json(habit: Habit, at: datetime, rng: random.Random) -> str:
    return json.dumps(
        {
            "timestamp": at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z",
            "level": habit.level,
            "service": habit.program,
            "host": filled(habit.host, at, rng),
            "message": filled(habit.message, at, rng),
        }
    )


def filled(pattern: str, at: datetime, rng: random.Random) -> str:
    """The pattern with its slots filled: `{3-9}` a number, `{a|b}` one of them, `{day}` the date, `{ip}`, `{hex}`."""

    def value(slot: re.Match[str]) -> str:
        kind: str = slot[1]
        if bounds := _RANGE.fullmatch(kind):
            return str(rng.randint(int(bounds[1]), int(bounds[2])))
        match kind:
            case "day":
                return at.strftime("%Y%m%d")
            case "ip":
                return f"10.{rng.randint(0, 40)}.{rng.randint(0, 255)}.{rng.randint(1, 254)}"
            case "hex":
                return f"{rng.getrandbits(32):08x}"
        return rng.choice(kind.split("|"))

    return _SLOT.sub(value, pattern)
