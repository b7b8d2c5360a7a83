"""The three measures of a signal, as plain functions on plain numbers.

Recurrence counts how often and on how many days something happened in a window. Uniformity is the share of a
line's tokens that are the same in all lines of its cluster. Handler consistency is the share of occurrences that
the same way of handling covers; a source without handlers leaves it unknown, which is not a number.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Counts:
    """What was counted for one signal in its window; `handled` and `same_handling` are None without handlers."""

    times: int
    days: int
    hours: int
    constant_tokens: int
    total_tokens: int
    handled: int | None = None
    same_handling: int | None = None


@dataclass(frozen=True, slots=True)
class Measures:
    """A task's measures. `uniformity` and `handling` are in thousandths; None means unknown."""

    times: int
    days: int
    window_days: int
    uniformity: int | None
    handling: int | None


def thousandths(part: int, whole: int) -> int:
    """`part / whole` in thousandths, rounded down so that a threshold is never met by rounding. `whole` > 0."""
    return part * 1000 // whole


def measure(signals: Iterable[Counts], window_days: int) -> Measures:
    """The measures of a task whose signals were counted over the same window.

    Days are those of the busiest signal, since days of different signals may be the same days.
    """
    found = list(signals)
    total = sum(c.total_tokens for c in found)
    handled = sum(c.handled or 0 for c in found)
    same = sum(c.same_handling or 0 for c in found)
    return Measures(
        times=sum(c.times for c in found),
        days=max((c.days for c in found), default=0),
        window_days=window_days,
        uniformity=thousandths(sum(c.constant_tokens for c in found), total) if total else None,
        handling=thousandths(same, handled) if handled else None,
    )


def score(measures: Measures) -> int:
    """Order of opportunities, 0 to 1000: half recurrence, a quarter uniformity, a quarter handling.

    Recurrence is the mean of days (ten or more count in full) and of the logarithm of times (10,000 or more count
    in full). What is unknown adds nothing.
    """
    days = min(1.0, measures.days / 10)
    often = min(1.0, math.log10(max(1, measures.times)) / 4)
    return round(250 * days + 250 * often + 0.25 * (measures.uniformity or 0) + 0.25 * (measures.handling or 0))
