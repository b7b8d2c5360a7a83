"""What the audit log tells of: every event, its meaning, and what writes it."""

from __future__ import annotations

import reflex as rx

from workreef_app.pages.ui import Column, data_table, link, mono, page_header
from workreef_app.state.audit_events import EventLine, EventsState

COLUMNS = (Column("Event"), Column("What it says", wide=True), Column("Written by", wide=True))


def events_page() -> rx.Component:
    """The content of `/audit/events`."""
    return rx.fragment(
        page_header(
            "Audit events",
            lead="Everything that the log tells of. A change and its entry are one transaction: neither is without the "
                 "other.",
            actions=link("Back to the log", "/audit", class_name="wr-button wr-button-plain"),
        ),
        data_table("Events by name", COLUMNS, EventsState.rows, _cells),
    )


def _cells(row: rx.Var[EventLine]) -> list[rx.Component | rx.Var[str]]:
    return [link(mono(row.event), row.href), row.meaning, rx.el.span(row.by, class_name="wr-quiet")]
