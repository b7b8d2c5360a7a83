"""A person's own page: the zone in which they read times, and until when they are signed in."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, tzinfo
from typing import Any

import reflex as rx

from workreef_app.services.access import zones
from workreef_app.state.shell import ShellState
from workreef_app.state.words import counted, lately, moment, query

#: Zones to choose from; they are part of the built pages.
ZONES = zones.known()


@dataclasses.dataclass(frozen=True)
class SessionLine:
    """A signed-in browser of the person."""

    id: str = ""
    device: str = ""
    address: str = ""
    current: bool = False
    seen: str = ""
    began: str = ""


def session_line(row: Any, now: datetime, zone: tzinfo) -> SessionLine:
    """A session as the page shows it."""
    return SessionLine(
        id=str(row.id), device=row.device or "An unknown device", address=row.address or "an unknown address",
        current=row.current, seen=f"last active {lately(row.last_active_at, now, zone)}",
        began=f"signed in {moment(row.created_at, zone)}",
    )


class AccountState(rx.State):
    """The person's own settings."""

    zone: str = ""
    tenant_zone: str = ""
    shown_zone: str = ""
    now: str = ""
    session_ends: str = ""
    idle_ends: str = ""
    factor: bool = False
    factor_text: str = ""
    sessions: list[SessionLine] = []
    others: int = 0

    @rx.event
    async def load(self) -> None:
        """Reads what the person has chosen."""
        shell = await self.get_state(ShellState)
        await self._read(shell)

    async def _read(self, shell: ShellState) -> None:
        me = await shell.ask("me.read", {})
        if me is None:
            return
        zone = shell.zone()
        self.zone, self.tenant_zone, self.shown_zone = me.own_time_zone, me.tenant_time_zone, me.time_zone
        self.now = moment(datetime.now(UTC), zone)
        self.session_ends = moment(me.session.ends_at, zone) if me.session else ""
        self.idle_ends = moment(me.session.idle_ends_at, zone) if me.session and me.session.idle_ends_at else ""
        if not shell.locked:
            await self._read_sessions(shell)

    async def _read_sessions(self, shell: ShellState) -> None:
        standing, found = await shell.ask("factors.read", {}), await shell.ask("sessions.list", {})
        if standing is None or found is None:
            return
        now, zone = datetime.now(UTC), shell.zone()
        self.factor = standing.enrolled
        self.factor_text = (
            f"On. {counted(standing.codes_left, 'recovery code')} left." if standing.enrolled else "Off."
        )
        self.sessions = [session_line(row, now, zone) for row in found.rows]
        self.others = sum(not row.current for row in found.rows)

    @rx.event
    async def end_session(self, session_id: str) -> None:
        """Signs one of the person's browsers out."""
        await self._end({"session_id": session_id})

    @rx.event
    async def end_others(self, shown: int) -> None:
        """Signs all of the person's browsers out but this one, if they are as many as the person was shown."""
        if shown != self.others:
            return
        await self._end({})

    async def _end(self, which: dict[str, str]) -> None:
        shell = await self.get_state(ShellState)
        done = await shell.act("sessions.revoke", which)
        if done is not None:
            await self._read_sessions(shell)
            shell.status = f"{counted(done.ended, 'session')} ended."

    @rx.event
    async def save_zone(self, form: dict[str, Any]) -> None:
        """Chooses the zone that was typed; none is the tenant's."""
        shell = await self.get_state(ShellState)
        done = await shell.act("me.change", {"time_zone": str(form.get("time_zone") or "").strip()})
        if done is None:
            return
        shell.accept("time_zone")
        shell._zone = done.time_zone
        await self._read(shell)
        shell.status = f"Times are shown in {done.time_zone}."
        if shell.may_audit:
            shell.status_href = query("/audit", event="person.changed")
