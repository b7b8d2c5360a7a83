"""Witnesses of checkpoints: which there are, a new one, and the end of one."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, tzinfo
from typing import Any

import reflex as rx

from workreef_app.services.operation import REGISTRY
from workreef_app.state.shell import ShellState
from workreef_app.state.words import counted, lately, query

KINDS = (("folder", "Folder"), ("webhook", "Webhook"), ("s3", "Bucket with Object Lock"))
FIELDS = ("kind", "target", "region", "endpoint", "access_key", "secret_key")


@dataclasses.dataclass(frozen=True)
class WitnessLine:
    """A witness in the list."""

    witness_id: str = ""
    kind: str = ""
    target: str = ""
    state: str = "unknown"
    standing: str = ""
    taken: str = ""


def witness_line(row: Any, now: datetime, zone: tzinfo) -> WitnessLine:
    """A row of the door as the list shows it."""
    state, standing = "proven", "Up to date"
    if row.failing_since is not None:
        state, standing = "broken", f"Refuses since {lately(row.failing_since, now, zone)}: {row.failure.value}"
    elif row.behind:
        state, standing = "attention", "Waits for its turn, a minute at most"
    taken = "None"
    if row.taken_at is not None:
        taken = f"{counted(row.sent_size, 'entry', 'entries')}, {lately(row.taken_at, now, zone)}"
    return WitnessLine(str(row.id), dict(KINDS)[row.kind.value], row.target, state, standing, taken)


class WitnessState(rx.State):
    """The tenant's witnesses."""

    rows: list[WitnessLine] = []
    may_change: bool = False
    #: The kind whose fields the form shows; empty for the first.
    kind: str = ""
    #: The secret of a webhook, shown once, right after it was made; a reload forgets it.
    made: str = ""

    @rx.event
    async def load(self) -> None:
        """Reads the list."""
        shell = await self.get_state(ShellState)
        self.made = ""
        self.may_change = bool({persona.value for persona in REGISTRY["witnesses.add"].by} & set(shell.personas))
        await self._load(shell)

    async def _load(self, shell: ShellState) -> None:
        found = await shell.ask("witnesses.list", {})
        if found is not None:
            now, zone = datetime.now(UTC), shell.zone()
            self.rows = [witness_line(row, now, zone) for row in found.rows]

    @rx.event
    def choose(self, kind: str) -> None:
        """Shows the fields of a kind."""
        self.kind = kind if kind in dict(KINDS) else ""

    @rx.event
    async def add(self, form: dict[str, Any]) -> None:
        """Adds a witness."""
        shell = await self.get_state(ShellState)
        self.made = ""
        sent = {name: str(form.get(name) or "") for name in FIELDS if form.get(name)}
        found = await shell.act("witnesses.add", {"kind": KINDS[0][0], **sent})
        if found is None:
            return
        await self._load(shell)
        self.made = found.new_secret or ""
        shell.status = "The witness is added. The last checkpoint is handed to it within a minute."
        shell.status_href = query("/audit", target=f"witness:{found.row.id}")

    @rx.event
    async def remove(self, witness_id: str) -> None:
        """Removes a witness."""
        shell = await self.get_state(ShellState)
        if await shell.act("witnesses.remove", {"witness_id": witness_id}) is None:
            return
        await self._load(shell)
        self.made = ""
        shell.status = "The witness is removed. What it has taken stays there."
        shell.status_href = query("/audit", target=f"witness:{witness_id}")
