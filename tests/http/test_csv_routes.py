"""Lists as CSV: the rows that the list operation gives, harmless in a spreadsheet, each page audited."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.serving import import_lines, lines
from tests.web import Chain, Site
from workreef_app.http import context, csv_routes
from workreef_app.http.csv_routes import LISTINGS, cell
from workreef_app.services.door import Caller, Door
from workreef_app.services.operation import REGISTRY, Limited
from workreef_app.services.recommend.models import Recommendation
from workreef_app.services.tenancy.platform import Tenant


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_begins_a_formula(begin: str) -> None:
    assert cell(f"{begin}cmd|' /C calc'!A0") == f"'{begin}cmd|' /C calc'!A0"
    assert cell([f"{begin}1", "2"]) == f"'{begin}1; 2"


@given(st.text())
def test_a_cell_is_its_text_or_quoted_text(text: str) -> None:
    shown = cell(text)
    assert shown.removeprefix("'") == text.removeprefix("'") or shown == f"'{text}"
    assert not shown.startswith(("=", "+", "-", "@", "\t", "\r"))


def test_cells_of_other_kinds() -> None:
    at = datetime(2026, 11, 14, 21, 19, tzinfo=UTC)
    assert [cell(value) for value in (None, 0, Recommendation.DO_NOW, ["a", "b"], [], at)] == [
        "", "0", "do_now", "a; b", "", "2026-11-14T21:19:00+00:00"
    ]
    assert cell(at.astimezone(timezone(timedelta(hours=5, minutes=45)))) == cell(at), "times are in UTC"


def test_every_listing_is_of_an_operation_whose_rows_have_its_columns() -> None:
    for listing in LISTINGS.values():
        page = REGISTRY[listing.operation].result
        row = page.model_fields["rows"].annotation.__args__[0]
        assert set(listing.columns) <= set(row.model_fields)


@pytest.fixture
def operator(door: Door, tenant: Tenant, cli: Callable[[Tenant], Caller], person: Callable[..., Caller]) -> Caller:
    """An operator of a department in which a log was imported, one of its lines a formula."""
    caller = person(tenant, ["operator"], ["claims"])
    person(tenant, ["operator"], ["yard"])
    for department in ("claims", "yard"):
        batch = lines("health", department, 60)
        for i, line in enumerate(batch):
            if i % 2:
                line["message"] = f"=HYPERLINK failed for {department}"
        import_lines(door, cli(tenant), department, batch)
    return caller


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.parametrize("name", ["tasks", "proposals"])
def test_a_list_is_what_its_operation_gives(
    name: str, site: Site, door: Door, tenant: Tenant, operator: Caller, chain: Callable[[Tenant], Chain],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    expected = door.perform(operator, f"{name}.list", {"limit": 200}).rows
    assert len(expected) > 2
    short = csv_routes.Listing(f"{name}.list", csv_routes.WORK_COLUMNS, 2, "after", lambda page: page.next)
    monkeypatch.setattr(csv_routes, "LISTINGS", {**LISTINGS, name: short})
    watched = chain(tenant)
    answer = site.get(tenant, f"/export/{name}.csv", operator)
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["content-disposition"].startswith(f'attachment; filename="{name}-{tenant.info.slug}-')
    rows = table(answer.text)
    assert [row["task_id"] for row in rows] == [str(row.task_id) for row in expected]
    assert any(row["title"].startswith("'=HYPERLINK") for row in rows)
    assert {row["department"] for row in rows} == {"Claims"}
    reads = [entry.facts for entry in watched.new()]
    assert [fact["event"] for fact in reads] == ["data.read"] * ((len(expected) + 1) // 2)
    assert sum(fact["detail"]["rows"] for fact in reads) == len(expected)


def test_filters_are_the_pages_own(site: Site, tenant: Tenant, operator: Caller) -> None:
    some = table(site.get(tenant, "/export/tasks.csv?recommendation=later&status=&department=claims", operator).text)
    assert {row["recommendation"] for row in some} <= {"later"}
    assert table(site.get(tenant, "/export/tasks.csv?department=yard", operator).text) == []
    entries = table(site.get(tenant, "/export/audit.csv?event=import.finished", operator).text)
    assert {entry["event"] for entry in entries} == {"import.finished"}


@pytest.mark.parametrize("query", ["limit=1", "odd=1", "status=odd", "after=~"])
def test_what_is_no_filter_is_refused_before_anything_is_sent(
    query: str, site: Site, tenant: Tenant, operator: Caller
) -> None:
    answer = site.get(tenant, f"/export/tasks.csv?{query}", operator)
    assert answer.status_code == 422
    assert "task_id" not in answer.text


def test_who_may_not_read_the_list_gets_nothing(
    site: Site, tenant: Tenant, operator: Caller, person: Callable[..., Caller]
) -> None:
    assert site.get(tenant, "/export/tasks.csv", person(tenant, ["contributor"], ["claims"])).status_code == 403
    assert site.get(tenant, "/export/tasks.csv").status_code == 303
    assert site.get(tenant, "/export/odd.csv", operator).status_code == 404
    foreign = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    assert site.get(tenant, "/export/tasks.csv", operator, headers=foreign).status_code == 403


def test_a_used_up_limit_is_waited_out_once_the_file_has_begun(
    site: Site, tenant: Tenant, operator: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []
    refusals = [Limited("Too many requests.", retry_after=7)]
    real = context.perform

    async def limited(request: object, name: str, payload: dict[str, object]) -> object:
        if "after" in payload and refusals:
            raise refusals.pop()
        return await real(request, name, payload)  # type: ignore[arg-type]

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr(context, "perform", limited)
    monkeypatch.setattr(context.anyio, "sleep", sleep)
    monkeypatch.setattr(csv_routes, "LISTINGS", {
        "tasks": csv_routes.Listing("tasks.list", csv_routes.WORK_COLUMNS, 2, "after", lambda page: page.next)
    })
    assert len(table(site.get(tenant, "/export/tasks.csv", operator).text)) > 2
    assert waited == [7]


@pytest.mark.parametrize(("name", "filter_name"), [("jobs", "status"), ("alarms", "state")])
def test_jobs_and_alarms_are_what_their_lists_give(
    name: str, filter_name: str, site: Site, door: Door, tenant: Tenant, cli: Callable[[Tenant], Caller],
    person: Callable[..., Caller], operator: Caller,
) -> None:
    admin = person(tenant, ["admin"])
    door.perform(Caller(tenant, "test", system="watch"), "alarms.raise", {
        "kind": "workers_missing", "subject": "queue:bulk",
    })
    expected = door.perform(admin, f"{name}.list", {"limit": 200}).rows
    assert expected
    rows = table(site.get(tenant, f"/export/{name}.csv", admin).text)
    assert [row["id"] for row in rows] == [str(row.id) for row in expected]
    stands = getattr(expected[0], filter_name).value
    some = table(site.get(tenant, f"/export/{name}.csv?{filter_name}={stands}", admin).text)
    assert {row[filter_name] for row in some} == {stands}
    contributor = person(tenant, ["contributor"], ["claims"])
    assert site.get(tenant, f"/export/{name}.csv", contributor).status_code == 403
