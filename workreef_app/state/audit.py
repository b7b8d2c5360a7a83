"""The audit screens: the log, one entry, the verification of the chain."""

from __future__ import annotations

import dataclasses
import json
from datetime import datetime, tzinfo
from typing import Any

import reflex as rx
from reflex.event import EventSpec

from workreef_app.services.operation import Event, Persona, Refusal
from workreef_app.state.calls import perform
from workreef_app.state.shell import ShellState
from workreef_app.state.words import counted, day_begins, exact, number, query

FILTERS = ("actor", "event", "target", "id", "since", "until")
#: Lines that stay on a page which follows the log.
FOLLOWED = 200
EVENTS = [event.value for event in Event]


@dataclasses.dataclass(frozen=True)
class EntryLine:
    """An entry in the list."""

    seq: str = ""
    href: str = ""
    at: str = ""
    actor: str = ""
    actor_href: str = ""
    event: str = ""
    target: str = ""
    target_href: str = ""
    previous_hash: str = ""
    chain_hash: str = ""


def entry_line(row: Any, zone: tzinfo) -> EntryLine:
    """A row of the door as the list shows it."""
    return EntryLine(
        seq=f"#{number(row.seq)}", href=f"/audit/{row.seq}", at=exact(datetime.fromisoformat(row.at), zone),
        actor=row.actor_name or row.actor, actor_href=query("/audit", actor=row.actor), event=row.event,
        target=row.target, target_href=query("/audit", target=row.target) if row.target else "",
        previous_hash=row.previous_hash, chain_hash=row.chain_hash,
    )


class AuditState(rx.State):
    """The log; its filters are in the address, and so is whether it is followed: `live` adds what is new by itself."""

    rows: list[EntryLine] = []
    count: str = ""
    total: int = 0
    more: bool = False
    filtered: bool = False
    actor: str = ""
    event: str = ""
    target: str = ""
    named: str = ""
    since: str = ""
    until: str = ""
    live: bool = False
    live_href: str = ""
    arrived: str = ""
    next_href: str = ""
    first_href: str = ""
    csv_href: str = ""
    ocsf_href: str = ""
    cef_href: str = ""
    may_export: bool = False
    _asked: dict[str, str] = {}
    _newest: int = 0

    @rx.event
    async def load(self) -> None:
        """Reads a page of entries with the filters of the address."""
        shell = await self.get_state(ShellState)
        given = self.router.url.query_parameters
        chosen = {name: given.get(name, "") for name in FILTERS}
        before = given.get("before", "")
        # A day of the address is one of the reader's zone; the log is asked for when it begins and ends.
        zone = shell.zone()
        asked = {
            **chosen, "since": day_begins(chosen["since"], zone) or chosen["since"],
            "until": day_begins(chosen["until"], zone, after=1) or chosen["until"],
        }
        self._asked = {name: value for name, value in asked.items() if value}
        page = await shell.ask("audit.list", self._asked | ({"before": before} if before else {}))
        if page is None:
            return
        self.actor, self.event, self.target, self.named, self.since, self.until = (chosen[name] for name in FILTERS)
        self.filtered = any(chosen.values())
        self.rows = [entry_line(row, zone) for row in page.rows]
        self._count(page.count, more=page.more)
        self.next_href = query("/audit", **chosen, before=page.next_before) if page.next_before else ""
        self.first_href = query("/audit", **chosen) if before else ""
        self.csv_href = query("/export/audit.csv", **asked)
        self.ocsf_href = query("/export/audit-events.ndjson", **asked)
        self.cef_href = query("/export/audit-events.cef", **asked)
        self._newest, self.arrived = page.rows[0].seq if page.rows else 0, ""
        # Older pages, and those of a time that is over, get no more entries.
        may_follow = not before and not chosen["until"]
        self.live = may_follow and given.get("live", "") == "1"
        self.live_href = query("/audit", **chosen, live="" if self.live else "1") if may_follow else ""
        self.may_export = bool({Persona.ADMIN.value, Persona.SECURITY_REVIEWER.value} & set(shell.personas))

    def _count(self, total: int, *, more: bool) -> None:
        found = counted(total, "entry", "entries")
        self.total, self.more, self.count = total, more, f"More than {found}" if more else found

    @rx.event
    async def tick(self) -> None:
        """Puts what was added since above the rest. Where it is refused, what was last known stays."""
        if not self.live:
            return
        shell = await self.get_state(ShellState)
        try:
            found = await perform("audit.tail", {**self._asked, "after": self._newest})
        except Refusal:
            return
        if found.rows:
            lines = [entry_line(row, shell.zone()) for row in found.rows]
            self.rows = [*lines, *self.rows][:FOLLOWED]
            self._newest = found.rows[0].seq
            self._count(self.total + len(lines), more=self.more)
            self.arrived = f"{counted(len(lines), 'new entry', 'new entries')} at the top" + (
                "; there were more, load the page to see them." if found.more else "."
            )

    @rx.event
    def search(self, form: dict[str, Any]) -> EventSpec:
        """Puts the filters into the address, which loads the list anew."""
        return rx.redirect(query("/audit", **{name: str(form.get(name) or "") for name in FILTERS}))


class EntryState(rx.State):
    """One entry in full."""

    line: EntryLine = EntryLine()
    content: str = ""
    canonical: str = ""
    previous_hash: str = ""
    checkpoint: str = ""
    checkpoint_href: str = ""
    receipt_href: str = ""

    @rx.event
    async def load(self) -> None:
        """Reads the entry in the address."""
        shell = await self.get_state(ShellState)
        found = await shell.ask("audit.read", {"seq": str(self.seq)})  # type: ignore[attr-defined]
        if found is None:
            return
        self.line = entry_line(found.row, shell.zone())
        self.canonical = found.content
        self.content = json.dumps(json.loads(found.content), indent=2, ensure_ascii=False)
        self.previous_hash = found.row.previous_hash
        size = found.checkpoint
        self.checkpoint = counted(size, "entry", "entries") if size else ""
        self.checkpoint_href = query("/audit/checkpoint", size=size) if size else ""
        self.receipt_href = query("/export/receipt", seq=found.row.seq)
