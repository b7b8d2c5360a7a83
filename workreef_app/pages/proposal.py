"""One proposal: what it is, what shows it, how it measures, what people decided, and the decision itself."""

from __future__ import annotations

import reflex as rx

from workreef_app.pages.tasks import evidence
from workreef_app.pages.ui import (
    action_bar,
    badge,
    button,
    empty_state,
    link,
    measure_bar,
    page_header,
    recommendation,
    section,
)
from workreef_app.state.proposal import ProposalState
from workreef_app.state.rows import DecisionLine


def proposal_page() -> rx.Component:
    """The content of `/proposals/[proposal_id]`."""
    row = ProposalState.row
    return rx.fragment(
        page_header(
            row.title,
            lead=rx.el.span(recommendation(row.recommendation), rx.el.span(" ", row.reason), class_name="wr-row"),
            as_of="Data as of " + row.as_of,
        ),
        rx.el.div(
            _decide(),
            rx.el.div(
                section(
                    "Evidence",
                    rx.el.p(ProposalState.confirmation, " ", link("The task and its rows", row.rows_href)),
                    rx.el.div(
                        rx.foreach(ProposalState.evidence, lambda e: evidence(e, row.rows_href)), class_name="wr-grid"
                    ),
                ),
                _measures(),
                _analysis(),
                _panel(),
                _history(),
                class_name="wr-beside",
            ),
            class_name="wr-decide-frame",
        ),
    )


def _decide() -> rx.Component:
    open_to = ProposalState.can_accept | ProposalState.can_return | ProposalState.can_decline
    return rx.el.section(
        rx.el.h2("Decision"),
        rx.cond(
            open_to,
            rx.fragment(
                rx.el.label(
                    rx.el.span("Reason"),
                    # Kept when the field is left, which is before any button acts; a decision clears it.
                    rx.el.textarea(
                        default_value="", key=ProposalState.decisions.length(), on_blur=ProposalState.set_reason,
                        rows="3", max_length=500, aria_describedby="reason-rule",
                        aria_invalid=ProposalState.reason_missing, custom_attrs={"data-draft": "reason"},
                    ),
                    class_name="wr-filter wr-reason",
                ),
                rx.el.p("Needed to return or decline; up to 500 characters.", id="reason-rule", class_name="wr-quiet"),
                action_bar(
                    rx.cond(ProposalState.can_accept, button(
                        "Accept", kind="primary", on_click=ProposalState.decide("accept"))),
                    rx.cond(ProposalState.can_return, button(
                        "Return with a question", on_click=ProposalState.decide("return"))),
                    rx.cond(ProposalState.can_decline, button(
                        "Decline", kind="danger", on_click=ProposalState.decide("decline"))),
                ),
            ),
            rx.el.p("This proposal is ", rx.el.strong(ProposalState.row.status), ". Last change: ",
                    ProposalState.updated_at, ". There is nothing for you to decide."),
        ),
        class_name="wr-card wr-decide",
        aria_label="Decision",
    )


def _measures() -> rx.Component:
    row = ProposalState.row
    return section(
        "Measures",
        rx.el.div(
            measure_bar(
                "Recurrence", ProposalState.days_share, ProposalState.days_text,
                threshold=ProposalState.days_threshold, threshold_text="a pilot needs " + ProposalState.threshold_days,
                note=row.recurs,
            ),
            measure_bar(
                "Uniformity", ProposalState.alike_share, row.alike, known=row.alike_known,
                threshold=ProposalState.alike_threshold,
                threshold_text="a pilot needs " + ProposalState.threshold_alike,
                note="Share of the lines' words that are the same in all of them",
            ),
            measure_bar(
                "Handler consistency", ProposalState.handling_share, row.handling, known=row.handling_known,
                threshold=ProposalState.handling_threshold,
                threshold_text="do now needs " + ProposalState.threshold_handling,
                note="A log names no handler, so this is not known.",
            ),
            class_name="wr-grid",
        ),
        aside=link("Rows behind the numbers", row.rows_href),
    )


def _analysis() -> rx.Component:
    return section(
        "Analysis",
        rx.el.p(ProposalState.analysis),
        rx.el.ul(rx.foreach(ProposalState.points, rx.el.li), class_name="wr-bullets"),
        rx.el.h3("Not known"),
        rx.el.ul(rx.foreach(ProposalState.unknown, rx.el.li), class_name="wr-bullets"),
        aside=rx.el.span(badge("unknown", "Heuristic"), " made ", ProposalState.analysed_at, class_name="wr-quiet"),
    )


def _panel() -> rx.Component:
    return section(
        "Votes",
        empty_state(
            "none_yet", "No panel has voted.", "Without a formed panel that agrees, nothing is more than a pilot."
        ),
    )


def _history() -> rx.Component:
    return section(
        "History",
        rx.cond(
            ProposalState.decisions.length() > 0,
            rx.el.ol(rx.foreach(ProposalState.decisions, _decision), class_name="wr-list"),
            empty_state("none_yet", "No decision yet.", "Who decided what, when and why will stand here."),
        ),
    )


def _decision(line: rx.Var[DecisionLine]) -> rx.Component:
    return rx.el.li(
        rx.el.p(rx.el.strong(line.person), " ", line.choice, " it · ", line.at),
        rx.cond(line.reason != "", rx.el.p("“", line.reason, "”")),
        class_name="wr-card",
    )
