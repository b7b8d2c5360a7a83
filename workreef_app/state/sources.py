"""The sources in scope, each with the account of its last import."""

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
    last_at: str = ""
    account: str = ""


SKIPPED = {
    "undated": "without a time", "undecodable": "not UTF-8", "too_long": "longer than 64 KiB", "empty": "empty",
    "future": "dated in the future", "no_message": "without a message",
    "continuation": "belonging to the line before",
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
        last=run.status.value.capitalize() if run else "Never", last_at=moment(source.last_import_at) if run else "",
        account=account(run) if run else "–",
    )


class SourcesState(rx.State):
    """What facts are read from."""

    sources: list[SourceLine] = []

    @rx.event
    async def load(self) -> None:
        """Reads the sources in scope; a locked tenant's cannot be read."""
        shell = await self.get_state(ShellState)
        if shell.locked:
            return
        found = await shell.ask("sources.list", {})
        if found is not None:
            self.sources = [source_line(source) for source in found.sources]
