"""The heuristic analysis says what was counted, what it takes, and what is not known."""

from __future__ import annotations

import pytest

from workreef_app.services.recommend.gate import Reason, Thresholds, recommend
from workreef_app.services.recommend.heuristics import REASONS, Draft, days, decimal, draft, times
from workreef_app.services.recommend.measures import Measures

LIMITS = Thresholds(3, 500, 700)


def drafted(measures: Measures, trouble: tuple[str, ...] = ("failed",), health: tuple[str, ...] = ()) -> Draft:
    outcome = recommend(measures, LIMITS, asks_for_work=bool(trouble), health_data=bool(health), panel=None)
    return draft(measures, LIMITS, outcome, trouble, health)


def test_every_reason_has_one_sentence() -> None:
    assert set(REASONS) == set(Reason)
    assert all(text.endswith(".") and text.count(".") == 1 for text in REASONS.values())


def test_what_was_counted_is_said() -> None:
    said = drafted(Measures(1204, 5, 30, 800, None))
    assert said.summary == f"Seen 1,204 times on 5 days in a window of 30 days. {REASONS[Reason.HANDLING_UNKNOWN]}"
    assert said.points == (
        "Words that ask for attention: failed.",
        "It occurred on 5 days, at least the 3 days that a pilot needs.",
        "Its lines are 0.80 alike, at least the 0.50 needed.",
    )
    assert said.unknown[0].startswith("How people handle it")


def test_what_falls_short_is_said() -> None:
    said = drafted(Measures(1, 1, 1, 499, 900))
    assert said.summary.startswith("Seen once on 1 day in a window of 1 day.")
    assert "It occurred on 1 day, fewer than the 3 days that a pilot needs." in said.points
    assert "Its lines are 0.49 alike, below the 0.50 needed." in said.points
    assert not any("handle" in text for text in said.unknown)


def test_health_words_are_named() -> None:
    said = drafted(Measures(9, 9, 30, 900, None), health=("patient", "mrn"))
    assert REASONS[Reason.COMPLIANCE_VETO] in said.summary
    assert "Words that may mean health data: patient, mrn." in said.points


def test_unknown_uniformity_and_no_words_are_not_made_up() -> None:
    said = drafted(Measures(9, 9, 30, None, None), trouble=())
    assert not any("alike" in text or "Words" in text for text in said.points)


def test_no_source_gives_cost() -> None:
    assert drafted(Measures(9, 9, 30, 900, 900)).unknown == ("What it costs today: no source gives hours or cost yet.",)


@pytest.mark.parametrize(("number", "text"), [(0, "0.00"), (9, "0.00"), (10, "0.01"), (949, "0.94"), (999, "0.99"),
                                              (1000, "1.00")])
def test_shares_are_rounded_down(number: int, text: str) -> None:
    assert decimal(number) == text


def test_plurals() -> None:
    assert (times(0), times(1), times(2)) == ("0 times", "once", "2 times")
    assert (days(0), days(1), days(2)) == ("0 days", "1 day", "2 days")
