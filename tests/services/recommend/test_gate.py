"""The gate: compliance above every score, and no `do_now` without a panel that agrees."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workreef_app.services.recommend.gate import Panel, Reason, Thresholds, recommend
from workreef_app.services.recommend.heuristics import REASONS
from workreef_app.services.recommend.measures import Measures
from workreef_app.services.recommend.models import Recommendation

LATER, PILOT, NOW = Recommendation.LATER, Recommendation.PILOT, Recommendation.DO_NOW
LIMITS = Thresholds(min_days=3, min_uniformity=500, min_handling=700)
BEST = Measures(times=100, days=20, window_days=30, uniformity=1000, handling=1000)
AGREEING = Panel(formed=True, agrees=True)
ORDER = [Recommendation.HUMAN_ONLY, LATER, PILOT, NOW]

SHARE = st.none() | st.integers(0, 1000)
MEASURES = st.builds(Measures, st.integers(0, 10**6), st.integers(0, 60), st.just(30), SHARE, SHARE)
THRESHOLDS = st.builds(Thresholds, st.integers(1, 60), st.integers(0, 1000), st.integers(0, 1000))
PANELS = st.none() | st.builds(Panel, st.booleans(), st.booleans())


@given(MEASURES, THRESHOLDS, st.booleans(), st.booleans(), PANELS)
def test_without_a_formed_agreeing_panel_it_is_never_do_now(
    measures: Measures, limits: Thresholds, asks: bool, health: bool, panel: Panel | None
) -> None:
    outcome = recommend(measures, limits, asks_for_work=asks, health_data=health, panel=panel)
    if panel != AGREEING:
        assert outcome.recommendation is not NOW
    if outcome.recommendation is NOW:
        assert measures.handling is not None
        assert asks


@given(MEASURES, THRESHOLDS, st.booleans(), PANELS)
def test_health_data_is_always_for_people(
    measures: Measures, limits: Thresholds, asks: bool, panel: Panel | None
) -> None:
    outcome = recommend(measures, limits, asks_for_work=asks, health_data=True, panel=panel)
    assert (outcome.recommendation, outcome.reason) == (Recommendation.HUMAN_ONLY, Reason.COMPLIANCE_VETO)
    without = recommend(measures, limits, asks_for_work=asks, health_data=False, panel=AGREEING)
    assert outcome.before_gate == without.before_gate


@given(MEASURES, MEASURES, THRESHOLDS, st.booleans(), PANELS)
def test_better_measures_never_give_less(
    one: Measures, two: Measures, limits: Thresholds, asks: bool, panel: Panel | None
) -> None:
    """More days and higher shares; what is known of handling may lower nothing that unknown handling allows."""
    better = replace(
        one, days=max(one.days, two.days),
        uniformity=max(filter(lambda v: v is not None, (one.uniformity, two.uniformity)), default=None),
        handling=max(filter(lambda v: v is not None, (one.handling, two.handling)), default=None),
    )
    low = recommend(one, limits, asks_for_work=asks, health_data=False, panel=panel)
    high = recommend(better, limits, asks_for_work=asks, health_data=False, panel=panel)
    assert ORDER.index(high.recommendation) >= ORDER.index(low.recommendation)
    assert ORDER.index(high.before_gate) >= ORDER.index(low.before_gate)


@given(MEASURES, THRESHOLDS, st.booleans(), st.booleans(), PANELS)
def test_the_gate_only_lowers(
    measures: Measures, limits: Thresholds, asks: bool, health: bool, panel: Panel | None
) -> None:
    outcome = recommend(measures, limits, asks_for_work=asks, health_data=health, panel=panel)
    assert ORDER.index(outcome.recommendation) <= ORDER.index(outcome.before_gate)
    assert REASONS[outcome.reason]


@pytest.mark.parametrize(("change", "asks", "panel", "expected"), [
    ({}, True, AGREEING, (NOW, NOW, Reason.ALL_MET)),
    ({}, True, None, (PILOT, NOW, Reason.NO_PANEL)),
    ({}, True, Panel(False, True), (PILOT, NOW, Reason.NO_PANEL)),
    ({}, True, Panel(True, False), (PILOT, NOW, Reason.PANEL_DISAGREES)),
    ({}, False, AGREEING, (LATER, LATER, Reason.ROUTINE)),
    ({"days": 3, "uniformity": 500, "handling": 700}, True, AGREEING, (NOW, NOW, Reason.ALL_MET)),
    ({"days": 2}, True, AGREEING, (LATER, LATER, Reason.RECURS_TOO_LITTLE)),
    ({"uniformity": 499}, True, AGREEING, (LATER, LATER, Reason.TOO_VARIED)),
    ({"uniformity": None}, True, AGREEING, (LATER, LATER, Reason.TOO_VARIED)),
    ({"handling": 699}, True, AGREEING, (PILOT, PILOT, Reason.HANDLING_VARIES)),
    ({"handling": None}, True, AGREEING, (PILOT, PILOT, Reason.HANDLING_UNKNOWN)),
])
def test_every_threshold_at_its_edge(
    change: dict[str, int | None], asks: bool, panel: Panel | None,
    expected: tuple[Recommendation, Recommendation, Reason],
) -> None:
    outcome = recommend(replace(BEST, **change), LIMITS, asks_for_work=asks, health_data=False, panel=panel)  # type: ignore[arg-type]
    assert (outcome.recommendation, outcome.before_gate, outcome.reason) == expected
