"""The rows of the work screens: what the door answers, as a page shows it."""

from __future__ import annotations

import dataclasses
from datetime import tzinfo
from typing import Any

from workreef_app.state.words import counted, hour, moment, number, share, span


@dataclasses.dataclass(frozen=True)
class WorkRow:
    """A task or proposal in a list."""

    task_href: str = ""
    proposal_href: str = ""
    rows_href: str = ""
    title: str = ""
    department: str = ""
    recommendation: str = "later"
    status: str = ""
    reason: str = ""
    recurs: str = ""
    times: str = ""
    days: str = ""
    window: str = ""
    alike: str = ""
    alike_known: bool = False
    handling: str = ""
    handling_known: bool = False
    sources: str = ""
    as_of: str = ""


def work_row(row: Any, zone: tzinfo) -> WorkRow:
    """A row of the door as a list shows it."""
    task = f"/tasks/{row.task_id}"
    return WorkRow(
        task_href=task, proposal_href=f"/proposals/{row.proposal_id}", rows_href=f"{task}#rows", title=row.title,
        department=row.department or "No department", recommendation=row.recommendation.value,
        status=row.status.value, reason=row.reason_text,
        recurs=f"{counted(row.times, 'time')} in {counted(row.window_days, 'day')} on {counted(row.days, 'day')}",
        times=number(row.times), days=number(row.days), window=counted(row.window_days, "day"),
        alike=share(row.uniformity), alike_known=row.uniformity is not None,
        handling=share(row.handling), handling_known=row.handling is not None,
        sources=", ".join(row.sources), as_of=moment(row.as_of, zone),
    )


@dataclasses.dataclass(frozen=True)
class Choice:
    """Something to choose from: its value and its name."""

    value: str = ""
    label: str = ""


@dataclasses.dataclass(frozen=True)
class EvidenceCard:
    """One source's part of the evidence."""

    kind: str = "log_file"
    source: str = ""
    sample: str = ""
    window: str = ""
    as_of: str = ""
    samples: list[str] = dataclasses.field(default_factory=list)


def evidence_card(evidence: Any, zone: tzinfo) -> EvidenceCard:
    """The door's evidence as a card."""
    return EvidenceCard(
        kind=evidence.kind, source=evidence.source,
        sample=f"{counted(evidence.times, 'line')} in {counted(evidence.hours, 'hour')} on "
               f"{counted(evidence.days, 'day')}",
        window=f"{moment(evidence.window_from, zone)} to {moment(evidence.window_to, zone)}",
        as_of=moment(evidence.window_to, zone),
        samples=evidence.samples,
    )


@dataclasses.dataclass(frozen=True)
class ObservationLine:
    """An observation in the list of rows behind a number."""

    hour: str = ""
    lines: str = ""
    summary: str = ""
    span: str = ""


def observation_line(row: Any, zone: tzinfo) -> ObservationLine:
    """A row of the door as the list shows it."""
    return ObservationLine(
        hour(row.hour, zone), number(row.lines), row.summary, span(row.first_at, row.last_at, zone)
    )


@dataclasses.dataclass(frozen=True)
class DecisionLine:
    """One decision in a proposal's history."""

    person: str = ""
    choice: str = ""
    reason: str = ""
    at: str = ""


CHOSEN = {"accept": "accepted", "return": "returned", "decline": "declined"}


def decision_line(row: Any, zone: tzinfo) -> DecisionLine:
    """A row of the door as the history shows it."""
    return DecisionLine(row.person, CHOSEN[row.choice.value], row.reason, moment(row.at, zone))
