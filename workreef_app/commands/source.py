"""`workreef source`: bringing logs in."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Annotated, BinaryIO
from zoneinfo import ZoneInfo

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from workreef_app.commands import importing
from workreef_app.commands.frame import FAILED, Failed, caller, notes, open_door, print_json, sentence_of, tell
from workreef_app.commands.importing import Account, Dating, Stopped, skipped_in_words
from workreef_app.services.recommend.operations import ImportFinished
from workreef_app.services.signals.models import SourceKind

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
    as_json: Annotated[bool, typer.Option("--json", help="Print the account as JSON.")] = False,
) -> None:
    """Imports a log. A file imported again adds only its new lines."""
    dating = Dating(zone_of(timezone), year, datetime.now(UTC))
    with opened(file) as (stream, name, size), open_door() as door:
        try:
            with _shown(size) as progress:
                account = importing.import_log(
                    door,
                    caller(door, tenant),
                    stream,
                    kind=kind,
                    file_name=name,
                    department=department,
                    dating=dating,
                    progress=progress,
                )
        except Stopped as stopped:
            _tell_stopped(stopped)
            raise typer.Exit(FAILED) from None
        address = door.platform.settings.tenant_url(tenant)
    if department is None:
        notes.print("Only admins see these rows, since no --department was given.")
    if as_json:
        print_json({**account.finished.model_dump(mode="json", by_alias=True), "seconds": round(account.seconds, 3)})
        return
    tell(in_words(name, account))
    tell(f"See {address}/")


def zone_of(name: str) -> tzinfo:
    """The time zone of a name. Raises BadParameter."""
    if name.upper() == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        raise typer.BadParameter(
            f"{name!r} is no time zone that is known here; use a name such as Europe/Berlin", param_hint="--timezone"
        ) from None


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
def _shown(size: int | None) -> Iterator[Callable[[importing.Progress], None]]:
    """A bar with a rate on a terminal; silence elsewhere."""
    if not notes.is_terminal:
        yield lambda _: None
        return
    columns = [TaskProgressColumn(), BarColumn()] if size else [MofNCompleteColumn()]
    with Progress(
        TextColumn("Importing"),
        *columns,
        TextColumn("{task.fields[lines]:,} lines"),
        TextColumn("{task.fields[rate]:,.0f} lines/s"),
        TimeElapsedColumn(),
        console=notes,
        transient=True,
    ) as bar:
        task = bar.add_task("", total=size or None, lines=0, rate=0.0)

        def advance(at: importing.Progress) -> None:
            elapsed = bar.tasks[0].elapsed or 0.0
            rate = at.lines / elapsed if elapsed else 0.0
            bar.update(task, completed=at.read if size else at.lines, lines=at.lines, rate=rate)

        yield advance


def in_words(name: str, account: Account) -> str:
    """The account of an import, for people."""
    run = account.finished.import_
    rate = f", {run.lines / account.seconds:,.0f} a second" if account.seconds > 0 else ""
    said = [f"{name}: {run.lines:,} lines in {account.seconds:.1f} s{rate}.", f"  {counts(account.finished)}."]
    if run.lines and not run.added and not run.repeated:
        said.append("  No line could be used; each needs a time near its start, and text after it.")
    said.append(f"  The source has {account.finished.signals:,} signals; new tasks: {account.finished.new_tasks:,}.")
    return "\n".join(said)


def counts(finished: ImportFinished) -> str:
    """How many lines were new, known before, and skipped for which reason."""
    run = finished.import_
    return f"{run.added:,} new, {run.repeated:,} known before, {skipped_in_words(run.skipped)}"


def _tell_stopped(stopped: Stopped) -> None:
    cause = stopped.__cause__
    interrupted = isinstance(cause, KeyboardInterrupt | SystemExit)
    why = None if interrupted or cause is None else sentence_of(cause)
    if cause is not None and not interrupted and why is None:
        raise cause
    notes.print("The import was stopped." if why is None else f"The import was stopped: {why}", markup=False)
    if stopped.finished is None:
        notes.print("What was counted before is kept; import the file again to add the rest.")
        return
    notes.print(f"Kept: {counts(stopped.finished)}. Import the file again to add the rest.", markup=False)
