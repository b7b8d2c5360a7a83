"""The status page: how each part of the system stands, since when, and what to do."""

from __future__ import annotations

import dataclasses
from datetime import datetime, tzinfo
from typing import Any

import reflex as rx

from workreef_app.services.operation import Refusal
from workreef_app.state.calls import perform
from workreef_app.state.jobs import JobsState
from workreef_app.state.shell import ShellState
from workreef_app.state.words import counted, lately, moment

#: What a part's standing is called where it stands, and in the summary.
WORDS = {"proven": "Works", "attention": "Attention", "broken": "Broken", "unknown": "Not known"}
#: Where the rows behind a part are.
PLACES = {
    "source": ("/sources", "Sources"), "jobs": ("/admin/status?status=failed#jobs", "Failed jobs"),
    "queue": ("/admin/status?status=queued#jobs", "Waiting jobs"), "alarms": ("/alarms?state=open", "Open alarms"),
    "deliveries": ("/admin/alarms", "Where alarms go"),
}


@dataclasses.dataclass(frozen=True)
class ComponentLine:
    """A part of the system as the page shows it."""

    name: str = ""
    state: str = "unknown"
    word: str = ""
    what: str = ""
    cure: str = ""
    command: str = ""
    since: str = ""
    href: str = ""
    href_text: str = ""


def component_line(part: Any, now: datetime, zone: tzinfo) -> ComponentLine:
    """A part as the door tells it; one that needs somebody leads to its rows."""
    href, text = PLACES.get(part.part, ("", "")) if part.standing.value in {"broken", "attention"} else ("", "")
    return ComponentLine(
        name=part.name, state=part.standing.value, word=WORDS[part.standing.value], what=part.what, cure=part.cure,
        command=part.command,
        since=f"since {lately(part.since, now, zone)}" if part.since else "", href=href, href_text=text,
    )


def summary(parts: list[ComponentLine]) -> tuple[str, str]:
    """The worst standing there is, and a sentence on all of them."""
    broken = sum(part.state == "broken" for part in parts)
    attention = sum(part.state == "attention" for part in parts)
    said = [f"{counted(broken, 'part is', 'parts are')} broken"] if broken else []
    said += [f"{counted(attention, 'part needs', 'parts need')} attention"] if attention else []
    worst = "broken" if broken else "attention" if attention else "proven"
    return worst, f"{' and '.join(said)}." if said else f"All {len(parts)} parts work, as far as is known."


class StatusState(rx.State):
    """How each part stands, those that need somebody first."""

    trouble: list[ComponentLine] = []
    well: list[ComponentLine] = []
    worst: str = "unknown"
    said: str = ""
    as_of: str = ""
    stale: bool = False

    @rx.event
    async def load(self) -> None:
        """Reads the status."""
        shell = await self.get_state(ShellState)
        found = await shell.ask("status.read", {})
        if found is not None:
            self._show(found, shell)

    def _show(self, found: Any, shell: ShellState) -> None:
        zone = shell.zone()
        lines = [component_line(part, found.at, zone) for part in found.components]
        self.trouble = sorted(
            (line for line in lines if line.state in {"broken", "attention"}), key=lambda line: line.state != "broken"
        )
        self.well = [line for line in lines if line.state not in {"broken", "attention"}]
        self.worst, self.said = summary(lines)
        self.as_of, self.stale = moment(found.at, zone), False

    @rx.event
    async def tick(self) -> None:
        """Looks again, at the parts, at the jobs and at the alarms."""
        shell = await self.get_state(ShellState)
        try:
            self._show(await perform("status.poll", {}), shell)
        except Refusal:
            self.stale = True  # what is shown is what was known last, and says so
            return
        await (await self.get_state(JobsState)).look(shell)
        await shell.look_at_alarms()
