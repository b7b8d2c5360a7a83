"""Tasks and proposals through the door: how they are found, renewed and decided, and by whom."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from workreef_app.services.door import Caller, Door
from workreef_app.services.operation import Conflict, Invalid, NotFound, WrongPersona
from workreef_app.services.tenancy.platform import Tenant

Cli = Callable[[Tenant], Caller]
pytestmark = pytest.mark.usefixtures("fresh_limits")
DAY = 1440


@pytest.fixture
def lead(shared: Tenant, own_department: str, person: Any) -> Caller:
    """The lead of a department of this test alone."""
    return person(shared, ["dept_lead"], [own_department])  # type: ignore[no-any-return]


@pytest.fixture
def proposal(door: Door, shared: Tenant, own_department: str, lead: Caller, import_lines: Any, line: Any) -> Any:
    """An open proposal of that department, as its lead reads it."""
    import_lines(shared, [line(f"claim {n} was rejected", n * DAY) for n in range(10)], own_department)
    (row,) = door.perform(lead, "proposals.list", {}).rows
    return door.perform(lead, "proposals.read", {"proposal_id": row.proposal_id})


def choose(door: Door, caller: Caller, proposal: Any, choice: str, reason: str = "Because.") -> Any:
    payload = {"proposal_id": proposal.row.proposal_id, "choice": choice, "reason": reason}
    return door.perform(caller, "proposals.decide", payload)


def again(door: Door, caller: Caller, proposal: Any) -> Any:
    return door.perform(caller, "proposals.read", {"proposal_id": proposal.row.proposal_id})


def test_a_proposal_has_its_evidence_analysis_and_limits(proposal: Any) -> None:
    row = proposal.row
    assert (row.title, row.times, row.days, row.uniformity, row.handling) == ("claim … was rejected", 10, 10, 750, None)
    assert (row.recommendation, row.reason, row.status) == ("pilot", "handling_unknown", "open")
    assert (proposal.evidence[0].times, proposal.evidence[0].samples) == (10, ["claim <*> was rejected"])
    assert proposal.analysis.kind == "heuristic"
    assert "Seen 10 times on 10 days" in proposal.analysis.summary
    assert (proposal.thresholds.min_days, proposal.thresholds.min_uniformity) == (3, 500)
    assert (proposal.choices, proposal.decisions) == (["accept", "return", "decline"], [])


@pytest.mark.parametrize(("message", "recommendation", "reason"), [
    ("disk {n} is full", "pilot", "handling_unknown"),
    ("session {n} opened", "later", "routine"),
    ("lab result {n} failed", "human_only", "compliance_veto"),
    ("patient {n} came", "human_only", "compliance_veto"),
    ("error {n} {n} {n} {n}", "later", "too_varied"),
])
def test_recommendations_of_real_lines(
    door: Door, tenant: Tenant, cli: Cli, import_lines: Any, line: Any, message: str, recommendation: str, reason: str
) -> None:
    import_lines(tenant, [line(message.format(n=n), n * DAY) for n in range(6)])
    (row,) = door.perform(cli(tenant), "proposals.list", {}).rows
    assert (row.recommendation, row.reason) == (recommendation, reason)


def test_thresholds_are_the_tenants_own(
    door: Door, tenant: Tenant, cli: Cli, import_lines: Any, line: Any
) -> None:
    lines = [line(f"disk {n} is full", n * DAY) for n in range(4)]
    assert import_lines(tenant, lines).new_tasks == 0
    door.perform(cli(tenant), "settings.change", {"name": "signals.min_times", "number": 4})
    door.perform(cli(tenant), "settings.change", {"name": "recommend.min_days", "number": 5})
    assert import_lines(tenant, lines).new_tasks == 1
    (row,) = door.perform(cli(tenant), "proposals.list", {}).rows
    assert (row.recommendation, row.reason) == ("later", "recurs_too_little")
    door.perform(cli(tenant), "settings.change", {"name": "recommend.min_days", "number": 4})
    assert import_lines(tenant, lines).new_tasks == 0
    (row,) = door.perform(cli(tenant), "proposals.list", {}).rows
    assert (row.recommendation, row.reason) == ("pilot", "handling_unknown")


@pytest.mark.parametrize(("choices", "status", "left"), [
    (["accept"], "accepted", []), (["decline"], "declined", []), (["return"], "returned", ["accept", "decline"]),
    (["return", "accept"], "accepted", []), (["return", "decline"], "declined", []),
])
def test_what_is_decided_stands_with_who_and_why(
    door: Door, lead: Caller, proposal: Any, shared: Tenant, log: Any, choices: list[str], status: str, left: list[str]
) -> None:
    for choice in choices:
        decided = choose(door, lead, proposal, choice, f"{choice} because")
    assert decided.status == status
    now = again(door, lead, proposal)
    assert (now.row.status, now.choices) == (status, left)
    assert [(d.choice, d.reason, d.person.startswith("Person ")) for d in now.decisions] == [
        (choice, f"{choice} because", True) for choice in choices
    ]
    target = f"proposal:{proposal.row.proposal_id}"
    told = [entry for entry in log(shared) if entry[0] == "proposal.decided" and entry[2] == target]
    me = door.perform(lead, "me.read", {}).person_id
    assert told == [("proposal.decided", f"person:{me}", target)] * len(choices)


@pytest.mark.parametrize("choice", ["accept", "decline"])
@pytest.mark.parametrize("replay", ["accept", "return", "decline"])
def test_what_is_settled_is_not_decided_again(
    door: Door, lead: Caller, proposal: Any, shared: Tenant, log: Any, choice: str, replay: str
) -> None:
    choose(door, lead, proposal, choice)
    before = log(shared)
    with pytest.raises(Conflict, match="already") as refused:
        choose(door, lead, proposal, replay)
    assert refused.value.status == 409
    assert log(shared) == before
    assert len(again(door, lead, proposal).decisions) == 1


def test_a_returned_proposal_is_not_returned_again(door: Door, lead: Caller, proposal: Any) -> None:
    choose(door, lead, proposal, "return")
    with pytest.raises(Conflict):
        choose(door, lead, proposal, "return")


def test_of_many_decisions_at_once_one_stands(door: Door, lead: Caller, proposal: Any) -> None:
    def attempt(choice: str) -> bool:
        try:
            choose(door, lead, proposal, choice)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(attempt, ["accept", "decline"] * 3)) == 1
    assert len(again(door, lead, proposal).decisions) == 1


@pytest.mark.parametrize("reason", ["", "   ", "\n\t"])
def test_returning_and_declining_need_a_reason_and_accepting_none(
    door: Door, lead: Caller, proposal: Any, reason: str
) -> None:
    for choice in ("return", "decline"):
        with pytest.raises(Invalid) as refused:
            choose(door, lead, proposal, choice, reason)
        assert "reason" in refused.value.fields
    assert choose(door, lead, proposal, "accept", reason).status == "accepted"


def test_a_reason_has_a_length_and_any_characters(door: Door, lead: Caller, proposal: Any) -> None:
    with pytest.raises(Invalid):
        choose(door, lead, proposal, "return", "x" * 501)
    choose(door, lead, proposal, "return", "𝄞" * 500)
    assert again(door, lead, proposal).decisions[0].reason == "𝄞" * 500


def test_a_proposal_out_of_scope_is_not_found_and_the_attempt_is_told(
    door: Door, shared: Tenant, proposal: Any, person: Any, log: Any
) -> None:
    stranger = person(shared, ["operator"], ["yard"])
    with pytest.raises(NotFound) as refused:
        choose(door, stranger, proposal, "accept")
    assert refused.value.status == 404
    me = door.perform(stranger, "me.read", {}).person_id
    assert log(shared)[-1] == ("scope.denied", f"person:{me}", f"proposal:{proposal.row.proposal_id}")


@pytest.mark.parametrize("persona", ["contributor", "admin", "security_reviewer"])
def test_only_operators_leads_and_change_leaders_decide(
    door: Door, shared: Tenant, proposal: Any, person: Any, lead: Caller, log: Any, persona: str, own_department: str
) -> None:
    caller = person(shared, [persona], [own_department])
    with pytest.raises(WrongPersona):
        choose(door, caller, proposal, "accept")
    assert log(shared)[-1][0] == "scope.denied"
    assert again(door, lead, proposal).row.status == "open"


@pytest.mark.parametrize("personas", [["operator"], ["change_leader"], ["contributor", "operator"]])
def test_these_do(
    door: Door, shared: Tenant, proposal: Any, person: Any, personas: list[str], own_department: str
) -> None:
    caller = person(shared, personas, [own_department])
    assert choose(door, caller, proposal, "accept").status == "accepted"


def test_the_command_line_decides_nothing_and_is_offered_nothing(
    door: Door, shared: Tenant, proposal: Any, cli: Cli
) -> None:
    with pytest.raises(WrongPersona):
        choose(door, cli(shared), proposal, "accept")
    assert again(door, cli(shared), proposal).choices == []


@pytest.mark.parametrize(("choice", "renewed"), [
    (None, True), ("return", True), ("accept", False), ("decline", False),
])
def test_what_a_person_settled_keeps_the_analysis_that_they_saw(
    door: Door, shared: Tenant, lead: Caller, proposal: Any, import_lines: Any, line: Any,
    choice: str | None, renewed: bool, own_department: str
) -> None:
    if choice:
        choose(door, lead, proposal, choice)
    import_lines(shared, [line(f"claim {n} was rejected", n * DAY) for n in range(20)], own_department)
    now = again(door, lead, proposal)
    assert now.row.times == 20
    assert ("Seen 20 times" in now.analysis.summary) == renewed
    assert (now.analysis == proposal.analysis) == (not renewed)
    assert (now.row.score > proposal.row.score) == renewed
    status = {None: "open", "return": "returned", "accept": "accepted", "decline": "declined"}
    assert now.row.status == status[choice]


def test_an_import_that_changes_nothing_renews_nothing(
    door: Door, shared: Tenant, lead: Caller, proposal: Any, import_lines: Any, line: Any, sql_as_owner: Any,
    own_department: str,
) -> None:
    done = import_lines(shared, [line(f"claim {n} was rejected", n * DAY) for n in range(10)], own_department)
    assert (done.added, done.new_tasks) == (0, 0)
    assert again(door, lead, proposal).analysis == proposal.analysis
    with sql_as_owner(shared) as owner:
        counted = owner.execute("SELECT count(*) FROM analysis WHERE task_id = %s", (proposal.row.task_id,))
        assert counted.fetchone() == (1,)


def test_lists_are_paged_best_first_and_lose_no_row(
    door: Door, tenant: Tenant, cli: Cli, import_lines: Any, line: Any
) -> None:
    kinds = ("disk", "fan", "pump", "valve", "clock", "queue", "mailer")
    import_lines(tenant, [
        line(f"{kind} unit {n} failed {'now ' * place}", n * DAY) for place, kind in enumerate(kinds)
        for n in range(5 + place)
    ])
    whole = door.perform(cli(tenant), "tasks.list", {}).rows
    assert len(whole) == len(kinds)
    assert [row.score for row in whole] == sorted((row.score for row in whole), reverse=True)
    pages, after = [], ""
    while True:
        page = door.perform(cli(tenant), "tasks.list", {"limit": 3, "after": after})
        assert page.count == len(kinds)
        pages, after = [*pages, *page.rows], page.next
        if not after:
            break
    assert pages == whole


@pytest.mark.parametrize("after", ["x", "1~x", "~", "1.5~01a20a83-dfc3-7705-a49d-d91fbcf6bb17", "1", "1~2~3",
                                   "9" * 60 + "~01a20a83-dfc3-7705-a49d-d91fbcf6bb17"])
@pytest.mark.parametrize("name", ["tasks.list", "proposals.list"])
def test_a_position_that_is_none_is_refused(
    door: Door, standing: list[Tenant], cli: Cli, name: str, after: str
) -> None:
    with pytest.raises(Invalid):
        door.perform(cli(standing[0]), name, {"after": after})


def test_lists_are_filtered(
    door: Door, shared: Tenant, cli: Cli, proposal: Any, lead: Caller, own_department: str
) -> None:
    def count(department: str = own_department, **filters: Any) -> int:
        filters["department"] = department
        return int(door.perform(cli(shared), "proposals.list", filters).count)

    assert (count(), count("nowhere")) == (1, 0)
    assert (count(recommendation="pilot"), count(recommendation="do_now")) == (1, 0)
    assert (count(status="open"), count(status="accepted")) == (1, 0)
    choose(door, lead, proposal, "accept")
    assert (count(status="open"), count(status="accepted")) == (0, 1)
    assert (count(since="2000-01-01T00:00:00Z"), count(since="2200-01-01T00:00:00Z")) == (1, 0)
