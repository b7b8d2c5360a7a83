"""The sources in scope, each with the account of its last import."""

from __future__ import annotations

import dataclasses
from datetime import datetime, tzinfo
from typing import Any

import reflex as rx

from workreef_app.services.signals.models import RunStatus
from workreef_app.state.shell import ShellState
from workreef_app.state.words import counted, moment, number, query


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
    last_href: str = ""
    account: str = ""


SKIPPED = {
    "undated": "without a time", "undecodable": "not UTF-8", "too_long": "longer than 64 KiB", "empty": "empty",
    "future": "dated in the future", "no_message": "without a message",
    "continuation": "belonging to the line before",
}


#: How an import stands: the meaning and the word of its badge.
STANDING = {
    RunStatus.RECEIVING: ("attention", "Receiving"), RunStatus.QUEUED: ("attention", "Waiting"),
    RunStatus.RUNNING: ("attention", "Counting"), RunStatus.FINISHED: ("proven", "Finished"),
    RunStatus.STOPPED: ("broken", "Stopped"),
}
ENDED = frozenset({RunStatus.FINISHED, RunStatus.STOPPED})


def account(run: Any) -> str:
    """An import's account of every line, in one sentence."""
    parts = [f"{number(run.lines)} read", f"{number(run.added)} new", f"{number(run.repeated)} known before"]
    parts += [f"{number(n)} {SKIPPED.get(reason, reason)}" for reason, n in sorted(run.skipped.items()) if n]
    return ", ".join(parts)


def source_line(source: Any, zone: tzinfo) -> SourceLine:
    """A row of the door as the page shows it."""
    run = source.last_import
    state, word = STANDING[run.status] if run else ("unknown", "Never")
    return SourceLine(
        name=source.name, kind=source.kind.value, as_of=moment(source.as_of, zone),
        signals=counted(source.signals, "signal"), state=state, last=word,
        last_at=moment(source.last_import_at, zone) if run else "",
        last_href=query("/sources", **{"import": run.id}) if run else "",
        account=account(run) if run else "–",
    )


class SourcesState(rx.State):
    """What facts are read from."""

    sources: list[SourceLine] = []
    _last: list[tuple[str, str, bool, datetime]] = []

    @rx.event
    async def load(self) -> None:
        """Reads the sources in scope; a locked tenant's cannot be read."""
        shell = await self.get_state(ShellState)
        if not shell.locked:
            await self.read(shell)

    async def read(self, shell: ShellState) -> None:
        """Reads the sources, with their last imports."""
        found = await shell.ask("sources.list", {})
        if found is not None:
            self.sources = [source_line(source, shell.zone()) for source in found.sources]
            runs = [source.last_import for source in found.sources if source.last_import is not None]
            self._last = [
                (str(run.id), run.file_name, run.status not in ENDED, run.finished_at or run.started_at) for run in runs
            ]

    def under_way(self) -> list[str]:
        """The ids of imports that have not ended."""
        return [import_id for import_id, _, active, _ in self._last if active]

    def latest(self, file_name: str, since: datetime) -> str:
        """The id of the import of a file of this name that is under way or has ended since then; empty for none."""
        found = [row[0] for row in self._last if row[1] == file_name and (row[2] or row[3] >= since)]
        return max(found, default="")
