"""The status page: what needs somebody first, then what works, then the jobs."""

from __future__ import annotations

import reflex as rx

from workreef_app.pages.filters import fixed_filter
from workreef_app.pages.ui import (
    Column,
    badge,
    button,
    data_table,
    link,
    mono,
    none_match,
    none_yet,
    page_header,
    pager,
    section,
)
from workreef_app.pages.ui.progress import progress_bar
from workreef_app.pages.ui.ticker import Ticker
from workreef_app.state.admin import ComponentLine, StatusState
from workreef_app.state.jobs import JobLine, JobsState

#: How often an open page looks again.
TICK_MS = 4000
STATUSES = (
    ("running", "Running"), ("queued", "Waiting"), ("failed", "Failed"), ("quarantined", "In quarantine"),
    ("cancelled", "Cancelled"), ("done", "Done"),
)
COLUMNS = (
    Column("Job"), Column("Status"), Column("How far", wide=True), Column("Went wrong"), Column("Began"),
    Column("Ended"), Column("Do"),
)


def status_page() -> rx.Component:
    """The content of `/admin/status`."""
    return rx.fragment(
        Ticker.create(interval_ms=TICK_MS, active=True, on_tick=StatusState.tick),
        page_header(
            "Status",
            # Told anew whenever it changes while the page is open.
            lead=rx.el.span(
                badge(StatusState.worst, _overall()), " ", StatusState.said, role="status", class_name="wr-row"
            ),
            as_of=rx.cond(StatusState.stale, "Not answered since ", "As of ") + StatusState.as_of,
        ),
        rx.cond(
            StatusState.trouble.length() > 0,
            section("Needs somebody", _parts(StatusState.trouble)),
        ),
        section("Everything else", _parts(StatusState.well)),
        _jobs(),
    )


def _overall() -> rx.Var[str]:
    return rx.match(
        StatusState.worst, ("broken", "Broken"), ("attention", "Attention"), ("proven", "All works"), "Not known"
    )


def _parts(parts: rx.Var[list[ComponentLine]]) -> rx.Component:
    return rx.el.ul(rx.foreach(parts, _part), class_name="wr-parts")


def _part(part: rx.Var[ComponentLine]) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.el.h3(part.name), badge(part.state, part.word),
            rx.el.span(part.since, class_name="wr-quiet"), class_name="wr-row",
        ),
        rx.el.p(part.what),
        rx.cond(part.cure != "", rx.el.p(rx.el.strong("What to do: "), part.cure)),
        rx.cond(part.command != "", rx.el.p(mono(part.command))),
        rx.cond(part.href != "", rx.el.p(link(part.href_text, part.href))),
        class_name="wr-card wr-part",
    )


def _jobs() -> rx.Component:
    return section(
        "Jobs",
        rx.cond(
            JobsState.total > 0,
            rx.fragment(
                rx.el.div(
                    rx.el.p(
                        rx.el.strong(JobsState.count), " · ", JobsState.summary,
                        " · those that need somebody first, then the newest", class_name="wr-quiet",
                    ),
                    link("Download as CSV, times in UTC", JobsState.csv_href, download=True),
                    class_name="wr-list-head",
                ),
                data_table("Jobs, those that need somebody first", COLUMNS, JobsState.rows, _cells),
                pager(first_href=JobsState.first_href, next_href=JobsState.next_href),
            ),
            rx.cond(
                JobsState.status != "", none_match("No job stands so.", "/admin/status#jobs"),
                none_yet("No job yet.", "Imports, nightly digests and deliveries of alarms are jobs."),
            ),
        ),
        aside=fixed_filter("Status", JobsState.status, STATUSES, JobsState.choose),
        name="jobs",
    )


def _cells(job: rx.Var[JobLine]) -> list[rx.Component | rx.Var[str]]:
    return [
        rx.cond(job.href != "", link(job.name, job.href), link(job.name, job.audit_href)),
        badge(job.state, job.word),
        rx.el.div(
            rx.cond(
                job.percent >= 0,
                progress_bar(job.name + ", how far", job.percent, job.said),
            ),
            rx.cond(job.said != "", rx.el.span(job.said), rx.el.span("–")),
        ),
        job.tries, job.began, job.ended,
        rx.el.div(
            rx.cond(
                job.may_retry,
                button("Retry", on_click=JobsState.retry(job.id), aria_label="Retry: " + job.name),
            ),
            rx.cond(
                job.may_cancel,
                button("Cancel", on_click=JobsState.cancel(job.id), aria_label="Cancel: " + job.name),
            ),
            rx.cond(~job.may_retry & ~job.may_cancel, rx.el.span("–")),
            class_name="wr-row",
        ),
    ]
