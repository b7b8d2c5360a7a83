"""The imports that ended, as the digest counts them."""

from __future__ import annotations

import dataclasses
from datetime import tzinfo
from typing import Any

import reflex as rx

from workreef_app.state.shell import ShellState
from workreef_app.state.words import counted, given_moment, moment, number, query

PATH = "/imports"


@dataclasses.dataclass(frozen=True)
class EndedLine:
    """An import in the list."""

    file_name: str = ""
    source: str = ""
    state: str = "proven"
    status: str = ""
    lines: str = ""
    added: str = ""
    finished: str = ""
    tasks: str = ""
    tasks_href: str = ""


def ended_line(row: Any, zone: tzinfo) -> EndedLine:
    """A row of the door as the list shows it."""
    return EndedLine(
        file_name=row.file_name, source=row.source, state="proven" if row.status.value == "finished" else "attention",
        status=row.status.value.capitalize() + (f": {row.reason.value.replace('_', ' ')}" if row.reason else ""),
        lines=number(row.lines), added=number(row.added),
        finished=moment(row.finished_at, zone), tasks=number(row.new_tasks),
        tasks_href=query("/tasks", since=row.started_at.isoformat()),
    )


class EndedState(rx.State):
    """Imports that ended; since when is in the address."""

    rows: list[EndedLine] = []
    total: int = 0
    count: str = ""
    since: str = ""
    since_text: str = ""
    next_href: str = ""
    first_href: str = ""

    @rx.event
    async def load(self) -> None:
        """Reads a page of imports."""
        shell = await self.get_state(ShellState)
        given = self.router.url.query_parameters
        since, after = given.get("since", ""), given.get("after", "")
        page = await shell.ask("imports.list", {"after": after, **({"since": since} if since else {})})
        if page is None:
            return
        zone = shell.zone()
        self.rows = [ended_line(row, zone) for row in page.rows]
        self.total, self.count, self.since = page.count, counted(page.count, "import"), since
        self.since_text = f" ended since {given_moment(since, zone)}" if since else " ended"
        self.next_href = query(PATH, since=since, after=page.next) if page.next else ""
        self.first_href = query(PATH, since=since) if after else ""
