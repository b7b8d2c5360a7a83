"""Tasks and proposals as lists, and one task with the rows behind its numbers."""

from __future__ import annotations

import reflex as rx

from workreef_app.pages.filters import RECOMMENDATIONS, STATUSES, fixed_filter, select_filter
from workreef_app.pages.ui import (
    Column,
    data_table,
    evidence_card,
    link,
    none_match,
    none_yet,
    page_header,
    pager,
    recommendation,
    section,
)
from workreef_app.state.rows import EvidenceCard, ObservationLine, WorkRow
from workreef_app.state.work import ListState, TaskState

COLUMNS = (
    Column("Task", wide=True), Column("Recommendation"), Column("Status"), Column("Times", number=True),
    Column("Days", number=True), Column("Alike", number=True), Column("Department"), Column("As of"),
)
SORTED = "best first, by recurrence, likeness and handling"
NEXT_STEP = "Tasks appear once a log has been imported and something in it recurs."


def tasks_page() -> rx.Component:
    """The content of `/tasks`."""
    return _list_page("Tasks", "Recurring work that the sources show.", "/tasks", proposals=False)


def proposals_page() -> rx.Component:
    """The content of `/proposals`."""
    lead = "What is recommended for each task, for people to decide."
    return _list_page("Proposals", lead, "/proposals", proposals=True)


def _list_page(title: str, lead: str, path: str, *, proposals: bool) -> rx.Component:
    return rx.fragment(
        page_header(title, lead=lead),
        rx.el.div(
            select_filter("Department", ListState.department, ListState.departments,
                          lambda value: ListState.choose(path, "department", value)),
            fixed_filter("Recommendation", ListState.recommendation, RECOMMENDATIONS,
                         lambda value: ListState.choose(path, "recommendation", value)),
            fixed_filter("Status", ListState.status, STATUSES,
                         lambda value: ListState.choose(path, "status", value)),
            rx.cond(ListState.filtered, link("Clear the filters", path)),
            class_name="wr-filters",
        ),
        rx.cond(
            ListState.total > 0,
            rx.fragment(
                rx.el.div(
                    rx.el.p(rx.el.strong(ListState.count), ListState.since_text, " · ", SORTED, class_name="wr-quiet"),
                    link("Download as CSV, times in UTC", ListState.csv_href, download=True),
                    class_name="wr-list-head",
                ),
                data_table(f"{title}, {SORTED}", COLUMNS, ListState.rows, lambda row: _cells(row, proposals)),
                pager(first_href=ListState.first_href, next_href=ListState.next_href),
            ),
            rx.cond(
                ListState.filtered, none_match(f"No {title.lower()} match.", path),
                none_yet(f"No {title.lower()} yet.", NEXT_STEP),
            ),
        ),
    )


def _cells(row: rx.Var[WorkRow], proposals: bool) -> list[rx.Component | rx.Var[str]]:
    return [
        link(row.title, row.proposal_href if proposals else row.task_href),
        recommendation(row.recommendation), row.status.capitalize(), link(row.times, row.rows_href),
        link(row.days, row.rows_href), row.alike, row.department, row.as_of,
    ]


def task_page() -> rx.Component:
    """The content of `/tasks/[task_id]`."""
    row = TaskState.row
    return rx.fragment(
        page_header(
            row.title,
            lead=rx.el.span(recommendation(row.recommendation), rx.el.span(" ", row.reason), class_name="wr-row"),
            as_of="Data as of " + row.as_of,
            actions=link("Open the proposal", row.proposal_href, class_name="wr-button wr-button-primary"),
        ),
        section(
            "Evidence",
            rx.el.div(rx.foreach(TaskState.evidence, lambda e: evidence(e, "#rows")), class_name="wr-grid"),
        ),
        section(
            "Rows behind the numbers",
            rx.el.p(
                row.recurs, " · ", TaskState.behind, " · like lines of one hour are one observation",
                class_name="wr-quiet",
            ),
            data_table(
                "Observations, newest first",
                (Column("Hour"), Column("Lines", number=True), Column("Summary", wide=True), Column("First–last")),
                TaskState.observations, _observation,
            ),
            pager(first_href=TaskState.first_href, next_href=TaskState.next_href),
            name="rows",
        ),
    )


def _observation(row: rx.Var[ObservationLine]) -> list[rx.Component | rx.Var[str]]:
    return [row.hour, row.lines, rx.el.span(row.summary, class_name="wr-summary"), row.span]


def evidence(card: rx.Var[EvidenceCard], rows_href: str | rx.Var[str]) -> rx.Component:
    """One source's evidence, linked to its rows."""
    return evidence_card(
        card.kind, window=card.window, sample=card.sample, sample_href=rows_href, as_of=card.as_of,
        summaries=card.samples,
    )
