"""People and departments, as admins see and change them."""

from __future__ import annotations

import dataclasses
from datetime import UTC, date, datetime, time, tzinfo
from typing import Any

import reflex as rx

from workreef_app.services.access.models import PersonStatus
from workreef_app.services.operation import Persona
from workreef_app.services.process import current
from workreef_app.state.calls import CALLER
from workreef_app.state.rows import Choice
from workreef_app.state.shell import ShellState
from workreef_app.state.words import counted, lately, moment, query

PATH = "/admin/people"
STATUSES = {
    PersonStatus.ACTIVE: ("proven", "May sign in"), PersonStatus.INVITED: ("attention", "Invited"),
    PersonStatus.DEACTIVATED: ("unknown", "Deactivated"),
}
PERSONAS = {
    Persona.OPERATOR: "Operator", Persona.DEPT_LEAD: "Department lead", Persona.CHANGE_LEADER: "Change leader",
    Persona.CONTRIBUTOR: "Contributor", Persona.ADMIN: "Admin", Persona.SECURITY_REVIEWER: "Security reviewer",
}


@dataclasses.dataclass(frozen=True)
class PersonLine:
    """Somebody in the list."""

    id: str = ""
    name: str = ""
    email: str = ""
    href: str = ""
    state: str = "unknown"
    status: str = ""
    personas: str = ""
    departments: str = ""
    factor: str = ""
    seen: str = ""


def person_line(row: Any, now: datetime, zone: tzinfo) -> PersonLine:
    """A person as the list shows them."""
    state, status = STATUSES[row.status]
    if row.status == PersonStatus.INVITED:
        status = f"Invited until {moment(row.invited_until, zone)}" if row.invited_until else "No open invitation"
    return PersonLine(
        id=str(row.id), name=row.name, email=row.email, href=f"{PATH}/{row.id}", state=state, status=status,
        personas=", ".join(
            PERSONAS[one.persona] + (f" until {moment(one.expires_at, zone)}" if one.expires_at else "")
            for one in row.personas
        ) or "No persona",
        departments=", ".join(row.departments) or "No department",
        factor="Second factor on" if row.factor else "No second factor",
        seen=f"Last seen {lately(row.last_seen, now, zone)}" if row.last_seen else "Never seen",
    )


def ticked(form: dict[str, Any], prefix: str) -> list[str]:
    """The names of the boxes that are ticked among those of a form that begin with `prefix`."""
    return [name.removeprefix(prefix) for name, value in form.items() if name.startswith(prefix) and value]


def end_of_day(day: str, zone: tzinfo) -> str | None:
    """The last moment of a day that was chosen, for the door; None for no day. What is no day stays as it is."""
    if not day:
        return None
    try:
        return datetime.combine(date.fromisoformat(day), time(23, 59, 59), zone).isoformat()
    except ValueError:
        return day


def address(path: str, token: str) -> str:
    """The whole address of a one-time link at the tenant's own host."""
    return f"{current().platform.settings.tenant_url(CALLER.get().tenant.info.slug)}{path}{token}"


class PeopleState(rx.State):
    """People, those of one standing where the address says so, and the departments."""

    rows: list[PersonLine] = []
    total: int = 0
    count: str = ""
    chosen: str = ""
    next_href: str = ""
    first_href: str = ""
    departments: list[Choice] = []
    #: Shown once, right after it was made; a reload forgets it.
    link: str = ""
    link_for: str = ""

    @rx.event
    async def load(self) -> None:
        """Reads a page of people, and the departments."""
        self.link = self.link_for = ""
        await self._read(await self.get_state(ShellState))

    async def _read(self, shell: ShellState) -> None:
        given = self.router.url.query_parameters
        status, after = given.get("status", ""), given.get("after", "")
        asked = {**({"status": status} if status else {}), **({"after": after} if after else {})}
        page = await shell.ask("people.list", asked)
        known = await shell.ask("departments.list", {}) if page is not None else None
        if page is None or known is None:
            return
        now, zone = datetime.now(UTC), shell.zone()
        self.rows = [person_line(row, now, zone) for row in page.rows]
        self.total, self.count, self.chosen = page.count, counted(page.count, "person", "people"), status
        self.next_href = query(PATH, status=status, after=page.next) if page.next else ""
        self.first_href = query(PATH, status=status) if after else ""
        self.departments = [Choice(row.slug, row.name) for row in known.departments]

    @rx.event
    def choose(self, status: str) -> Any:
        """Shows people of one standing."""
        return rx.redirect(query(PATH, status=status))

    @rx.event
    async def invite(self, form: dict[str, Any]) -> None:
        """Adds a person; the link is shown here where no mail is set up."""
        shell = await self.get_state(ShellState)
        self.link = ""
        name = str(form.get("name") or "").strip()
        done = await shell.act("people.create", {
            "email": str(form.get("email") or ""), "name": name, "personas": ticked(form, "persona."),
            "departments": ticked(form, "department."),
            "reviewer_until": end_of_day(str(form.get("until") or ""), shell.zone()),
        })
        if done is None:
            return
        if done.invitation_token is not None:
            self.link, self.link_for = address("/invite/", done.invitation_token), name
        await self._read(shell)
        shell.status = f"{name} is invited." + (" The link is on its way by mail." if done.mailed else "")
        shell.status_href = query("/audit", target=f"person:{done.person_id}")

    @rx.event
    async def add_department(self, form: dict[str, Any]) -> None:
        """Adds a department."""
        shell = await self.get_state(ShellState)
        sent = {"slug": str(form.get("slug") or "").strip(), "name": str(form.get("name") or "")}
        done = await shell.act("departments.create", sent)
        if done is None:
            return
        await self._read(shell)
        shell.status = f"There is a department {done.name} now."
        shell.status_href = query("/audit", target=f"department:{done.id}")
