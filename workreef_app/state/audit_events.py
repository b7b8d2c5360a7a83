"""The events that the audit log tells of, as a page shows them."""

from __future__ import annotations

import dataclasses

import reflex as rx

from workreef_app.services.audit_review import coverage
from workreef_app.state.words import query


@dataclasses.dataclass(frozen=True)
class EventLine:
    """An event, what it means, what writes it, and its entries."""

    event: str = ""
    href: str = ""
    meaning: str = ""
    by: str = ""


def event_lines() -> list[EventLine]:
    """Every event by name."""
    return [
        EventLine(
            event=told.event, href=query("/audit", event=told.event), meaning=told.meaning,
            by=", ".join(told.operations) or told.besides,
        )
        for told in coverage.events()
    ]


class EventsState(rx.State):
    """The events; they are the same for everybody."""

    rows: list[EventLine] = []

    @rx.event
    def load(self) -> None:
        """Puts the events on the page."""
        self.rows = event_lines()
