"""The recommendation gate: a pure function from measures to a recommendation with its reason.

Compliance stands above every score. `do_now` needs a formed panel that agrees; without one it becomes `pilot`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from workreef_app.services.recommend.measures import Measures, score
from workreef_app.services.recommend.models import Recommendation


class Reason(StrEnum):
    """Why a recommendation is what it is."""

    COMPLIANCE_VETO = "compliance_veto"
    ROUTINE = "routine"
    RECURS_TOO_LITTLE = "recurs_too_little"
    TOO_VARIED = "too_varied"
    HANDLING_UNKNOWN = "handling_unknown"
    HANDLING_VARIES = "handling_varies"
    NO_PANEL = "no_panel"
    PANEL_DISAGREES = "panel_disagrees"
    ALL_MET = "all_met"


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From what on a task may be proposed. Uniformity and handling in thousandths."""

    min_days: int
    min_uniformity: int
    min_handling: int


@dataclass(frozen=True, slots=True)
class Panel:
    """What a panel came to: whether enough models voted, and whether they agree."""

    formed: bool
    agrees: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """The recommendation, what it was before the panel gate, and the reason."""

    recommendation: Recommendation
    before_gate: Recommendation
    reason: Reason


_RANK = {
    Recommendation.DO_NOW: 3000, Recommendation.PILOT: 2000, Recommendation.LATER: 1000, Recommendation.HUMAN_ONLY: 0,
}


def place(recommendation: Recommendation, measures: Measures) -> int:
    """Where a proposal stands among others, higher first: by its recommendation, and then by its measures' score."""
    return _RANK[recommendation] + score(measures)


def _by_measures(measures: Measures, limits: Thresholds, asks_for_work: bool) -> tuple[Recommendation, Reason]:
    if not asks_for_work:
        return Recommendation.LATER, Reason.ROUTINE
    if measures.days < limits.min_days:
        return Recommendation.LATER, Reason.RECURS_TOO_LITTLE
    if measures.uniformity is None or measures.uniformity < limits.min_uniformity:
        return Recommendation.LATER, Reason.TOO_VARIED
    if measures.handling is None:
        return Recommendation.PILOT, Reason.HANDLING_UNKNOWN
    if measures.handling < limits.min_handling:
        return Recommendation.PILOT, Reason.HANDLING_VARIES
    return Recommendation.DO_NOW, Reason.ALL_MET


def recommend(
    measures: Measures, limits: Thresholds, *, asks_for_work: bool, health_data: bool, panel: Panel | None
) -> Outcome:
    """What to recommend. `panel` is None while no panel was asked."""
    wanted, reason = _by_measures(measures, limits, asks_for_work)
    if health_data:
        return Outcome(Recommendation.HUMAN_ONLY, wanted, Reason.COMPLIANCE_VETO)
    if wanted is Recommendation.DO_NOW and not (panel and panel.formed and panel.agrees):
        why = Reason.PANEL_DISAGREES if panel and panel.formed else Reason.NO_PANEL
        return Outcome(Recommendation.PILOT, wanted, why)
    return Outcome(wanted, wanted, reason)
