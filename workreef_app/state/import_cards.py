"""An import as its page tells it: how far it is, what became of every line, why it stopped."""

from __future__ import annotations

import dataclasses
from datetime import tzinfo
from typing import Any

from workreef_app.services.signals.foreign import Fault
from workreef_app.services.signals.models import RunStatus, StopReason
from workreef_app.state.sources import ENDED, SKIPPED, STANDING
from workreef_app.state.words import counted, moment, number, query

AGAIN = "no line is counted twice."
#: What is kept of an import that stopped, and what to do, beside why it stopped.
KEPT = {
    StopReason.CANCELLED: "What had been counted by then is kept; nothing else of the file is.",
    StopReason.INTERRUPTED: "What came is counted, up to its last whole line. Import the file again for the rest: "
                            + AGAIN,
    StopReason.FAILED: "What was counted is kept.",
    StopReason.DISK_FULL: "What was counted is kept.",
    StopReason.ABANDONED: "Import the file again: " + AGAIN,
}
#: What the command line says in its own words.
FAULTS = {
    Fault.GZIP: "This is gzip data. Import it again with the box “The file is gzip” ticked.",
    Fault.NOT_GZIP: "This is not gzip data. Import it again without the box “The file is gzip”.",
}
UNITS = ("B", "KB", "MB", "GB")


def size(count: int) -> str:
    """Bytes as people read them: `640 B`, `12.3 MB`, `128 MB`."""
    value, unit = float(count), 0
    while value >= 1000 and unit < len(UNITS) - 1:
        value, unit = value / 1000, unit + 1
    return f"{value:.1f} {UNITS[unit]}" if unit and value < 100 else f"{value:.0f} {UNITS[unit]}"


@dataclasses.dataclass(frozen=True)
class AccountLine:
    """A number of an import's account: what it counts, and how many."""

    label: str = ""
    number: str = ""


@dataclasses.dataclass(frozen=True)
class ImportCard:
    """An import as the page shows it. `percent` is how far counting is, -1 while that is not known."""

    id: str = ""
    file_name: str = ""
    state: str = "unknown"
    word: str = ""
    said: str = ""
    active: bool = False
    percent: int = -1
    may_cancel: bool = False
    account: list[AccountLine] = dataclasses.field(default_factory=list)
    tasks_text: str = ""
    tasks_href: str = ""
    started_at: str = ""


def reason_text(run: Any) -> str:
    """Why an import stopped, what is kept of it, and what to do, in plain words."""
    return " ".join(filter(None, [FAULTS.get(run.fault, run.told), KEPT.get(run.reason, "")]))


def account_lines(run: Any) -> list[AccountLine]:
    """Every line of the file that was read, by what became of it."""
    lines = [AccountLine("Lines read", number(run.lines)), AccountLine("New", number(run.added)),
             AccountLine("Known before", number(run.repeated))]
    skipped = sorted(run.skipped.items(), key=lambda pair: -pair[1])
    return lines + [AccountLine(f"Skipped: {SKIPPED.get(reason, reason)}", number(n)) for reason, n in skipped if n]


def _said(run: Any, rate: int, cancelling: bool) -> str:
    received = size(run.bytes_received)
    if cancelling and run.status not in ENDED:
        return f"Being cancelled; it stops at its next step. {counted(run.lines, 'line')} counted so far."
    if run.status == RunStatus.RECEIVING:
        return f"The file is arriving: {received} so far."
    if run.status == RunStatus.QUEUED:
        return f"{received} arrived. It waits for a worker."
    if run.status == RunStatus.RUNNING:
        pace = f", {number(rate)} a second" if rate else ""
        return f"{counted(run.lines, 'line')} counted{pace}; {size(run.bytes_counted)} of {received}."
    if run.status == RunStatus.STOPPED:
        return reason_text(run)
    return f"Every line is accounted for: {counted(run.lines, 'line')} in {received}."


def import_card(run: Any, zone: tzinfo, *, rate: int = 0, cancelling: bool = False) -> ImportCard:
    """The door's import as the page shows it; `rate` is in lines a second, 0 while it is not known."""
    active = run.status not in ENDED
    state, word = STANDING[run.status]
    running = run.status == RunStatus.RUNNING and run.bytes_received > 0
    return ImportCard(
        id=str(run.id), file_name=run.file_name, state=state, word=word, said=_said(run, rate, cancelling),
        active=active, percent=min(100, run.bytes_counted * 100 // run.bytes_received) if running else -1,
        may_cancel=active and not cancelling,
        account=[] if active or not run.lines else account_lines(run),
        tasks_text=counted(run.new_tasks, "new task"),
        tasks_href=query("/tasks", since=run.started_at.isoformat()) if run.new_tasks else "",
        started_at=moment(run.started_at, zone),
    )
