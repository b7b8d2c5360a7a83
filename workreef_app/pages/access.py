"""Who may do what: the access matrix, and for admins who can see a row or run an operation."""

from __future__ import annotations

import reflex as rx

from workreef_app.pages.filters import choice_filter, text_filter
from workreef_app.pages.ui import Column, button, data_table, link, mono, none_match, none_yet, page_header, section
from workreef_app.state.access import (
    KIND_WORDS,
    OPERATIONS,
    PERSONA_CHOICES,
    PERSONA_HEADINGS,
    AccessState,
    OperationLine,
    PersonLine,
)

COLUMNS = (
    Column("Operation", wide=True), *(Column(heading) for heading in PERSONA_HEADINGS), Column("Besides"),
)
PEOPLE = (Column("Who"), Column("Why", wide=True))


def access_page() -> rx.Component:
    """The content of `/access`."""
    return rx.fragment(
        page_header(
            "Access",
            lead="Everything that can be asked of WorkReef, and who may. The list is the one that the server obeys.",
        ),
        rx.el.p("You are here as ", rx.el.strong(AccessState.mine), "."),
        rx.cond(AccessState.may_ask, _questions()),
        _filters(),
        rx.cond(
            AccessState.found > 0,
            rx.fragment(
                rx.el.div(
                    rx.el.p(rx.el.strong(AccessState.count), " · by name", class_name="wr-quiet"),
                    link("Download as CSV", AccessState.csv_href, download=True),
                    class_name="wr-list-head",
                ),
                rx.el.div(
                    data_table("Operations and who may run them, by name", COLUMNS, AccessState.rows, _cells),
                    class_name="wr-matrix",
                ),
            ),
            none_match("No operation matches.", "/access"),
        ),
    )


def _filters() -> rx.Component:
    return rx.el.form(
        choice_filter("Open to", "persona", AccessState.persona, PERSONA_CHOICES),
        text_filter("Holds", "text", AccessState.text, hint="proposal"),
        button("Filter", type="submit"),
        rx.cond(AccessState.filtered, link("Clear the filters", "/access")),
        on_submit=AccessState.search,
        class_name="wr-filters",
        aria_label="Filters",
    )


def _cells(row: rx.Var[OperationLine]) -> list[rx.Component | rx.Var[str]]:
    marks = [_mark(row.marks[number]) for number in range(len(PERSONA_HEADINGS))]
    return [
        rx.el.span(
            mono(row.operation), rx.el.br(), row.summary, rx.el.br(), rx.el.span(row.about, class_name="wr-quiet")
        ),
        *marks, rx.cond(row.besides != "", row.besides, "–"),
    ]


def _mark(word: rx.Var[str]) -> rx.Component:
    return rx.cond(
        word != "",
        rx.el.span(rx.icon("check", size=16, aria_hidden="true"), " ", word, class_name="wr-mark"),
        rx.el.span("–", class_name="wr-quiet"),
    )


def _questions() -> rx.Component:
    return section(
        "Who can",
        rx.el.div(
            rx.el.form(
                rx.el.label(
                    rx.el.span("Run this operation", class_name="wr-quiet"),
                    rx.el.input(
                        name="operation", list="wr-operations", default_value=AccessState.asked_operation,
                        key=AccessState.asked_operation, max_length=80, auto_complete="off", spell_check=False,
                        required=True, placeholder="proposals.decide",
                    ),
                    rx.el.datalist(*(rx.el.option(value=name) for name in OPERATIONS), id="wr-operations"),
                    class_name="wr-filter",
                ),
                button("Ask", type="submit"),
                on_submit=AccessState.ask_operation, class_name="wr-filters", aria_label="Who can run an operation",
            ),
            rx.el.form(
                rx.el.label(
                    rx.el.span("See this", class_name="wr-quiet"),
                    rx.el.select(
                        *(rx.el.option(word, value=kind) for kind, word in KIND_WORDS.items()), name="kind",
                        default_value=AccessState.kind, key=AccessState.kind,
                    ),
                    class_name="wr-filter",
                ),
                rx.el.label(
                    rx.el.span("with this id", class_name="wr-quiet"),
                    rx.el.input(
                        name="row_id", default_value=AccessState.row_id, key=AccessState.row_id, max_length=36,
                        auto_complete="off", spell_check=False, required=True,
                    ),
                    class_name="wr-filter",
                ),
                button("Ask", type="submit"),
                on_submit=AccessState.ask_row, class_name="wr-filters", aria_label="Who can see a row",
            ),
            class_name="wr-stack",
        ),
        rx.el.div(rx.cond(AccessState.asked, _answer()), role="status", class_name="wr-told-here wr-stack"),
        name="who",
    )


def _answer() -> rx.Component:
    return rx.cond(
        AccessState.fault != "",
        rx.el.p(rx.icon("triangle-alert", size=16, aria_hidden="true"), " ", AccessState.fault, class_name="wr-fault"),
        rx.fragment(
            rx.el.p(rx.el.strong(AccessState.answer)),
            rx.cond(
                AccessState.people.length() > 0,
                data_table("People who can, by name", PEOPLE, AccessState.people, _person),
                none_yet("Nobody who signs in can.", "People who are invited or deactivated are not counted."),
            ),
        ),
    )


def _person(line: rx.Var[PersonLine]) -> list[rx.Component | rx.Var[str]]:
    return [line.name, line.why]
