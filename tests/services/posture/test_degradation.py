"""Since when something is degraded: the rule on plain values, and that the control plane keeps it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from workreef_app.services.door import Door
from workreef_app.services.posture import degradation
from workreef_app.services.posture.degradation import WELL, Look, Note, decide

AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
BAD = Look(degraded=True)


def after(minutes: float) -> datetime:
    return AT + timedelta(minutes=minutes)


def test_the_first_look_notes_the_time_and_later_ones_keep_it() -> None:
    first = decide({}, {"key": BAD}, AT)
    assert first.notes == {"key": Note(AT, AT)}
    second = decide(first.notes, {"key": BAD}, after(5))
    assert second.notes == {"key": Note(AT, after(5))}
    assert second.over == {}


def test_it_began_when_it_was_last_known_to_be_well() -> None:
    assert decide({}, {"key": Look(True, after(-3))}, AT).notes["key"].since == after(-3)
    known = {"key": Note(after(-3), after(-1))}
    assert decide(known, {"key": Look(True, after(-3))}, AT).notes["key"].since == after(-3)


def test_what_was_well_in_between_has_failed_anew() -> None:
    known = {"key": Note(after(-60), after(-50))}
    assert decide(known, {"key": Look(True, after(-10))}, AT).notes["key"].since == after(-10)


def test_a_clock_that_is_ahead_dates_nothing_into_the_future() -> None:
    assert decide({}, {"key": Look(True, after(10))}, AT).notes["key"].since == AT


def test_what_is_well_again_is_over_and_what_was_not_looked_at_stays() -> None:
    known = {"key": Note(AT, AT), "worker_bulk": Note(AT, AT)}
    decision = decide(known, {"key": WELL}, after(1))
    assert decision.notes == {}
    assert decision.over == {"key": Note(AT, AT)}
    assert decide({}, {"key": WELL}, AT).over == {}


def test_what_lasts_is_told_once_and_so_is_its_end() -> None:
    known: dict[str, Note] = {}
    told = []
    for minute, bad in enumerate([True, True, True, True, False, False, True, False]):
        decision = decide(known, {"key": Look(bad)}, after(minute))
        known = decision.notes
        told.append(("key" in decision.lasting(timedelta(minutes=2)), "key" in decision.lasted(timedelta(minutes=2))))
    never = (False, False)
    assert told == [never, never, (True, False), never, (False, True), never, never, never]


def test_what_failed_anew_is_told_anew() -> None:
    known = {"key": Note(after(-60), after(-50))}
    decision = decide(known, {"key": Look(True, after(-10))}, AT)
    assert decision.lasting(timedelta(minutes=2)) == {"key"}


@given(st.lists(st.booleans(), min_size=1, max_size=30))
def test_since_is_always_the_first_of_the_looks_that_found_it_so_in_a_row(found: list[bool]) -> None:
    known: dict[str, Note] = {}
    began: datetime | None = None
    for minute, bad in enumerate(found):
        decision = decide(known, {"key": Look(bad)}, after(minute))
        known = {name: note for name, note in (known | decision.notes).items() if name not in decision.over}
        began = (began or after(minute)) if bad else None
        assert (known["key"].since if "key" in known else None) == began


@pytest.fixture
def own(door: Door) -> Iterator[UUID]:
    """A tenant's id of this test alone."""
    tenant_id = uuid4()
    yield tenant_id
    with door.platform.control.begin() as connection:
        connection.execute(text("DELETE FROM degradation WHERE tenant_id = :id"), {"id": tenant_id})


def test_the_control_plane_keeps_it_over_restarts(door: Door, own: UUID) -> None:
    control = door.platform.control
    assert degradation.observe(control, {"key": BAD, "worker_bulk": WELL}, AT, own).since == {"key": AT}
    control.dispose()  # what a process knew is gone
    assert degradation.known(control, frozenset({"key", "worker_bulk"}), own) == {"key": AT}
    assert degradation.observe(control, {"key": BAD}, after(90), own).since == {"key": AT}
    assert degradation.observe(control, {"key": WELL}, after(91), own).since == {}
    assert degradation.known(control, frozenset({"key"}), own) == {}
    assert degradation.observe(control, {"key": BAD}, after(92), own).since == {"key": after(92)}


def test_a_tenants_note_is_nobody_elses(door: Door, own: UUID) -> None:
    degradation.observe(door.platform.control, {"key": BAD}, AT, own)
    assert degradation.known(door.platform.control, frozenset({"key"}), uuid4()) == {}
    assert degradation.observe(door.platform.control, {"key": WELL}, AT, uuid4()).since == {}
    assert degradation.known(door.platform.control, frozenset({"key"}), own) == {"key": AT}


def test_a_name_that_is_none_is_refused_by_the_table(door: Door, own: UUID) -> None:
    with pytest.raises(Exception, match="degradation_component_check"):
        degradation.observe(door.platform.control, {"No Name": BAD}, AT, own)
