"""The digest: what needs the reader first, then what is new, then the opportunities."""

from __future__ import annotations

import reflex as rx

from workreef_app.pages.filters import select_filter
from workreef_app.pages.ui import (
    badge,
    empty_state,
    link,
    none_match,
    none_yet,
    page_header,
    recommendation,
    section,
    stat,
)
from workreef_app.state.rows import WorkRow
from workreef_app.state.shell import ShellState
from workreef_app.state.work import DigestState, News


def digest_page() -> rx.Component:
    """The content of `/`."""
    return rx.fragment(
        page_header(
            DigestState.greeting,
            lead="What needs you first, then what the sources show.",
            as_of=rx.cond(DigestState.sources > 0, "Data as of " + DigestState.as_of, ""),
        ),
        _inference(),
        _needs_you(),
        _since(),
        _recently(),
        _opportunities(),
    )


def _inference() -> rx.Component:
    return rx.el.div(
        badge("unknown", "No model"),
        rx.el.span("No model is connected, so analyses are heuristic: made from counts alone."),
        class_name="wr-note",
    )


def _needs_you() -> rx.Component:
    return section(
        "Needs you",
        rx.cond(
            (DigestState.to_review > 0) | (ShellState.alarms > 0),
            rx.el.div(
                rx.cond(
                    DigestState.to_review > 0,
                    rx.fragment(
                        stat("To review", DigestState.to_review.to_string(), unit=DigestState.to_review_unit,
                             window="open", as_of=DigestState.read_at, href=DigestState.review_href),
                        stat("Of these", DigestState.to_pilot.to_string(), unit="recommended as a pilot",
                             window="open", as_of=DigestState.read_at, href=DigestState.pilot_href),
                    ),
                ),
                rx.cond(
                    ShellState.alarms > 0,
                    stat("Alarms", ShellState.alarms.to_string(), unit=ShellState.alarms_unit, window="open",
                         as_of=DigestState.read_at, href="/alarms?state=open"),
                ),
                class_name="wr-grid",
            ),
            empty_state("none_yet", "Nothing waits for you.", "New proposals appear here when a source shows them."),
        ),
    )


def _since() -> rx.Component:
    return section(
        rx.cond(DigestState.last_visit != "", "Since " + DigestState.last_visit, "Since your last visit"),
        rx.cond(
            DigestState.last_visit != "",
            rx.el.ul(rx.foreach(DigestState.news, _news), class_name="wr-news"),
            rx.el.p("This is your first visit. From the next one on, what came in between stands here."),
        ),
    )


def _news(news: rx.Var[News]) -> rx.Component:
    return rx.el.li(link(news.text, news.href))


def _recently() -> rx.Component:
    return section(
        "In the last 7 days",
        rx.el.p(
            link(DigestState.new_tasks, DigestState.new_href), " since ", DigestState.new_since, " · ",
            link(DigestState.tasks_text, DigestState.tasks_href), " in all · ",
            link(DigestState.sources_text, "/sources"),
        ),
        rx.cond(
            DigestState.latest_text != "",
            rx.el.p("Last import: ", DigestState.latest_text, link(DigestState.latest_tasks, DigestState.latest_href)),
        ),
    )


def _opportunities() -> rx.Component:
    return section(
        "Opportunities",
        rx.cond(
            DigestState.opportunities.length() > 0,
            rx.el.ol(rx.foreach(DigestState.opportunities, _opportunity), class_name="wr-list"),
            rx.cond(
                DigestState.department != "",
                none_match("No opportunities in this department.", "/"),
                none_yet(
                    "No opportunities yet.",
                    "They appear once a log has been imported and something in it recurs.",
                    link("Sources, and how to add one", "/sources"),
                ),
            ),
        ),
        aside=select_filter(
            "Department", DigestState.department, DigestState.departments, DigestState.choose_department
        ),
        name="opportunities",
    )


def _opportunity(row: rx.Var[WorkRow]) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            link(row.title, row.proposal_href, class_name="wr-link wr-row-title"),
            recommendation(row.recommendation),
            class_name="wr-row-head",
        ),
        rx.el.p(
            link(row.recurs, row.rows_href), " · ",
            rx.cond(row.alike_known, row.alike + " alike", "likeness unknown"), " · ",
            rx.cond(row.handling_known, row.handling + " same handling", "handling unknown"),
        ),
        rx.el.p(
            row.department, " · ", row.sources, " · data as of ", row.as_of, class_name="wr-quiet",
        ),
        rx.el.p(rx.el.span("Why here: ", class_name="wr-quiet"), row.reason),
        class_name="wr-card wr-opportunity",
    )
