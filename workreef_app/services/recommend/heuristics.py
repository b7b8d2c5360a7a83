"""The heuristic analysis: what can be said about a task from its counts alone, with no model asked."""

from __future__ import annotations

from dataclasses import dataclass

from workreef_app.services.recommend.gate import Outcome, Reason, Thresholds
from workreef_app.services.recommend.measures import Measures

REASONS: dict[Reason, str] = {
    Reason.COMPLIANCE_VETO: "It may involve health data, so it stays with people whatever its measures say.",
    Reason.ROUTINE: "Nothing in it says that work is needed; it reads like routine information.",
    Reason.RECURS_TOO_LITTLE: "It was seen on too few days to know that it recurs.",
    Reason.TOO_VARIED: "Its lines differ too much to be one task.",
    Reason.HANDLING_UNKNOWN: "It recurs alike, but how people handle it is not known yet.",
    Reason.HANDLING_VARIES: "It recurs alike, but people handle it in different ways.",
    Reason.NO_PANEL: "Its measures would allow more, but no panel has voted on it.",
    Reason.PANEL_DISAGREES: "Its measures would allow more, but the panel does not agree.",
    Reason.ALL_MET: "Its measures are met and the panel agrees.",
}


@dataclass(frozen=True, slots=True)
class Draft:
    """The parts of a heuristic analysis, in plain sentences."""

    summary: str
    points: tuple[str, ...]
    unknown: tuple[str, ...]


def times(number: int) -> str:
    """`once`, `2 times`, `1,204 times`."""
    return "once" if number == 1 else f"{number:,} times"


def days(number: int) -> str:
    return "1 day" if number == 1 else f"{number} days"


def decimal(thousandths: int) -> str:
    """A share in thousandths as people read it, rounded down to two places: 949 is 0.94."""
    return f"{thousandths // 10 / 100:.2f}"


def draft(
    measures: Measures, limits: Thresholds, outcome: Outcome, trouble: tuple[str, ...], health: tuple[str, ...]
) -> Draft:
    """What the counts say, what speaks for and against, and what they cannot say."""
    summary = (
        f"Seen {times(measures.times)} on {days(measures.days)} in a window of {days(measures.window_days)}."
        f" {REASONS[outcome.reason]}"
    )
    points = []
    if trouble:
        points.append(f"Words that ask for attention: {', '.join(trouble)}.")
    if health:
        points.append(f"Words that may mean health data: {', '.join(health)}.")
    enough = "at least" if measures.days >= limits.min_days else "fewer than"
    points.append(f"It occurred on {days(measures.days)}, {enough} the {days(limits.min_days)} that a pilot needs.")
    if measures.uniformity is not None:
        against = "at least" if measures.uniformity >= limits.min_uniformity else "below"
        points.append(
            f"Its lines are {decimal(measures.uniformity)} alike,"
            f" {against} the {decimal(limits.min_uniformity)} needed."
        )
    unknown = []
    if measures.handling is None:
        unknown.append("How people handle it: this source names no handler.")
    unknown.append("What it costs today: no source gives hours or cost yet.")
    return Draft(summary, tuple(points), tuple(unknown))
