"""The three measures, and the order that they give."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workreef_app.services.recommend.measures import Counts, Measures, measure, score, thousandths

COUNTS = st.builds(
    lambda times, days, constant, more: Counts(times, days, days, constant, constant + more),
    st.integers(0, 10**6), st.integers(0, 365), st.integers(0, 10**6), st.integers(0, 10**6),
)


def test_a_measure_of_one_signal() -> None:
    assert measure([Counts(12, 3, 5, 30, 40)], 30) == Measures(12, 3, 30, 750, None)


def test_handling_of_a_source_without_handlers_is_unknown_and_no_number() -> None:
    assert measure([Counts(12, 3, 5, 30, 40)], 30).handling is None
    assert measure([Counts(12, 3, 5, 30, 40, handled=0, same_handling=0)], 30).handling is None
    assert measure([Counts(12, 3, 5, 30, 40, handled=4, same_handling=0)], 30).handling == 0


def test_signals_of_one_task_are_measured_together() -> None:
    found = [Counts(10, 3, 5, 30, 40, handled=4, same_handling=3), Counts(5, 4, 4, 10, 20)]
    assert measure(found, 30) == Measures(15, 4, 30, 666, 750)


def test_nothing_has_no_measure() -> None:
    assert measure([], 7) == Measures(0, 0, 7, None, None)


@given(st.lists(COUNTS, max_size=5))
def test_sums_and_bounds(found: list[Counts]) -> None:
    measures = measure(found, 30)
    assert measures.times == sum(c.times for c in found)
    assert (measures.uniformity is None) == (sum(c.total_tokens for c in found) == 0)
    assert measures.uniformity is None or 0 <= measures.uniformity <= 1000


@given(st.integers(0, 10**9), st.integers(1, 10**9))
def test_thousandths_never_round_up(part: int, whole: int) -> None:
    found = thousandths(part, whole)
    assert Fraction(found, 1000) <= Fraction(part, whole) < Fraction(found + 1, 1000)


MEASURES = st.builds(
    Measures, st.integers(0, 10**6), st.integers(0, 365), st.just(30), st.none() | st.integers(0, 1000),
    st.none() | st.integers(0, 1000),
)


@given(MEASURES)
def test_a_score_is_within_0_and_1000(measures: Measures) -> None:
    assert 0 <= score(measures) <= 1000


@given(MEASURES, MEASURES)
def test_more_of_everything_is_no_lower_score(one: Measures, two: Measures) -> None:
    higher = Measures(
        max(one.times, two.times), max(one.days, two.days), 30, max(one.uniformity or 0, two.uniformity or 0),
        max(one.handling or 0, two.handling or 0),
    )
    assert score(higher) >= max(score(one), score(two))


@pytest.mark.parametrize(("measures", "expected"), [
    (Measures(0, 0, 30, None, None), 0), (Measures(10_000, 10, 30, 1000, 1000), 1000),
    (Measures(10**6, 300, 30, None, None), 500), (Measures(100, 5, 30, 800, None), 450),
])
def test_scores(measures: Measures, expected: int) -> None:
    assert score(measures) == expected
