"""The tenant's settings: what holds, a change with its difference shown before it is saved, and what was changed."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator
from datetime import tzinfo
from typing import Any

import reflex as rx
from reflex.event import EventSpec

from workreef_app.services.operation import REGISTRY
from workreef_app.state.rows import Choice
from workreef_app.state.shell import ShellState
from workreef_app.state.words import counted, moment, number, query

PATH = "/admin/settings"


@dataclasses.dataclass(frozen=True)
class SettingField:
    """A setting in the form. `value` is as it is typed, `shown` as it is read."""

    name: str = ""
    title: str = ""
    kind: str = "number"
    value: str = ""
    shown: str = ""
    default: str = ""
    bounds: str = ""
    unit: str = ""
    meaning: str = ""
    changed: str = ""
    fault: str = ""


@dataclasses.dataclass(frozen=True)
class Edit:
    """A change that has been typed and not been saved."""

    title: str = ""
    before: str = ""
    after: str = ""
    unit: str = ""


@dataclasses.dataclass(frozen=True)
class ChangeLine:
    """A change in the history."""

    change_id: str = ""
    name: str = ""
    title: str = ""
    before: str = ""
    after: str = ""
    unit: str = ""
    by: str = ""
    at: str = ""
    entry: str = ""
    entry_href: str = ""
    can_undo: bool = False


def title_of(name: str) -> str:
    """A setting's name in words: `session.idle_minutes` is `Session: idle minutes`."""
    group, _, rest = name.partition(".")
    return f"{group.capitalize()}: {rest}".replace("_", " ") if rest else name.replace("_", " ").capitalize()


def value_text(value: int | str) -> str:
    """A value as people read it."""
    return number(value) if isinstance(value, int) else value


def field(row: Any, zone: tzinfo) -> SettingField:
    """A row of the door as the form shows it."""
    value = row.number if row.kind == "number" else row.word
    return SettingField(
        name=row.name, title=title_of(row.name), kind=row.kind, value=str(value), shown=value_text(value),
        default=value_text(row.default),
        bounds="" if row.minimum is None else f"{number(row.minimum)} to {number(row.maximum)}",
        unit=row.unit, meaning=row.meaning,
        changed=f"{moment(row.changed_at, zone)} by {row.changed_by}" if row.changed_at else "",
    )


def change_line(row: Any, now: dict[str, int | str], may_change: bool, zone: tzinfo) -> ChangeLine:
    """A row of the door as the history shows it. `now` is what holds, by setting."""
    return ChangeLine(
        change_id=str(row.id), name=row.name, title=title_of(row.name), before=value_text(row.before),
        after=value_text(row.after), unit=row.unit, by=row.by, at=moment(row.at, zone),
        entry=f"#{number(row.entry)}" if row.entry else "", entry_href=f"/audit/{row.entry}" if row.entry else "",
        can_undo=may_change and row.name in now and now[row.name] != row.before,
    )


class SettingsState(rx.State):
    """The settings and their history; which setting the history is of is in the address."""

    fields: list[SettingField] = []
    edits: list[Edit] = []
    edits_text: str = ""
    may_change: bool = False
    changes: list[ChangeLine] = []
    changes_total: int = 0
    changes_text: str = ""
    choices: list[Choice] = []
    history_of: str = ""
    history_title: str = ""
    next_href: str = ""
    first_href: str = ""
    #: What was read, by setting: its value and its version, so that nobody's change is overwritten unseen.
    _read: dict[str, tuple[int | str, int]] = {}
    #: The changes of the page of the history that is shown: setting and the value before.
    _before: dict[str, tuple[str, int | str]] = {}
    _typed: dict[str, int | str] = {}

    @rx.event
    async def load(self) -> None:
        """Reads the settings and a page of their history."""
        shell = await self.get_state(ShellState)
        self.edits, self._typed = [], {}
        self.may_change = bool({p.value for p in REGISTRY["settings.change"].by} & set(shell.personas))
        await self._load(shell)

    async def _load(self, shell: ShellState) -> None:
        found = await shell.ask("settings.read", {})
        if found is None:
            return
        zone = shell.zone()
        self.fields = [field(row, zone) for row in found.settings]
        self.choices = [Choice(f.name, f.title) for f in self.fields]
        self._read = {
            row.name: (row.number if row.kind == "number" else row.word, row.version) for row in found.settings
        }
        if not shell.locked:
            await self._load_history(shell, zone)

    async def _load_history(self, shell: ShellState, zone: tzinfo) -> None:
        given = self.router.url.query_parameters
        self.history_of, after = given.get("setting", ""), given.get("after", "")
        self.history_title = title_of(self.history_of) if self.history_of else ""
        page = await shell.ask("settings.history", {"name": self.history_of, "after": after})
        if page is None:
            return
        now = {name: value for name, (value, _) in self._read.items()}
        self.changes = [change_line(row, now, self.may_change, zone) for row in page.rows]
        self._before = {str(row.id): (row.name, row.before) for row in page.rows}
        self.changes_total, self.changes_text = page.count, counted(page.count, "change")
        self.next_href = query(PATH, setting=self.history_of, after=page.next) if page.next else ""
        self.first_href = query(PATH, setting=self.history_of) if after else ""

    @rx.event
    def review(self, form: dict[str, Any]) -> None:
        """Shows what the form would change, or what in it cannot be."""
        edits, faults = {}, {}
        for shown in self.fields:
            typed = str(form.get(shown.name, shown.value)).strip()
            if typed == shown.value:
                continue
            value = _parsed(shown.kind, typed)
            if value is None:
                faults[shown.name] = "This is no whole number."
            elif value != self._read[shown.name][0]:
                edits[shown.name] = value
        self._typed = {} if faults else edits
        self.fields = [dataclasses.replace(f, fault=faults.get(f.name, "")) for f in self.fields]
        self.edits = [
            Edit(shown.title, shown.shown, value_text(self._typed[shown.name]), shown.unit)
            for shown in self.fields if shown.name in self._typed
        ]
        self.edits_text = f"Save {counted(len(self.edits), 'change')}"

    @rx.event
    def cancel(self) -> None:
        """Takes the difference away; what was typed stays in the form."""
        self.edits, self._typed = [], {}

    @rx.event
    async def save(self) -> AsyncIterator[None]:
        """Makes the changes that are shown, one after the other, up to the first that is refused."""
        shell = await self.get_state(ShellState)
        wanted, saved = dict(self._typed), 0
        self.edits, self._typed = [], {}
        for name, value in wanted.items():
            if await self._change(shell, name, value) is None:
                break
            saved += 1
            shell.accept(name)
            # Each field's draft is forgotten by itself.
            yield
        refused, why = shell.refused, shell.status
        if saved or refused:
            await self._load(shell)
        if refused:
            shell.status = f"{why} {counted(saved, 'change')} of {len(wanted)} saved." if len(wanted) > 1 else why
        elif saved:
            shell.status = f"{counted(saved, 'setting')} changed."
            shell.status_href = query("/audit", event="setting.changed")

    async def _change(self, shell: ShellState, name: str, value: int | str) -> Any | None:
        kind = "number" if isinstance(value, int) else "word"
        return await shell.act("settings.change", {"name": name, kind: value, "version": self._read[name][1]})

    @rx.event
    async def undo(self, change_id: str) -> None:
        """Sets a setting back to what it was before a change of the history."""
        if change_id not in self._before:
            return
        shell = await self.get_state(ShellState)
        name, value = self._before[change_id]
        done = await self._change(shell, name, value) if name in self._read else None
        why = shell.status
        await self._load(shell)
        shell.status = why
        if done is not None:
            shell.status = f"{title_of(name)} is {value_text(value)} again."
            shell.status_href = query("/audit", target=f"setting:{name}")

    @rx.event
    def choose_history(self, name: str) -> EventSpec:
        """Puts the setting whose history is shown into the address."""
        self.history_of = name
        return rx.redirect(query(PATH, setting=name), replace=True)


def _parsed(kind: str, typed: str) -> int | str | None:
    """What was typed as a value; None where it is no whole number."""
    if kind != "number":
        return typed
    try:
        return int(typed.replace(",", "")) if len(typed) <= 20 else None
    except ValueError:
        return None
