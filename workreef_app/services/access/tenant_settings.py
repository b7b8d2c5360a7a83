"""What a tenant can set for itself: numbers with bounds and defaults."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from workreef_app.services.access.models import Setting


@dataclass(frozen=True, slots=True)
class Number:
    """A setting: its default, its bounds, and what it means."""

    default: int
    minimum: int
    maximum: int
    meaning: str


KNOWN: dict[str, Number] = {
    "session.idle_minutes": Number(0, 0, 20160, "Minutes without activity that end a session; 0 is off."),
    "signals.window_days": Number(30, 1, 365, "Days that recurrence is measured over, up to the newest line."),
    "signals.min_times": Number(5, 2, 100000, "Times in the window from which a signal is a task."),
    "recommend.min_days": Number(3, 1, 365, "Days with an occurrence from which a task may be proposed."),
    "recommend.min_uniformity": Number(500, 0, 1000, "Uniformity, in thousandths, from which it may be proposed."),
    "recommend.min_handling": Number(700, 0, 1000, "Handler consistency, in thousandths, for do_now."),
}


def read(session: Session) -> dict[str, int]:
    """All settings, the tenant's own or the default."""
    own = {row.name: row.number for row in session.scalars(select(Setting))}
    return {name: own.get(name, known.default) for name, known in KNOWN.items()}
