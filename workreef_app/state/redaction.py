"""The redaction profile: what holds, a try of another one on a text, the difference before it is saved, a test set."""

from __future__ import annotations

import dataclasses
from typing import Any

import reflex as rx

from workreef_app.services.operation import REGISTRY
from workreef_app.state.shell import ShellState
from workreef_app.state.words import counted, moment, query

TABS = (("off", "Off"), ("standard", "Standard"), ("aggressive", "Aggressive"), ("custom", "Custom"))
CLASS = "class:"
WORDS = {"deny": "Deny list", "allow": "Allow list", "patterns": "Patterns", "classes": "Classes"}


@dataclasses.dataclass(frozen=True)
class ClassBox:
    """A class as the form of a custom profile offers it."""

    name: str = ""
    field: str = ""
    checked: bool = False


@dataclasses.dataclass(frozen=True)
class FindLine:
    """A find of the preview."""

    kind: str = ""
    rule: str = ""
    token: str = ""
    place: str = ""


@dataclasses.dataclass(frozen=True)
class ScoreLine:
    """Recall and precision of a class on the test set."""

    kind: str = ""
    true: str = ""
    found: str = ""
    recall: str = ""
    precision: str = ""


@dataclasses.dataclass(frozen=True)
class Difference:
    """A part of the profile that a save would change."""

    part: str = ""
    before: str = ""
    after: str = ""


@dataclasses.dataclass(frozen=True)
class ChangeLine:
    """A change in the history."""

    at: str = ""
    by: str = ""
    before: str = ""
    after: str = ""
    entry: str = ""
    entry_href: str = ""


def lines_of(text: Any) -> list[str]:
    """The lines of a field that say something."""
    return [line.strip() for line in str(text or "").splitlines() if line.strip()]


def share(value: float | None) -> str:
    """A share as people read it."""
    return "–" if value is None else f"{100 * value:.1f} %"


def differences(held: dict[str, Any], wanted: dict[str, Any]) -> list[Difference]:
    """What a save would change, part by part."""
    found = []
    if held["name"] != wanted["name"]:
        found.append(Difference("Profile", held["name"], wanted["name"]))
    for part, word in WORDS.items():
        gone = [entry for entry in held[part] if entry not in wanted[part]]
        new = [entry for entry in wanted[part] if entry not in held[part]]
        if gone or new:
            found.append(Difference(word, ", ".join(gone), ", ".join(new)))
    if held["response"] != wanted["response"]:
        found.append(Difference("Answers", *("redacted too" if on else "left as they are"
                                             for on in (held["response"], wanted["response"]))))
    return found


def in_words(profile: Any) -> str:
    """A profile of the history in a few words."""
    if profile.name != "custom":
        return str(profile.name)
    return f"custom: {', '.join(profile.finds) or 'no class'}; {len(profile.deny)} denied, {len(profile.allow)} allowed"


class RedactionState(rx.State):
    """The profile that holds, the one that is tried, and what a text becomes under it."""

    holds: str = ""
    tab: str = ""
    finds: str = ""
    people: str = ""
    changed: str = ""
    classes: list[ClassBox] = []
    deny: str = ""
    allow: str = ""
    patterns: str = ""
    response: bool = False
    mark: str = ""
    may_change: bool = False
    leaves: str = ""
    answer: str = ""
    restored: str = ""
    unknown: str = ""
    found: list[FindLine] = []
    found_text: str = ""
    shown: bool = False
    edits: list[Difference] = []
    scores: list[ScoreLine] = []
    scores_text: str = ""
    history: list[ChangeLine] = []
    history_text: str = ""
    _held: dict[str, Any] = {}
    _version: int = 0
    _wanted: dict[str, Any] = {}

    @rx.event
    async def load(self) -> None:
        """Reads the profile that holds, and its latest changes."""
        shell = await self.get_state(ShellState)
        self._forget()
        self.scores, self.scores_text = [], ""
        self.may_change = bool({p.value for p in REGISTRY["redaction.change"].by} & set(shell.personas))
        found = await shell.ask("redaction.read", {})
        if found is not None:
            self._show(found, shell)
            await self._load_history(shell)

    def _forget(self) -> None:
        self.leaves = self.answer = self.restored = self.unknown = self.found_text = ""
        self.found, self.edits, self.shown, self._wanted = [], [], False, {}

    def _show(self, found: Any, shell: ShellState) -> None:
        self.holds = self.tab = found.name
        self.finds = ", ".join(found.finds) or "nothing"
        self.people = counted(found.people, "name", "names")
        self.classes = [ClassBox(name, CLASS + name, name in found.classes) for name in found.known_classes]
        self.deny, self.allow = "\n".join(found.deny), "\n".join(found.allow)
        self.patterns, self.response = "\n".join(found.patterns), found.response
        self.changed = f"Changed {moment(found.changed_at, shell.zone())} by {found.changed_by}" if (
            found.changed_at) else "Never changed"
        self._version, self.mark = found.version, str(found.version)
        self._held = {name: getattr(found, name) for name in ("name", "response", *WORDS)}

    async def _load_history(self, shell: ShellState) -> None:
        page = await shell.ask("redaction.history", {"limit": 10})
        if page is None:
            return
        self.history_text = counted(page.count, "change")
        self.history = [
            ChangeLine(
                moment(row.at, shell.zone()), row.by, in_words(row.before), in_words(row.after),
                f"#{row.entry}" if row.entry else "", f"/audit/{row.entry}" if row.entry else "",
            )
            for row in page.rows
        ]

    @rx.event
    def choose(self, tab: str) -> None:
        """Tries another profile; nothing is saved by it."""
        self.tab, self.edits, self._wanted = tab, [], {}

    def _draft(self, form: dict[str, Any]) -> dict[str, Any]:
        if self.tab != "custom":
            return {**self._held, "name": self.tab}
        return {
            "name": "custom", "classes": [box.name for box in self.classes if form.get(box.field)],
            "deny": lines_of(form.get("deny")), "allow": lines_of(form.get("allow")),
            "patterns": lines_of(form.get("patterns")), "response": bool(form.get("response")),
        }

    @rx.event
    async def preview(self, form: dict[str, Any]) -> None:
        """Shows what the text would become under the profile that is tried, and what a save would change."""
        shell = await self.get_state(ShellState)
        draft = self._draft(form)
        done = await shell.act("redaction.preview", {
            **draft, "text": str(form.get("text") or ""), "answer": str(form.get("answer") or ""),
        })
        if done is None:
            self._forget()
            return
        self.leaves, self.answer, self.restored = done.leaves, done.answer, done.restored
        self.unknown = f"{counted(done.unknown, 'token')} not known, left visible." if done.unknown else ""
        self.found = [FindLine(f.kind, f.rule, f.token, f"{f.start} to {f.end}") for f in done.findings]
        self.found_text = counted(len(self.found), "find")
        self.shown = True
        self._wanted, self.edits = draft, differences(self._held, draft)

    @rx.event
    def cancel(self) -> None:
        """Takes the difference away; what was typed stays."""
        self.edits, self._wanted = [], {}

    @rx.event
    async def save(self) -> None:
        """Saves the profile whose difference is shown."""
        shell = await self.get_state(ShellState)
        if not self._wanted:
            return
        found = await shell.act("redaction.change", {**self._wanted, "version": self._version})
        self.edits, self._wanted = [], {}
        if found is None:
            return
        self._show(found, shell)
        await self._load_history(shell)
        shell.status = "The redaction profile is changed. The next call is redacted by it."
        shell.status_href = query("/audit", event="redaction.changed")

    @rx.event
    async def measure(self, form: dict[str, Any]) -> None:
        """Measures the profile that is saved on labelled lines."""
        shell = await self.get_state(ShellState)
        self.scores, self.scores_text = [], ""
        done = await shell.act("redaction.test", {"lines": lines_of(form.get("lines"))})
        if done is None:
            return
        self.scores_text = f"{counted(done.lines, 'line')} measured with the profile that is saved."
        self.scores = [
            ScoreLine(row.kind, str(row.true), str(row.found), share(row.recall), share(row.precision))
            for row in done.rows
        ]
