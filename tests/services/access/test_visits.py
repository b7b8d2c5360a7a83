"""When a visit ends, and since when something is new to a person."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workreef_app.services.access import visits
from workreef_app.services.access.visits import BREAK, Visit, decide
from workreef_app.services.door import Caller, Door
from workreef_app.services.tenancy.platform import Tenant

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
steps = st.lists(st.timedeltas(timedelta(), timedelta(days=3)), max_size=30)


def test_the_first_visit_has_none_before_it() -> None:
    assert decide(None, None, NOON) == Visit(NOON, None)


@pytest.mark.parametrize(("later", "previous_end"), [
    (timedelta(), None), (BREAK - SECOND, None), (BREAK, NOON), (BREAK + SECOND, NOON), (timedelta(days=400), NOON),
])
def test_a_visit_ends_after_half_an_hour_with_its_last_activity(
    later: timedelta, previous_end: datetime | None
) -> None:
    assert decide(NOON, None, NOON + later) == Visit(NOON + later, previous_end)


def test_a_clock_that_runs_backwards_takes_nothing_back() -> None:
    before = NOON - timedelta(days=1)
    assert decide(NOON, before, NOON - timedelta(hours=2)) == Visit(NOON, before)


@given(steps)
def test_of_any_activity_the_last_break_counts(gaps: list[timedelta]) -> None:
    """Against the plain definition: the last activity before the newest break of half an hour."""
    times, visit = [NOON], decide(None, None, NOON)
    for gap in gaps:
        times.append(times[-1] + gap)
        visit = decide(visit.last_seen, visit.previous_end, times[-1])
    ends = [first for first, second in pairwise(times) if second - first >= BREAK]
    assert visit == Visit(times[-1], ends[-1] if ends else None)


@given(steps, st.timedeltas(timedelta(), BREAK - SECOND))
def test_asking_again_in_the_same_visit_gives_the_same_answer(gaps: list[timedelta], later: timedelta) -> None:
    visit, at = decide(None, None, NOON), NOON
    for gap in gaps:
        at += gap
        visit = decide(visit.last_seen, visit.previous_end, at)
    assert decide(visit.last_seen, visit.previous_end, at + later).previous_end == visit.previous_end


@pytest.fixture
def ann(tenant: Tenant, clock: Any, person: Callable[..., Caller]) -> Caller:
    return person(tenant, ["operator", "change_leader"], ["claims"])


def previous_end(door: Door, caller: Caller) -> datetime | None:
    end: datetime | None = door.perform(caller, "digest.read", {}).since.at
    return end


def test_signing_in_begins_the_first_visit_and_reading_on_keeps_it(door: Door, clock: Any, ann: Caller) -> None:
    for _ in range(5):
        assert previous_end(door, ann) is None
        clock.turn(minutes=29)
    assert previous_end(door, ann) is None


def test_the_next_visit_knows_when_the_last_one_ended_and_keeps_it(door: Door, clock: Any, ann: Caller) -> None:
    clock.turn(minutes=20)
    previous_end(door, ann)
    ended = clock.now
    clock.turn(hours=3)
    for _ in range(4):
        assert previous_end(door, ann) == ended
        clock.turn(minutes=25)


def test_a_page_that_polls_does_not_keep_a_visit_going(door: Door, clock: Any, ann: Caller) -> None:
    clock.turn(minutes=2)
    previous_end(door, ann)
    ended = clock.now
    for _ in range(40):
        clock.turn(minutes=1)
        door.perform(ann, "me.read", {})
    assert previous_end(door, ann) == ended


def test_two_browsers_of_a_person_are_one_visit(
    door: Door, tenant: Tenant, clock: Any, person: Callable[..., Caller], browser: Callable[[Tenant], Caller]
) -> None:
    one = person(tenant, ["operator"], ["claims"], email="two@acme.test")
    clock.turn(minutes=25)
    granted = door.perform(
        browser(tenant), "sessions.start", {"email": "two@acme.test", "password": "correct horse battery staple"}
    )
    clock.turn(minutes=25)
    assert previous_end(door, one) is None
    two = type(one)(tenant, "two", host=one.host, token=granted.token)
    assert previous_end(door, two) is None


def test_the_command_line_has_no_visits(door: Door, ann: Caller, cli: Callable[[Tenant], Caller]) -> None:
    clock_end = door.perform(cli(ann.tenant), "digest.read", {}).since
    assert clock_end.at is None


def test_nobody_sees_another_persons_visits(
    door: Door, ann: Caller, person: Callable[..., Caller]
) -> None:
    other = person(ann.tenant, ["operator"], ["claims"])
    known, mine = door.actor(other), door.actor(ann)
    assert known is not None
    assert mine is not None
    with door.platform.unit_of_work(ann.tenant, known[0]) as session:
        assert session.get(visits.PersonVisit, mine[0].person_id) is None
        assert session.get(visits.PersonVisit, known[0].person_id) is not None


def test_what_is_new_is_what_its_lists_hold(
    door: Door, tenant: Tenant, clock: Any, ann: Caller, person: Callable[..., Caller], import_lines: Any, line: Any
) -> None:
    import_lines(tenant, [line(f"claim {n} was rejected", n * 1440) for n in range(10)], "claims")
    other = person(tenant, ["change_leader"])
    clock.turn(minutes=5)
    door.perform(ann, "digest.read", {})
    clock.turn(hours=8)
    import_lines(tenant, [line(f"gate {n} is stuck", n * 1440) for n in range(10)], "claims", name="gate.log")
    rows = door.perform(other, "proposals.list", {}).rows
    for row in rows:
        door.perform(other, "proposals.decide", {"proposal_id": row.proposal_id, "choice": "accept"})
    since = door.perform(ann, "digest.read", {}).since
    assert since.at is not None
    at = since.at.isoformat()
    assert since.tasks == door.perform(ann, "tasks.list", {"since": at}).count == 1
    assert since.proposals == door.perform(ann, "proposals.list", {"since": at, "status": "open"}).count == 0
    assert since.decided == door.perform(ann, "proposals.list", {"decided_since": at}).count == len(rows) == 2
    assert since.imports == door.perform(ann, "imports.list", {"since": at}).count == 1
    assert [row.file_name for row in door.perform(ann, "imports.list", {"since": at}).rows] == ["gate.log"]
    mine = door.perform(other, "proposals.list", {"decided_since": at})
    assert mine.count == 0, "what one decided oneself is no news"
