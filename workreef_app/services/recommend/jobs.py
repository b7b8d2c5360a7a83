"""The jobs of imports: counting what one received, and sweeping up after those whose sender or job died.

All that the counting knows is in the database after every step, so that it goes on in another process from there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from workreef_app.services.access import zones
from workreef_app.services.jobs.kinds import JobFailed, JobRun, Queue, Released, kind
from workreef_app.services.operation import DiskFull
from workreef_app.services.recommend.finishing import FinishImport, job_ended, job_retried
from workreef_app.services.signals import advancing
from workreef_app.services.signals.advancing import AdvanceImport, Chunk, Place
from workreef_app.services.signals.chunks import ChunkStream
from workreef_app.services.signals.foreign import Fault
from workreef_app.services.signals.models import StopReason
from workreef_app.services.signals.reader import (
    Line,
    LineReader,
    Reason,
    Skipped,
    UnreadableFile,
    read_lines,
)
from workreef_app.services.signals.receiving import JOB
from workreef_app.services.signals.unpacking import unpacked

#: A step ends after so many lines of any kind, so that what is only skipped is told and erased too.
STEP_LINES: Final = 4 * advancing.BATCH_LINES


@kind(JOB, queue=Queue.BULK, ended=job_ended, retried=job_retried)
def run_import(run: JobRun) -> None:
    """Counts what an import received, from where it stands. Waits while another one into the same source is counted."""
    try:
        place: Place = run.perform("imports.take_up", {"import_id": run.subject})
        if place.wait:
            raise Released(place.wait)
        if place.go:
            fault = _count(run, place)
            run.perform("imports.finish", FinishImport(import_id=place.import_id, fault=fault))
    except DiskFull:
        raise JobFailed(StopReason.DISK_FULL) from None


@kind("import_sweep", queue=Queue.BULK)
def sweep(run: JobRun) -> None:
    """Ends imports that nobody sends any more, and erases what nobody took up again."""
    run.perform("imports.sweep", {})


@dataclass(slots=True)
class Step:
    """Lines that are counted together."""

    lines: list[Line] = field(default_factory=list)
    skipped: Counter[Reason] = field(default_factory=Counter)

    def add(self, item: Line | Skipped) -> None:
        if isinstance(item, Skipped):
            self.skipped[item.reason] += 1
        elif _is_text(item.message):
            self.lines.append(item)
        else:
            self.skipped[Reason.UNDECODABLE] += 1

    def is_full(self) -> bool:
        return len(self.lines) >= advancing.BATCH_LINES or len(self.lines) + self.skipped.total() >= STEP_LINES


def _is_text(message: str) -> bool:
    """Whether it can be stored: JSON escapes half a pair and NUL, which no column holds."""
    if message.isascii():
        return "\x00" not in message
    try:
        message.encode()
    except UnicodeEncodeError:
        return False
    return "\x00" not in message


class Chunks:
    """The chunks of a file that are left, read one at a time; counts their bytes."""

    def __init__(self, run: JobRun, place: Place) -> None:
        self.read = place.first_start
        self._run = run
        self._import_id: UUID = place.import_id
        self._numbers = range(place.first_chunk, place.chunks)

    def __iter__(self) -> Iterator[bytes]:
        for number in self._numbers:
            self._run.checkpoint()
            chunk: Chunk = self._run.perform("imports.chunk", {"import_id": self._import_id, "number": number})
            self.read += len(chunk.content)
            yield chunk.content


def _count(run: JobRun, place: Place) -> Fault | None:
    """Counts all lines that are left, step by step. Returns what made the file unreadable from there on."""
    chunks = Chunks(run, place)
    # Gzip data has to be unpacked from its first byte each time; anything else goes on where the chunks begin.
    stream = ChunkStream(unpacked(chunks) if place.gzip else chunks)
    stream.skip(place.reader.bytes_read - (0 if place.gzip else place.first_start))
    reader = read_lines(
        stream, zone=zones.zone(place.time_zone), year=place.year, now=place.now, resume=place.reader, whole=place.whole
    )
    batch, fault = place.batches, None
    while True:
        step, fault = _step(reader)
        if step.lines or step.skipped:
            run.perform("imports.advance", AdvanceImport(
                import_id=place.import_id, batch=batch, lines=step.lines, skipped=dict(step.skipped),
                state=reader.state, bytes_counted=chunks.read if place.gzip else reader.bytes_read,
            ))
            batch += 1
        if fault is not None or not step.is_full():
            return fault
        run.checkpoint()


def _step(reader: LineReader) -> tuple[Step, Fault | None]:
    """The next lines; fewer than a step holds at the end of the file, or where it cannot be read further."""
    step = Step()
    try:
        for item in reader:
            step.add(item)
            if step.is_full():
                break
    except UnreadableFile as unreadable:
        return step, unreadable.fault
    return step, None
