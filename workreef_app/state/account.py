"""A person's own page: the zone in which they read times, and until when they are signed in."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import reflex as rx

from workreef_app.services.access import zones
from workreef_app.state.shell import ShellState
from workreef_app.state.words import moment, query

#: Zones to choose from; they are part of the built pages.
ZONES = zones.known()


class AccountState(rx.State):
    """The person's own settings."""

    zone: str = ""
    tenant_zone: str = ""
    shown_zone: str = ""
    now: str = ""
    session_ends: str = ""
    idle_ends: str = ""

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
