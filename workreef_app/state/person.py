"""One person, as an admin changes them."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from typing import Any

import reflex as rx

from workreef_app.services.access.models import PersonStatus
from workreef_app.services.operation import Persona
from workreef_app.state.people import PERSONAS, PersonLine, address, end_of_day, person_line, ticked
from workreef_app.state.shell import ShellState
from workreef_app.state.words import counted, query

#: What has to be typed before somebody is deactivated.
WORD = "deactivate"


@dataclasses.dataclass(frozen=True)
class Box:
    """A box of a form: its name, what it is called, and whether it is ticked."""

    name: str = ""
    label: str = ""
    ticked: bool = False


class PersonState(rx.State):
    """The person whose id is in the address."""

    person: PersonLine = PersonLine()
    status: str = ""
    factor: bool = False
    invited: bool = False
    personas: list[Box] = []
    departments: list[Box] = []
    until: str = ""
    #: Changes whenever the person was read, so that the form shows what holds.
    mark: str = ""
    link: str = ""
    link_kind: str = ""

    @rx.event
    async def load(self) -> None:
        """Reads the person."""
        self.link = self.link_kind = ""
        await self._read(await self.get_state(ShellState))

    async def _read(self, shell: ShellState) -> None:
        wanted = str(self.person_id)  # type: ignore[attr-defined]
        page = await shell.ask("people.list", {"person_id": wanted})
        known = await shell.ask("departments.list", {}) if page is not None else None
        if page is None or known is None:
            return
        if not page.rows:
            shell.trouble = "missing"
            return
        (row,), zone = page.rows, shell.zone()
        has = {one.persona: one.expires_at for one in row.personas}
        until = has.get(Persona.SECURITY_REVIEWER)
        self.person = person_line(row, datetime.now(UTC), zone)
        self.status, self.factor = row.status.value, row.factor
        self.invited = row.invited_until is not None
        self.personas = [Box(f"persona.{one.value}", PERSONAS[one], one in has) for one in Persona]
        self.departments = [
            Box(f"department.{one.slug}", one.name, one.slug in row.departments) for one in known.departments
        ]
        self.until = f"{until.astimezone(zone):%Y-%m-%d}" if until else ""
        self.mark = f"{row.id} {datetime.now(UTC).isoformat()}"

    async def _act(self, operation: str, said: str, **more: Any) -> Any | None:
        """Does something about the person, reads them again, and says what happened."""
        shell = await self.get_state(ShellState)
        self.link = ""
        done = await shell.act(operation, {"person_id": self.person.id, **more})
        if done is not None:
            await self._read(shell)
            ended = getattr(done, "sessions_ended", getattr(done, "ended", 0))
            shell.status = said + (f" {counted(ended, 'session')} ended." if ended else "")
            shell.status_href = query("/audit", target=f"person:{self.person.id}")
        return done

    @rx.event
    async def save(self, form: dict[str, Any]) -> None:
        """Changes name, personas and departments."""
        shell = await self.get_state(ShellState)
        await self._act(
            "people.change", "Saved.", name=str(form.get("name") or ""), personas=ticked(form, "persona."),
            departments=ticked(form, "department."),
            reviewer_until=end_of_day(str(form.get("until") or ""), shell.zone())
            if form.get("persona.security_reviewer") else None,
        )

    @rx.event
    async def renew_invitation(self) -> None:
        """Makes a new invitation."""
        done = await self._act("invitations.renew", "There is a new invitation; those before are void.")
        if done is not None and done.invitation_token is not None:
            self.link, self.link_kind = address("/invite/", done.invitation_token), "invitation"

    @rx.event
    async def revoke_invitation(self) -> None:
        """Voids the open invitation."""
        await self._act("invitations.revoke", "The invitation is void.")

    @rx.event
    async def reset_link(self) -> None:
        """Makes a link for a new password."""
        done = await self._act("people.reset_link", "There is a link for a new password, for one hour.")
        if done is not None and done.token is not None:
            self.link, self.link_kind = address("/reset/", done.token), "new password"

    @rx.event
    async def reset_factor(self) -> None:
        """Takes the second factor away."""
        await self._act("people.reset_factor", "The second factor is gone.")

    @rx.event
    async def end_sessions(self) -> None:
        """Signs the person out everywhere."""
        await self._act("people.end_sessions", "Signed out everywhere.")

    @rx.event
    async def deactivate(self, form: dict[str, Any]) -> None:
        """Keeps the person from signing in, once the word was typed."""
        if str(form.get("word") or "").strip().lower() != WORD:
            shell = await self.get_state(ShellState)
            shell.status, shell.refused = f"Type the word {WORD} first.", True
            return
        await self._act("people.deactivate", "Deactivated.")

    @rx.event
    async def activate(self) -> None:
        """Lets the person sign in again."""
        done = await self._act("people.activate", "Active again.")
        if done is not None and done.status == PersonStatus.INVITED:
            shell = await self.get_state(ShellState)
            shell.status = "Active again. A new invitation is needed, since there never was a password."
