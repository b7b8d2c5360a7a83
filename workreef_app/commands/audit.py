"""`workreef audit`: exporting a tenant's log, and verifying an export without any configuration."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated

import typer

from workreef_app.commands.frame import Failed, caller, open_door, print_json, tell
from workreef_app.services.audit import verify as verifier
from workreef_app.services.operation import FileResult

app = typer.Typer(no_args_is_help=True, help="Export and verify the audit log.")
Json = Annotated[bool, typer.Option("--json", help="Print the facts as JSON.")]


@app.command()
def export(
    tenant: Annotated[str, typer.Option(help="The tenant's slug.")],
    out: Annotated[Path, typer.Option(help="The zip to write.")],
    as_json: Json = False,
) -> None:
    """Exports a tenant's whole audit log as a zip with its verifier."""
    if out.is_dir() or not out.parent.is_dir():
        raise Failed(f"{out} is not a place for a file; name a zip in a directory that exists.")
    with open_door() as door:
        result: FileResult = door.perform(caller(door, tenant), "audit.export", {})
        part = out.with_name(f"{out.name}.part")
        try:
            shutil.copyfile(result.path, part)
            part.replace(out)
        finally:
            part.unlink(missing_ok=True)
            result.path.unlink()
    if as_json:
        print_json({"tenant": tenant, "file": str(out), "bytes": out.stat().st_size})
        return
    tell(f"Wrote {out} ({out.stat().st_size:,} bytes). Verify it with `workreef audit verify {out}`,")
    tell("or on a machine without WorkReef with the verify.py that is in it.")


@app.command()
def verify(
    file: Annotated[str, typer.Argument(help="The zip, its folder, audit.jsonl, or - for standard input.")],
    first: Annotated[int, typer.Option("--from", min=1, help="First entry to check.")] = 1,
    last: Annotated[int | None, typer.Option("--to", min=1, help="Last entry to check.")] = None,
    known: Annotated[list[str] | None, typer.Option(help="A file with checkpoints that you kept.")] = None,
    key: Annotated[list[str] | None, typer.Option(help="A key that you trust, or a keys.json.")] = None,
    allow_unanchored: Annotated[bool, typer.Option(help="Pass what the chain alone proves, too.")] = False,
    all_signatures: Annotated[bool, typer.Option(help="Check the signature of every checkpoint.")] = False,
    as_json: Json = False,
) -> None:
    """Verifies an exported audit log with the very code of its verify.py; needs no configuration and no database."""
    arguments = [file, "--from", str(first)]
    for name, given in (("--known", known), ("--key", key)):
        arguments += [word for each in given or [] for word in (name, each)]
    flags = {"--allow-unanchored": allow_unanchored, "--all-signatures": all_signatures, "--json": as_json}
    arguments += [*(["--to", str(last)] if last else []), *(flag for flag, wanted in flags.items() if wanted)]
    raise typer.Exit(verifier.main(arguments))


@app.command()
def receipt(
    file: Annotated[str, typer.Argument(help="The receipt, or - for standard input.")],
    key: Annotated[list[str] | None, typer.Option(help="A key that you trust, or a keys.json.")] = None,
    as_json: Json = False,
) -> None:
    """Verifies the receipt of one entry; needs no configuration and no database."""
    arguments = ["receipt", file, *(word for each in key or [] for word in ("--key", each))]
    raise typer.Exit(verifier.main([*arguments, *(["--json"] if as_json else [])]))


@app.command()
def checkpoint(
    tenant: Annotated[str, typer.Option(help="The tenant's slug.")],
    as_json: Json = False,
) -> None:
    """Makes a signed checkpoint of a tenant's log and prints it. Keep it where nobody here can change it."""
    with open_door() as door:
        made = door.perform(caller(door, tenant), "audit.checkpoint", {})
    if as_json:
        print_json({"tenant": tenant, "size": made.size, "checkpoint": made.note, "keys": made.keys})
    else:
        tell(made.note.rstrip("\n"))


@app.command()
def rotate_key() -> None:
    """Signs checkpoints with a new key from now on; what the old ones signed stays verifiable."""
    with open_door() as door:
        door.platform.signer.rotate()
    tell("Checkpoints are signed with a new key from now on. Publish it: it is in every export's keys.json.")
