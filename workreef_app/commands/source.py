"""`workreef source`: bringing logs in."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, BinaryIO

import typer
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeElapsedColumn

from workreef_app.commands import importing
from workreef_app.commands.frame import FAILED, Failed, caller, notes, open_door, print_json, sentence_of, tell
from workreef_app.commands.importing import Account, NotCounted, skipped_in_words
from workreef_app.commands.input import STALL_SECONDS, pieces
from workreef_app.services.access import zones
from workreef_app.services.jobs.kinds import Queue
from workreef_app.services.recommend.finishing import RETRYABLE
from workreef_app.services.signals.models import RunStatus, SourceKind
from workreef_app.services.signals.receiving import StartImport
from workreef_app.services.signals.runs import Import
from workreef_app.services.workers.process import helping

app = typer.Typer(no_args_is_help=True, help="Bring in what happened.")
STDIN = "-"
NAME_LIMIT = 255


@app.callback()
def group() -> None:
    """Bring in what happened."""


@app.command("import")
def import_(
    tenant: Annotated[str, typer.Option(help="The tenant's slug.")],
    kind: Annotated[SourceKind, typer.Option(help="What the file is.")],
    file: Annotated[str, typer.Argument(help="A log: plain text or JSON lines; - for standard input.")],
    department: Annotated[str | None, typer.Option(help="Slug of the department whose people see it.")] = None,
    timezone: Annotated[str, typer.Option(help="Time zone of lines that name none, such as Europe/Berlin.")] = "UTC",
    year: Annotated[
        int | None, typer.Option(min=1970, max=9999, help="Year of lines that name none; else the latest that fits.")
    ] = None,
    gzip: Annotated[bool, typer.Option("--gzip", help="The file is gzip data.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the account as JSON.")] = False,
) -> None:
    """Imports a log. A file imported again adds only its new lines."""
    zone = zone_of(timezone)
    with opened(file) as (stream, name, size), open_door() as door:
        command = StartImport(
            kind=kind, file_name=name, department=department, timezone=zone, year=year, gzip=gzip
        )
        try:
            # Jobs are worked on here too, so that an import needs no other worker.
            with _shown(size) as progress, helping(door, [Queue.BULK]):
                account = importing.import_log(
                    door, caller(door, tenant), pieces(stream, _tell_stalled), command, progress
                )
        except NotCounted as failed:
            _tell_not_counted(failed)
            raise typer.Exit(FAILED) from None
        except KeyboardInterrupt:
            notes.print("Stopped. What was handed over goes on to be counted; /sources shows it.")
            raise typer.Exit(FAILED) from None
        address = door.platform.settings.tenant_url(tenant)
    if department is None:
        notes.print("Only admins see these rows, since no --department was given.")
    if as_json:
        print_json(facts(account))
    if account.run.status is RunStatus.STOPPED:
        _tell_stopped(account)
        raise typer.Exit(FAILED)
    if not as_json:
        tell(in_words(name, account))
        tell(f"See {address}/")


def facts(account: Account) -> dict[str, object]:
    """The account of an import, for programs."""
    run = account.run.model_dump(mode="json")
    found = {name: run.pop(name) for name in ("signals", "new_tasks")}
    return {"import": run, **found, "seconds": round(account.seconds, 3)}


def zone_of(name: str) -> str:
    """The name of a zone as it is kept. Raises BadParameter."""
    known = zones.DEFAULT if name.upper() == zones.DEFAULT else name
    if not zones.exists(known):
        raise typer.BadParameter(
            f"{name!r} is no time zone that is known here; use a name such as Europe/Berlin", param_hint="--timezone"
        )
    return known


@contextmanager
def opened(file: str) -> Iterator[tuple[BinaryIO, str, int | None]]:
    """The stream to read, the name to show, and the size in bytes where it is known. Raises Failed."""
    if file == STDIN:
        yield sys.stdin.buffer, "standard input", None
        return
    path = Path(file)
    if path.is_dir():
        raise Failed(f"{file} is a directory; name one file in it.")
    try:
        stream = path.open("rb")
    except OSError as error:
        raise Failed(f"{file} cannot be read ({error.strerror}); name a file that this user can read.") from None
    with stream:
        about = os.fstat(stream.fileno())
        yield stream, _shown_name(path), about.st_size if stat.S_ISREG(about.st_mode) else None


def _shown_name(path: Path) -> str:
    return os.fsencode(path.name).decode("utf-8", "replace").replace("\x00", "")[:NAME_LIMIT] or "unnamed"


@contextmanager
def _shown(size: int | None) -> Iterator[importing.Progress]:
    """A bar with a rate on a terminal, for what is sent and then for what is counted; silence elsewhere."""
    if not notes.is_terminal:
        yield lambda _: None
        return
    with Progress(
        TextColumn("{task.description}"),
        TaskProgressColumn(),
        BarColumn(),
        TextColumn("{task.fields[said]}"),
        TimeElapsedColumn(),
        console=notes,
        transient=True,
    ) as bar:
        sending = bar.add_task("Sending", total=size or None, said="")
        counting = bar.add_task("Counting", total=None, said="", start=False)

        def advance(run: Import) -> None:
            if run.status is RunStatus.RECEIVING:
                rate = _rate(bar, sending, run.bytes_received / 1e6, "MB")
                bar.update(sending, completed=run.bytes_received, said=rate)
                return
            if not bar.tasks[counting].started:
                bar.update(sending, total=run.bytes_received, completed=run.bytes_received)
                bar.stop_task(sending)
                bar.start_task(counting)
            rate = _rate(bar, counting, run.lines, "lines")
            said = "waits for its turn" if run.status is RunStatus.QUEUED else f"{run.lines:,} lines {rate}"
            bar.update(counting, total=run.bytes_received or None, completed=run.bytes_counted, said=said)

        yield advance


def _rate(bar: Progress, task: TaskID, amount: float, unit: str) -> str:
    elapsed = bar.tasks[task].elapsed or 0.0
    return f"{amount / elapsed:,.0f} {unit}/s" if elapsed else ""


def in_words(name: str, account: Account) -> str:
    """The account of an import, for people."""
    run = account.run
    rate = f", {run.lines / account.seconds:,.0f} a second" if account.seconds > 0 else ""
    said = [f"{name}: {run.lines:,} lines in {account.seconds:.1f} s{rate}.", f"  {counts(run)}."]
    if run.lines and not run.added and not run.repeated:
        said.append("  No line could be used; each needs a time near its start, and text after it.")
    said.append(f"  The source has {run.signals:,} signals; new tasks: {run.new_tasks:,}.")
    return "\n".join(said)


def counts(run: Import) -> str:
    """How many lines were new, known before, and skipped for which reason."""
    return f"{run.added:,} new, {run.repeated:,} known before, {skipped_in_words(run.skipped)}"


def _tell_stalled() -> None:
    notes.print(
        f"No input for {STALL_SECONDS:.0f} s; still waiting. Ctrl-C ends the file here, and what came is counted."
    )


def _why(cause: BaseException | None) -> str:
    """The sentence of what cut the sending off. Raises what is none of ours."""
    if cause is None or isinstance(cause, KeyboardInterrupt | SystemExit):
        return ""
    said = sentence_of(cause)
    if said is None:
        raise cause
    return said


def _tell_stopped(account: Account) -> None:
    run = account.run
    retry = run.reason in RETRYABLE
    again = "Retry its job when that is mended." if retry else "Import the file again to add the rest."
    notes.print(f"The import was stopped. {run.told}", markup=False)
    notes.print(f"Kept: {counts(run)}. {again}", markup=False)
    if why := _why(account.cause):
        notes.print(why, markup=False)


def _tell_not_counted(failed: NotCounted) -> None:
    notes.print("The import was stopped, and nothing of it is counted. Import the file again.")
    if why := _why(failed.__cause__):
        notes.print(why, markup=False)
