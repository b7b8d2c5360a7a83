"""The imports that ended, newest first."""

from __future__ import annotations

import reflex as rx

from workreef_app.pages.ui import Column, badge, data_table, link, none_match, none_yet, page_header, pager
from workreef_app.state.ended import EndedLine, EndedState

COLUMNS = (
    Column("File", wide=True), Column("Source"), Column("Outcome"), Column("Lines", number=True),
    Column("New", number=True), Column("Ended"), Column("New tasks", number=True),
)


def imports_page() -> rx.Component:
    """The content of `/imports`."""
    return rx.fragment(
        page_header("Imports", lead="What was read into your sources, and how it ended."),
        rx.cond(
            EndedState.total > 0,
            rx.fragment(
                rx.el.div(
                    rx.el.p(
                        rx.el.strong(EndedState.count), EndedState.since_text, " · newest first", class_name="wr-quiet"
                    ),
                    rx.cond(EndedState.since != "", link("Clear the filters", "/imports")),
                    class_name="wr-list-head",
                ),
                data_table("Imports, newest first", COLUMNS, EndedState.rows, _cells),
                pager(first_href=EndedState.first_href, next_href=EndedState.next_href),
            ),
            rx.cond(
                EndedState.since != "", none_match("No import ended since then.", "/imports"),
                none_yet("No import has ended.", "Admins import logs.", link("Sources", "/sources")),
            ),
        ),
    )


def _cells(row: rx.Var[EndedLine]) -> list[rx.Component | rx.Var[str]]:
    return [
        row.file_name, row.source, badge(row.state, row.status), row.lines, row.added, row.finished,
        link(row.tasks, row.tasks_href),
    ]
