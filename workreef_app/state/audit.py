"""The audit screens: the log, one entry, the verification of the chain."""

from __future__ import annotations

import dataclasses
import json
from datetime import datetime, tzinfo
from typing import Any

import reflex as rx
from reflex.event import EventSpec

from workreef_app.services.operation import Event, Persona
from workreef_app.state.shell import ShellState
from workreef_app.state.words import counted, day_begins, exact, number, query

FILTERS = ("actor", "event", "target", "since", "until")
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
    chain_hash: str = ""


def entry_line(row: Any, zone: tzinfo) -> EntryLine:
    """A row of the door as the list shows it."""
    return EntryLine(
        seq=f"#{number(row.seq)}", href=f"/audit/{row.seq}", at=exact(datetime.fromisoformat(row.at), zone),
        actor=row.actor_name or row.actor, actor_href=query("/audit", actor=row.actor), event=row.event,
        target=row.target, target_href=query("/audit", target=row.target) if row.target else "",
        chain_hash=row.chain_hash,
    )


class AuditState(rx.State):
    """The log; its filters are in the address."""

    rows: list[EntryLine] = []
    count: str = ""
    total: int = 0
    filtered: bool = False
    actor: str = ""
    event: str = ""
    target: str = ""
    since: str = ""
    until: str = ""
    next_href: str = ""
    first_href: str = ""
    csv_href: str = ""
    may_export: bool = False

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
        page = await shell.ask("audit.list", {k: v for k, v in {**asked, "before": before}.items() if v})
        if page is None:
            return
        self.actor, self.event, self.target, self.since, self.until = (chosen[name] for name in FILTERS)
        self.filtered = any(chosen.values())
        self.rows = [entry_line(row, zone) for row in page.rows]
        self.total, self.count = page.count, counted(page.count, "entry", "entries")
        self.next_href = query("/audit", **chosen, before=page.next_before) if page.next_before else ""
        self.first_href = query("/audit", **chosen) if before else ""
        self.csv_href = query("/export/audit.csv", **asked)
        self.may_export = bool({Persona.ADMIN.value, Persona.SECURITY_REVIEWER.value} & set(shell.personas))

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
        self.previous_hash = found.previous_hash
        size = found.checkpoint
        self.checkpoint = counted(size, "entry", "entries") if size else ""
        self.checkpoint_href = query("/audit/checkpoint", size=size) if size else ""
        self.receipt_href = query("/export/receipt", seq=found.row.seq)
