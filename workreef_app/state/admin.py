"""The admin's screens: how the tenant stands."""

from __future__ import annotations

import dataclasses
from typing import Any

import reflex as rx

from workreef_app.state.shell import ShellState
from workreef_app.state.words import counted, moment, number


@dataclasses.dataclass(frozen=True)
class SourceLine:
    """A source and the account of its last import."""

    name: str = ""
    kind: str = "log_file"
    as_of: str = ""
    signals: str = ""
    state: str = "unknown"
    last: str = ""
    account: str = ""


@dataclasses.dataclass(frozen=True)
class SettingLine:
    """A setting of the tenant."""

    name: str = ""
    value: str = ""
    own: bool = False
    bounds: str = ""
    meaning: str = ""


SKIPPED = {
    "undated": "without a time", "undecodable": "not UTF-8", "too_long": "longer than 64 KiB",
    "empty": "empty", "no_message": "without a message", "continuation": "belonging to the line before",
}


def account(run: Any) -> str:
    """An import's account of every line, in one sentence."""
    parts = [f"{number(run.lines)} read", f"{number(run.added)} new", f"{number(run.repeated)} known before"]
    parts += [f"{number(n)} {SKIPPED.get(reason, reason)}" for reason, n in sorted(run.skipped.items()) if n]
    return ", ".join(parts)


def source_line(source: Any) -> SourceLine:
    """A row of the door as the page shows it."""
    run = source.last_import
    states = {"finished": "proven", "running": "attention", "stopped": "attention"}
    return SourceLine(
        name=source.name, kind=source.kind.value, as_of=moment(source.as_of),
        signals=counted(source.signals, "signal"), state=states[run.status.value] if run else "unknown",
        last=f"{run.status.value}, {moment(source.last_import_at)}" if run else "never", account=account(run) if run else "",
    )


class StatusState(rx.State):
    """Sources, settings and the key, each with its state."""

    sources: list[SourceLine] = []
    settings: list[SettingLine] = []
    key_state: str = "proven"
    key_word: str = "Answers"
    key_text: str = ""

    @rx.event
    async def load(self) -> None:
        """Reads sources and settings."""
        shell = await self.get_state(ShellState)
        self.key_state = "broken" if shell.locked else "proven"
        self.key_word = "Does not answer" if shell.locked else "Answers"
        self.key_text = (
            "Nothing sealed can be read until it does."
            if shell.locked else "What is sealed under it can be read."
        )
        settings = await shell.ask("settings.read", {})
        if settings is None:
            return
        self.settings = [
            SettingLine(s.name, number(s.number), s.number != s.default, f"{s.minimum:,} to {s.maximum:,}", s.meaning)
            for s in settings.settings
        ]
        if shell.locked:
            return
        sources = await shell.ask("sources.list", {})
        if sources is not None:
            self.sources = [source_line(s) for s in sources.sources]
