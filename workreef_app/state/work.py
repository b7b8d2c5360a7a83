"""The screens of people who read about work: digest, tasks, proposals as a list, one task."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, tzinfo
from typing import Any

import reflex as rx
from reflex.event import EventSpec

from workreef_app.state.rows import (
    Choice,
    EvidenceCard,
    ObservationLine,
    WorkRow,
    evidence_card,
    observation_line,
    work_row,
)
from workreef_app.state.shell import ShellState
from workreef_app.state.words import counted, given_moment, lately, moment, query

FILTERS = ("department", "recommendation", "status", "since")
#: Lists of proposals alone have this one more.
DECIDED = "decided_since"


@dataclasses.dataclass(frozen=True)
class News:
    """Something that came since the last visit, and where its rows are."""

    text: str = ""
    href: str = ""


class DigestState(rx.State):
    """What needs the reader first, then the opportunities."""

    greeting: str = ""
    as_of: str = ""
    read_at: str = ""
    to_review: int = 0
    to_review_unit: str = ""
    to_pilot: int = 0
    new_tasks: str = ""
    new_href: str = ""
    tasks_href: str = ""
    review_href: str = ""
    pilot_href: str = ""
    new_since: str = ""
    last_visit: str = ""
    news: list[News] = []
    tasks: int = 0
    tasks_text: str = ""
    latest_text: str = ""
    latest_tasks: str = ""
    latest_href: str = ""
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
        zone = shell.zone()
        self.as_of = moment(digest.as_of, zone)
        self.read_at = moment(datetime.now(UTC), zone)
        self.to_review, self.to_pilot = digest.to_review, digest.to_pilot
        self.to_review_unit = "proposal" if digest.to_review == 1 else "proposals"
        self.new_tasks = counted(digest.new_tasks, "task") + " found"
        self.new_since = moment(digest.new_since, zone)
        self.tasks, self.tasks_text = digest.tasks, counted(digest.tasks, "task")
        self.sources, self.sources_text = digest.sources, counted(digest.sources, "source")
        latest = digest.latest
        self.latest_text = self.latest_tasks = self.latest_href = ""
        if latest is not None:
            self.latest_text = (
                f"{latest.file_name} into {latest.source}, {moment(latest.finished_at, zone)}:"
                f" {counted(latest.added, 'new line')}, "
            )
            self.latest_tasks = counted(latest.new_tasks, "new task")
            self.latest_href = query("/tasks", since=latest.started_at.isoformat())
        chosen = {"department": self.department}
        self.tasks_href = query("/tasks", **chosen)
        self.new_href = query("/tasks", **chosen, since=digest.new_since.isoformat())
        self.review_href = query("/proposals", **chosen, status="open")
        self.pilot_href = query("/proposals", **chosen, status="open", recommendation="pilot")
        self.departments = [Choice(d.slug, d.name) for d in digest.departments]
        self.opportunities = [work_row(row, zone) for row in digest.opportunities]
        self._news(digest.since, zone)

    def _news(self, found: Any, zone: tzinfo) -> None:
        """What came since the last visit, each number with the address of its rows."""
        self.last_visit = lately(found.at, datetime.now(UTC), zone) if found.at else ""
        if found.at is None:
            self.news = []
            return
        at, chosen = found.at.isoformat(), {"department": self.department}
        self.news = [
            News(counted(found.tasks, "new task"), query("/tasks", **chosen, since=at)),
            News(counted(found.proposals, "new open proposal"), query("/proposals", **chosen, status="open", since=at)),
            News(counted(found.decided, "proposal") + " decided by others",
                 query("/proposals", **chosen, decided_since=at)),
            News(counted(found.imports, "import") + " ended", query("/imports", since=at)),
        ]

    @rx.event
    def choose_department(self, slug: str) -> EventSpec:
        """Puts the department into the address, which loads the digest of it."""
        self.department = slug
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
    decided_since: str = ""
    since_text: str = ""
    departments: list[Choice] = []
    csv_href: str = ""
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
        names = (*FILTERS, DECIDED) if operation == "proposals.list" else FILTERS
        chosen = {name: given.get(name, "") for name in names}
        after = given.get("after", "")
        page = await shell.ask(operation, {name: v for name, v in {**chosen, "after": after}.items() if v})
        if page is None:
            return
        self.department, self.recommendation, self.status, self.since = (chosen[name] for name in FILTERS)
        self.decided_since = chosen.get(DECIDED, "")
        self.filtered = any(chosen.values())
        zone = shell.zone()
        self.rows = [work_row(row, zone) for row in page.rows]
        self.total, self.count = page.count, counted(page.count, what)
        found = f" found since {given_moment(self.since, zone)}" if self.since else ""
        decided = f" decided by others since {given_moment(self.decided_since, zone)}" if self.decided_since else ""
        self.since_text = found + decided
        self.departments = [Choice(d.slug, d.name) for d in page.departments]
        self.csv_href = query(f"/export{path}.csv", **chosen)
        self.next_href = query(path, **chosen, after=page.next) if page.next else ""
        self.first_href = query(path, **chosen) if after else ""

    @rx.event
    def choose(self, path: str, name: str, value: str) -> EventSpec | None:
        """Puts a filter into the address, which loads the list anew from its first page."""
        if name not in FILTERS or path not in {"/tasks", "/proposals"}:
            return None
        setattr(self, name, value)
        chosen = {known: getattr(self, known) for known in (*FILTERS, DECIDED)}
        return rx.redirect(query(path, **chosen), replace=True)


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
        zone = shell.zone()
        self.row = work_row(found.row, zone)
        self.evidence = [evidence_card(e, zone) for e in found.evidence]
        self.behind = f"{counted(page.lines, 'line')} in {counted(page.count, 'observation')}"
        self.observations = [observation_line(o, zone) for o in page.rows]
        path = f"/tasks/{task_id}"
        self.next_href = query(path, after=page.next) if page.next else ""
        self.first_href = path if after else ""
