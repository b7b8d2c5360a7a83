"""The jobs on the status page: what runs, what failed, and taking it up again."""

from __future__ import annotations

import dataclasses
import time
from datetime import tzinfo
from typing import Any

import reflex as rx
from reflex.event import EventSpec

from workreef_app.services.jobs.models import JobStatus
from workreef_app.services.operation import REGISTRY, Refusal
from workreef_app.state.calls import perform
from workreef_app.state.shell import ShellState
from workreef_app.state.words import counted, moment, number, query

PATH = "/admin/status"
#: Meaning and word of each status.
STATES = {
    JobStatus.QUEUED: ("unknown", "Waiting"), JobStatus.RUNNING: ("attention", "Running"),
    JobStatus.DONE: ("proven", "Done"), JobStatus.FAILED: ("broken", "Failed"),
    JobStatus.CANCELLED: ("unknown", "Cancelled"), JobStatus.QUARANTINED: ("broken", "In quarantine"),
}
KINDS = {
    "import": "Import of a file", "import_sweep": "Clearing of abandoned imports", "digest": "Nightly digest",
    "alarm_delivery": "Delivery of an alarm", "mail_link": "Link by mail",
}
ERRORS = {
    "failed": "It failed; the log of its worker says at what.", "killed_workers": "It has killed three workers.",
    "database": "The database refused what it did.", "disk_full": "The disk of the database is full.",
    "locked": "The tenant's key did not answer.", "unavailable": "The database did not answer.",
    "unreadable": "The file could not be read.",
}
ACTIVE = frozenset({JobStatus.QUEUED, JobStatus.RUNNING})
RETRYABLE = frozenset({JobStatus.FAILED, JobStatus.CANCELLED, JobStatus.QUARANTINED})


@dataclasses.dataclass(frozen=True)
class JobLine:
    """A job in the list. `percent` is how far it is, -1 where that is not known."""

    id: str = ""
    name: str = ""
    href: str = ""
    state: str = "unknown"
    word: str = ""
    said: str = ""
    percent: int = -1
    tries: str = ""
    began: str = ""
    ended: str = ""
    may_cancel: bool = False
    may_retry: bool = False
    audit_href: str = ""


def kind_name(kind: str) -> str:
    """A kind of job in words."""
    return KINDS.get(kind, kind.replace("_", " ").capitalize())


def _said(job: Any, rate: int) -> str:
    if job.status in ACTIVE and job.cancel_requested:
        return "Being cancelled: it stops at its next step."
    if job.status == JobStatus.RUNNING and (job.done or job.total):
        of = f" of {number(job.total)}" if job.total is not None else ""
        pace = f", {number(rate)} a second" if rate else ""
        return f"{number(job.done)}{of} done{pace}."
    if job.status == JobStatus.QUEUED and job.attempts:
        return f"It is tried again, after {counted(job.attempts, 'failure')}."
    if job.error:
        return ERRORS.get(job.error, f"It failed: {job.error.replace('_', ' ')}.")
    return ""


def job_line(job: Any, zone: tzinfo, *, keeper: bool, rate: int = 0) -> JobLine:
    """A row of the door as the list shows it. `keeper` may change jobs; `rate` is units a second, 0 if not known."""
    state, word = STATES[job.status]
    running = job.status == JobStatus.RUNNING and job.total
    tries = [counted(job.attempts, "failure")] if job.attempts else []
    tries += [counted(job.crashes, "dead worker")] if job.crashes else []
    return JobLine(
        id=str(job.id), name=kind_name(job.kind), state=state, word=word, said=_said(job, rate),
        href=query("/sources", **{"import": job.subject}) if job.kind == "import" and job.subject else "",
        percent=min(100, job.done * 100 // job.total) if running else -1, tries=", ".join(tries) or "–",
        began=moment(job.started_at or job.created_at, zone), ended=moment(job.finished_at, zone),
        may_cancel=keeper and job.status in ACTIVE and not job.cancel_requested,
        may_retry=keeper and job.status in RETRYABLE, audit_href=query("/audit", target=f"job:{job.id}"),
    )


class JobsState(rx.State):
    """A page of the jobs; the filter is in the address."""

    rows: list[JobLine] = []
    count: str = ""
    total: int = 0
    status: str = ""
    summary: str = ""
    csv_href: str = ""
    next_href: str = ""
    first_href: str = ""
    #: When a job was last seen and how much of it was done then, for its rate.
    _seen: dict[str, tuple[float, int]] = {}

    @rx.event
    async def load(self) -> None:
        """Reads the page of jobs that the address asks for."""
        shell = await self.get_state(ShellState)
        page = await shell.ask("jobs.list", self._asked())
        if page is not None:
            self._show(page, shell)

    def _asked(self) -> dict[str, str]:
        given = self.router.url.query_parameters
        return {name: given[name] for name in ("status", "after") if given.get(name)}

    def _show(self, page: Any, shell: ShellState) -> None:
        asked = self._asked()
        keeper = bool({persona.value for persona in REGISTRY["jobs.retry"].by} & set(shell.personas))
        self.status = asked.get("status", "")
        self.rows = [job_line(job, shell.zone(), keeper=keeper, rate=self._rate(job)) for job in page.rows]
        self._seen = {key: seen for key, seen in self._seen.items() if key in {row.id for row in self.rows}}
        self.total, self.count = page.count, counted(page.count, "job")
        self.summary = " · ".join(
            f"{number(page.by_status[status])} {STATES[status][1].lower()}"
            for status in STATES if page.by_status.get(status)
        )
        self.csv_href = query("/export/jobs.csv", status=self.status)
        self.next_href = query(PATH, status=self.status, after=page.next) if page.next else ""
        self.first_href = query(PATH, status=self.status) if asked.get("after") else ""

    def _rate(self, job: Any) -> int:
        """Units a second since the job was last looked at here."""
        now, key = time.monotonic(), str(job.id)
        if job.status != JobStatus.RUNNING:
            self._seen.pop(key, None)
            return 0
        at, done = self._seen.get(key, (now, job.done))
        self._seen[key] = (now, job.done)
        return max(0, round((job.done - done) / (now - at))) if now > at else 0

    async def look(self, shell: ShellState) -> None:
        """Reads the same page again. What was last known stays where it is refused."""
        try:
            self._show(await perform("jobs.poll", self._asked()), shell)
        except Refusal:
            return

    @rx.event
    def choose(self, status: str) -> EventSpec:
        """Puts the status into the address, which loads the list anew from its first page."""
        self.status = status
        return rx.redirect(query(PATH, status=status), replace=True)

    @rx.event
    async def cancel(self, job_id: str) -> None:
        """Cancels a job; a running one stops at its next step."""
        await self._change("jobs.cancel", job_id, "is being cancelled; what it has done is kept.")

    @rx.event
    async def retry(self, job_id: str) -> None:
        """Puts a job back in the queue."""
        await self._change("jobs.retry", job_id, "is in the queue again; it goes on from its last step.")

    async def _change(self, operation: str, job_id: str, said: str) -> None:
        shell = await self.get_state(ShellState)
        job = await shell.act(operation, {"job_id": job_id})
        if job is not None:
            ended = job.status == JobStatus.CANCELLED
            shell.status = f"{kind_name(job.kind)} {'was cancelled; what it had done is kept.' if ended else said}"
            shell.status_href = query("/audit", target=f"job:{job_id}")
        await self.look(shell)
