"""Reads a log at the edge and hands it to the import operations in batches: for the command line and the demo alike."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, tzinfo
from hashlib import sha256
from itertools import chain
from typing import BinaryIO
from uuid import UUID

from pydantic import ValidationError

from workreef_app.services.door import Caller, Door
from workreef_app.services.recommend.operations import FinishImport, ImportFinished
from workreef_app.services.signals.models import RunStatus, SourceKind
from workreef_app.services.signals.operations import BATCH_LINES, AddLines, Import, LogLine, StartImport
from workreef_app.services.signals.reader import Line, LineReader, Reason, Skipped, read_lines


@dataclass(frozen=True, slots=True)
class Dating:
    """What dates a line whose own time lacks a zone or a year. `now` is aware and bounds a guessed year."""

    zone: tzinfo
    year: int | None
    now: datetime


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an import is: lines counted so far and bytes read."""

    lines: int
    read: int


@dataclass(frozen=True, slots=True)
class Account:
    """What an import came to, and how long it took in seconds."""

    finished: ImportFinished
    seconds: float


class Stopped(Exception):
    """The import ended before the file did. What was counted is kept; `finished` is None if even that is unknown."""

    def __init__(self, finished: ImportFinished | None) -> None:
        super().__init__("the import was stopped")
        self.finished = finished


def import_log(
    door: Door,
    caller: Caller,
    stream: BinaryIO,
    *,
    kind: SourceKind,
    file_name: str,
    department: str | None,
    dating: Dating,
    progress: Callable[[Progress], None] = lambda _: None,
) -> Account:
    """Imports a whole stream. Raises UnreadableFile or a Refusal before anything is counted.

    Any later failure, Ctrl-C included, ends the import as stopped and is the cause of a Stopped.
    """
    begun = time.monotonic()
    reader = read_lines(stream, zone=dating.zone, year=dating.year, now=dating.now)
    first = list(next_of(reader))
    command = StartImport(kind=kind, file_name=file_name, department=department)
    run: Import = door.perform(caller, "imports.start", command)
    try:
        _send(door, caller, run.id, reader, chain(first, reader), progress)
        done = FinishImport(import_id=run.id)
        finished: ImportFinished = door.perform(caller, "imports.finish", done)
    except BaseException as cause:
        raise Stopped(_stop(door, caller, run.id)) from cause
    return Account(finished, time.monotonic() - begun)


def next_of(reader: LineReader) -> Iterable[Line | Skipped]:
    """The first line, if there is one: what is no log at all fails here."""
    for item in reader:
        return (item,)
    return ()


def _send(
    door: Door,
    caller: Caller,
    run_id: UUID,
    reader: LineReader,
    items: Iterable[Line | Skipped],
    progress: Callable[[Progress], None],
) -> None:
    """Sends every line in batches."""
    batch, counted = 0, 0
    lines: list[LogLine] = []
    skipped: Counter[Reason] = Counter()
    for number, item in enumerate(items, 1):
        _sort(item, lines, skipped)
        if len(lines) == BATCH_LINES or number % (4 * BATCH_LINES) == 0:
            counted = _add(door, caller, run_id, batch, lines, skipped)
            batch, lines, skipped = batch + 1, [], Counter()
            progress(Progress(counted, reader.bytes_read))
    if lines or skipped:
        counted = _add(door, caller, run_id, batch, lines, skipped)
    progress(Progress(counted, reader.bytes_read))


def _sort(item: Line | Skipped, lines: list[LogLine], skipped: Counter[Reason]) -> None:
    if isinstance(item, Skipped):
        skipped[item.reason] += 1
        return
    try:
        lines.append(LogLine(at=item.at, message=item.message, identity=sha256(item.raw).hexdigest()))
    except ValidationError:
        # Text that no column can hold, such as a lone surrogate that JSON escaped.
        skipped[Reason.UNDECODABLE] += 1


def _add(door: Door, caller: Caller, run_id: UUID, batch: int, lines: list[LogLine], skipped: Counter[Reason]) -> int:
    command = AddLines(import_id=run_id, batch=batch, lines=lines, skipped=dict(skipped))
    added: Import = door.perform(caller, "imports.add_lines", command)
    return added.lines


def _stop(door: Door, caller: Caller, run_id: UUID) -> ImportFinished | None:
    with suppress(Exception):
        stopped: ImportFinished = door.perform(
            caller, "imports.finish", FinishImport(import_id=run_id, outcome=RunStatus.STOPPED)
        )
        return stopped
    return None


#: Why a line was skipped, for people: one line and several.
WORDS: dict[Reason, str] = {
    Reason.UNDATED: "without a time that is recognised",
    Reason.FUTURE: "dated more than a day ahead",
    Reason.UNDECODABLE: "not UTF-8 text",
    Reason.TOO_LONG: "longer than 64 KiB",
    Reason.EMPTY: "empty",
    Reason.NO_MESSAGE: "without a message",
    Reason.CONTINUATION: "continuing the line before",
}


def skipped_in_words(skipped: dict[str, int]) -> str:
    """`12 skipped: 10 empty, 2 not UTF-8 text`."""
    total = sum(skipped.values())
    if not total:
        return "none skipped"
    parts = [
        f"{times:,} {WORDS[Reason(reason)]}" for reason, times in sorted(skipped.items(), key=lambda p: -p[1]) if times
    ]
    return f"{total:,} skipped ({', '.join(parts)})"
