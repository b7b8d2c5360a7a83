"""A contributor's own screen: one calm sentence, never a score; and the notes, as their readers see them."""

from __future__ import annotations

import dataclasses
from datetime import tzinfo
from typing import Any

import reflex as rx

from workreef_app.state.rows import Choice
from workreef_app.state.shell import ShellState
from workreef_app.state.words import counted, moment, number, query


@dataclasses.dataclass(frozen=True)
class NoteLine:
    """A note as a page shows it."""

    note_id: str = ""
    text: str = ""
    author: str = ""
    department: str = ""
    at: str = ""
    mine: bool = False


@dataclasses.dataclass(frozen=True)
class DidLine:
    """Something that the reader did."""

    entry: str = ""
    at: str = ""
    text: str = ""


def note_line(row: Any, zone: tzinfo) -> NoteLine:
    """A row of the door as a page shows it."""
    return NoteLine(
        note_id=str(row.id), text=row.text, author=row.author, department=row.department, at=moment(row.at, zone),
        mine=row.mine,
    )


class MyWorkState(rx.State):
    """What is changing about my work, whom to ask, what I added, and what I did here."""

    status: str = ""
    changes: str = ""
    ask_whom: str = ""
    departments: list[Choice] = []
    several: bool = False
    notes: list[NoteLine] = []
    did: list[DidLine] = []
    next_href: str = ""
    first_href: str = ""
    #: Grows with each note that was taken, so that the field is drawn empty.
    taken: int = 0

    @rx.event
    async def load(self) -> None:
        """Reads the contributor's status, notes and timeline."""
        shell = await self.get_state(ShellState)
        await self._read(shell)

    async def _read(self, shell: ShellState) -> None:
        before = self.router.url.query_parameters.get("before", "")
        found = await shell.ask("my_work.read", {"before": before} if before else {})
        notes = await shell.ask("notes.list", {"limit": 200}) if found is not None else None
        if found is None or notes is None:
            return
        zone = shell.zone()
        self.status, self.changes, self.ask_whom = found.status, found.changes, found.ask
        self.departments = [Choice(d.slug, d.name) for d in found.departments]
        self.several = len(found.departments) > 1
        self.notes = [note_line(row, zone) for row in notes.rows if row.mine]
        self.did = [DidLine(f"#{number(row.entry)}", moment(row.at, zone), row.text) for row in found.timeline]
        self.next_href = query("/me", before=found.next_before) if found.next_before else ""
        self.first_href = "/me" if before else ""

    @rx.event
    async def add(self, form: dict[str, Any]) -> None:
        """Adds what was typed."""
        shell = await self.get_state(ShellState)
        sent = {"text": str(form.get("text") or ""), "department": str(form.get("department") or "")}
        done = await shell.act("notes.add", sent)
        if done is None:
            return
        shell.accept("note")
        self.taken += 1
        await self._read(shell)
        shell.status = f"Your note is kept. The operators and leads of {done.department} can read it."

    @rx.event
    async def withdraw(self, note_id: str) -> None:
        """Takes a note back."""
        shell = await self.get_state(ShellState)
        if await shell.act("notes.withdraw", {"note_id": note_id}) is not None:
            await self._read(shell)
            shell.status = "Your note was taken back and erased."


class NotesState(rx.State):
    """What contributors noted, for the operators and leads of their department."""

    rows: list[NoteLine] = []
    count: str = ""
    total: int = 0
    next_href: str = ""
    first_href: str = ""

    @rx.event
    async def load(self) -> None:
        """Reads a page of notes."""
        shell = await self.get_state(ShellState)
        after = self.router.url.query_parameters.get("after", "")
        page = await shell.ask("notes.list", {"after": after} if after else {})
        if page is None:
            return
        zone = shell.zone()
        self.rows = [note_line(row, zone) for row in page.rows]
        self.total, self.count = page.count, counted(page.count, "note")
        self.next_href = query("/notes", after=page.next) if page.next else ""
        self.first_href = "/notes" if after else ""
