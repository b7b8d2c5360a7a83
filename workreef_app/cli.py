"""The `workreef` command: thin; it calls operations through the door, or verbs of tenancy.

Exit status: 0 done, 1 refused or failed, 2 wrong usage, 78 configuration.
"""

from __future__ import annotations

import signal
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from workreef_app import settings as settings_module
from workreef_app.commands import audit, frame, redacting, serving, source, tenant, working
from workreef_app.commands import doctor as doctor_report
from workreef_app.demo import start
from workreef_app.services.jobs.kinds import Queue

app = typer.Typer(
    name="workreef",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="WorkReef: hand recurring operational work to AI agents without losing control of it.",
)
app.add_typer(tenant.app, name="tenant")
app.add_typer(source.app, name="source")
app.add_typer(audit.app, name="audit")
app.command()(redacting.redact)


@app.command()
def demo(
    reset: Annotated[bool, typer.Option("--reset", help="Throw the sample data away and begin anew.")] = False,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Port to serve on; 3000 at first.")] = None,
    data_dir: Annotated[
        Path | None, typer.Option(help="Where its data lies; else WORKREEF_DATA_DIR or .workreef.")
    ] = None,
) -> None:
    """Starts everything with two sample tenants and prints how to sign in."""
    start.run(anew=reset, port=port, data_dir=data_dir)


@app.command()
def serve(host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1") -> None:
    """Serves the pages, events and HTTP on WORKREEF_PORT."""
    settings = settings_module.load()
    with frame.open_door(settings):
        serving.need_port(settings, host)
        built = serving.pages(settings, frame.notes.print)
        frame.notes.print(f"Serving {settings.public_url} on port {settings.port}.")
        serving.run(settings, built, host)


@app.command()
def worker(
    queue: Annotated[Queue, typer.Option(help="Whose jobs to run; people wait for the interactive ones.")],
) -> None:
    """Runs jobs of one queue until it is stopped. Start as many as wanted, on as many hosts."""
    working.work(queue)


@app.command()
def doctor(as_json: Annotated[bool, typer.Option("--json", help="Print the facts as JSON.")] = False) -> None:
    """Shows every fault of the settings and what can be checked live, on any configuration."""
    raise typer.Exit(0 if doctor_report.report(as_json) else frame.FAILED)


def _terminated(number: int, interrupted: FrameType | None) -> None:
    """SIGTERM ends a command as Ctrl-C does, so that what it started is ended in order."""
    raise KeyboardInterrupt


def main() -> None:
    """The entry point: a known error is one clear sentence on standard error, never a traceback."""
    signal.signal(signal.SIGTERM, _terminated)
    try:
        app()
    except Exception as error:
        frame.end(error)


if __name__ == "__main__":
    main()
