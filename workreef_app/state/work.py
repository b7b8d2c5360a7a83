"""The screens of people who decide about work: digest, tasks, proposals."""

from __future__ import annotations

import dataclasses
from typing import Any

import reflex as rx

from workreef_app.state.shell import ShellState
from workreef_app.state.words import counted, hour, moment, number, query, share, span

FILTERS = ("department", "recommendation", "status", "since")


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


def work_row(row: Any) -> WorkRow:
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
        sources=", ".join(row.sources), as_of=moment(row.as_of),
    )


@dataclasses.dataclass(frozen=True)
class Choice:
    """Something to choose from: its value and its name."""

    value: str = ""
    label: str = ""


class DigestState(rx.State):
    """What needs the reader first, then the opportunities."""

    greeting: str = ""
    as_of: str = ""
    to_review: int = 0
    review_text: str = ""
    to_pilot: int = 0
    pilot_text: str = ""
    new_tasks: str = ""
    new_href: str = ""
    tasks_href: str = ""
    review_href: str = ""
    pilot_href: str = ""
    new_since: str = ""
    tasks: int = 0
    tasks_text: str = ""
    sources: int = 0
    sources_text: str = ""
    department: str = ""
    departments: list[Choice] = []
    opportunities: list[WorkRow] = []

    @rx.event
    async def load(self) -> None:
        """Reads the digest of the department in the address."""
        shell = await self.get_state(ShellState)
        self.department = self.router.url.query_parameters.get("department", "")
        digest = await shell.ask("digest.read", {"department": self.department})
        if digest is None:
            return
        first = shell.person_name.split(" ")[0]
        self.greeting = f"Good day, {first}." if first else "Good day."
        self.as_of = moment(digest.as_of)
        self.to_review, self.review_text = digest.to_review, counted(digest.to_review, "proposal") + " to review"
        self.to_pilot, self.pilot_text = digest.to_pilot, counted(digest.to_pilot, "pilot") + " proposed"
        self.new_tasks = counted(digest.new_tasks, "task") + " found"
        self.new_since = moment(digest.new_since)
        self.tasks, self.tasks_text = digest.tasks, counted(digest.tasks, "task")
        self.sources, self.sources_text = digest.sources, counted(digest.sources, "source")
        chosen = {"department": self.department}
        self.tasks_href = query("/tasks", **chosen)
        self.new_href = query("/tasks", **chosen, since=digest.new_since.isoformat())
        self.review_href = query("/proposals", **chosen, status="open")
        self.pilot_href = query("/proposals", **chosen, status="open", recommendation="pilot")
        self.departments = [Choice(d.slug, d.name) for d in digest.departments]
        self.opportunities = [work_row(row) for row in digest.opportunities]

    @rx.event
    def choose_department(self, slug: str) -> rx.event.EventSpec:
        """Puts the department into the address, which loads the digest of it."""
        return rx.redirect(query("/", department=slug), replace=True)


class ListState(rx.State):
    """The list of tasks or of proposals; its filters are in the address."""

    rows: list[WorkRow] = []
    count: str = ""
    total: int = 0
    filtered: bool = False
    department: str = ""
    recommendation: str = ""
    status: str = ""
    since: str = ""
    next_href: str = ""
    first_href: str = ""

    @rx.event
    async def load_tasks(self) -> None:
        """Reads a page of tasks."""
        await self._load("tasks.list", "/tasks", "task")

    @rx.event
    async def load_proposals(self) -> None:
        """Reads a page of proposals."""
        await self._load("proposals.list", "/proposals", "proposal")

    async def _load(self, operation: str, path: str, what: str) -> None:
        shell = await self.get_state(ShellState)
        given = self.router.url.query_parameters
        chosen = {name: given.get(name, "") for name in FILTERS}
        after = given.get("after", "")
        page = await shell.ask(operation, {name: v for name, v in {**chosen, "after": after}.items() if v})
        if page is None:
            return
        self.department, self.recommendation, self.status, self.since = (chosen[name] for name in FILTERS)
        self.filtered = any(chosen.values())
        self.rows = [work_row(row) for row in page.rows]
        self.total, self.count = page.count, counted(page.count, what)
        self.next_href = query(path, **chosen, after=page.next) if page.next else ""
        self.first_href = query(path, **chosen) if after else ""

    @rx.event
    def choose(self, path: str, name: str, value: str) -> rx.event.EventSpec | None:
        """Puts a filter into the address, which loads the list anew from its first page."""
        if name not in FILTERS or path not in {"/tasks", "/proposals"}:
            return None
        chosen = {"department": self.department, "recommendation": self.recommendation, "status": self.status,
                  "since": self.since}
        return rx.redirect(query(path, **{**chosen, name: value}), replace=True)


@dataclasses.dataclass(frozen=True)
class EvidenceCard:
    """One source's part of the evidence."""

    kind: str = "log_file"
    source: str = ""
    sample: str = ""
    window: str = ""
    as_of: str = ""
    samples: list[str] = dataclasses.field(default_factory=list)


def evidence_card(evidence: Any) -> EvidenceCard:
    """The door's evidence as a card."""
    return EvidenceCard(
        kind=evidence.kind, source=evidence.source,
        sample=f"{counted(evidence.times, 'line')} in {counted(evidence.hours, 'hour')} on "
               f"{counted(evidence.days, 'day')}",
        window=f"{moment(evidence.window_from)} to {moment(evidence.window_to)}", as_of=moment(evidence.window_to),
        samples=evidence.samples,
    )


@dataclasses.dataclass(frozen=True)
class ObservationLine:
    """An observation in the list of rows behind a number."""

    hour: str = ""
    lines: str = ""
    summary: str = ""
    span: str = ""


class TaskState(rx.State):
    """One task with the rows behind its numbers."""

    row: WorkRow = WorkRow()
    evidence: list[EvidenceCard] = []
    observations: list[ObservationLine] = []
    behind: str = ""
    next_href: str = ""
    first_href: str = ""

    @rx.event
    async def load(self) -> None:
        """Reads the task in the address and a page of its observations."""
        shell = await self.get_state(ShellState)
        task_id = str(self.task_id)  # type: ignore[attr-defined]
        found = await shell.ask("tasks.read", {"task_id": task_id})
        if found is None:
            return
        after = self.router.url.query_parameters.get("after", "")
        page = await shell.ask("observations.list", {"task_id": task_id, "after": after})
        if page is None:
            return
        self.row = work_row(found.row)
        self.evidence = [evidence_card(e) for e in found.evidence]
        self.behind = f"{counted(page.lines, 'line')} in {counted(page.count, 'observation')}"
        self.observations = [
            ObservationLine(hour(o.hour), number(o.lines), o.summary, span(o.first_at, o.last_at))
            for o in page.rows
        ]
        path = f"/tasks/{task_id}"
        self.next_href = query(path, after=page.next) if page.next else ""
        self.first_href = path if after else ""


@dataclasses.dataclass(frozen=True)
class DecisionLine:
    """One decision in a proposal's history."""

    person: str = ""
    choice: str = ""
    reason: str = ""
    at: str = ""


CHOSEN = {"accept": "accepted", "return": "returned", "decline": "declined"}


class ProposalState(rx.State):
    """One proposal with all that a person needs to decide it."""

    row: WorkRow = WorkRow()
    evidence: list[EvidenceCard] = []
    confirmation: str = ""
    days_share: float = 0.0
    days_threshold: float = 0.0
    days_text: str = ""
    alike_share: float = 0.0
    alike_threshold: float = 0.0
    handling_share: float = 0.0
    handling_threshold: float = 0.0
    threshold_days: str = ""
    threshold_alike: str = ""
    threshold_handling: str = ""
    analysis: str = ""
    points: list[str] = []
    unknown: list[str] = []
    analysed_at: str = ""
    decisions: list[DecisionLine] = []
    can_accept: bool = False
    can_return: bool = False
    can_decline: bool = False
    reason: str = ""
    updated_at: str = ""

    @rx.event
    async def load(self) -> None:
        """Reads the proposal in the address."""
        self.reason = ""
        await self._read()

    async def _read(self) -> None:
        shell = await self.get_state(ShellState)
        found = await shell.ask("proposals.read", {"proposal_id": str(self.proposal_id)})  # type: ignore[attr-defined]
        if found is None:
            return
        self.row = work_row(found.row)
        self.evidence = [evidence_card(e) for e in found.evidence]
        self.confirmation = f"{counted(len(found.evidence), 'source flags', 'sources flag')} this task."
        self._measures(found)
        self.analysis, self.analysed_at = found.analysis.summary, moment(found.analysis.created_at)
        self.points, self.unknown = found.analysis.points, found.analysis.unknown
        self.decisions = [
            DecisionLine(d.person, CHOSEN[d.choice.value], d.reason, moment(d.at)) for d in found.decisions
        ]
        choices = {choice.value for choice in found.choices}
        self.can_accept, self.can_return = "accept" in choices, "return" in choices
        self.can_decline = "decline" in choices
        self.updated_at = moment(found.updated_at)

    def _measures(self, found: Any) -> None:
        row, limits = found.row, found.thresholds
        self.days_share = row.days / row.window_days
        self.days_threshold = limits.min_days / row.window_days
        self.days_text = f"{counted(row.days, 'day')} of {row.window_days}"
        self.threshold_days = counted(limits.min_days, "day")
        self.alike_share, self.alike_threshold = (row.uniformity or 0) / 1000, limits.min_uniformity / 1000
        self.threshold_alike = share(limits.min_uniformity)
        self.handling_share, self.handling_threshold = (row.handling or 0) / 1000, limits.min_handling / 1000
        self.threshold_handling = share(limits.min_handling)

    @rx.event
    def set_reason(self, value: str) -> None:
        """Keeps what is typed."""
        self.reason = value[:500]

    @rx.event
    async def decide(self, choice: str) -> None:
        """Records the decision, says what happened, and shows the proposal as it now stands."""
        shell = await self.get_state(ShellState)
        proposal_id = str(self.proposal_id)  # type: ignore[attr-defined]
        done = await shell.act(
            "proposals.decide", {"proposal_id": proposal_id, "choice": choice, "reason": self.reason}
        )
        if done is None:
            return
        self.reason = ""
        await self._read()
        shell.status = f"The proposal is {done.status.value}."
        shell.status_href = query("/audit", target=f"proposal:{proposal_id}")
