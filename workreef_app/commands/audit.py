"""`workreef audit`: exporting a tenant's log, and verifying an export without any configuration."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from workreef_app.commands.frame import Failed, caller, open_door, print_json, tell, user
from workreef_app.services.audit import verify as verifier
from workreef_app.services.door import Door
from workreef_app.services.operation import FileResult
from workreef_app.services.tenancy import platform_export

app = typer.Typer(no_args_is_help=True, help="Export and verify the audit log.")
Json = Annotated[bool, typer.Option("--json", help="Print the facts as JSON.")]


@app.command()
def export(
    out: Annotated[Path, typer.Option(help="The zip to write.")],
    tenant: Annotated[str, typer.Option(help="The tenant's slug.")] = "",
    platform: Annotated[bool, typer.Option("--platform", help="The platform's own log, of tenants and keys.")] = False,
    as_json: Json = False,
) -> None:
    """Exports the whole audit log of a tenant, or the platform's own, as a zip with its verifier."""
    if bool(tenant) is platform:
        raise typer.BadParameter("Give either --tenant or --platform.")
    if out.is_dir() or not out.parent.is_dir():
        raise Failed(f"{out} is not a place for a file; name a zip in a directory that exists.")
    with open_door() as door:
        part = out.with_name(f"{out.name}.part")
        try:
            if platform:
                with part.open("wb") as file:
                    platform_export.write(door.platform.control, door.platform.signer, file)
            else:
                _export(door, tenant, part)
            part.replace(out)
        finally:
            part.unlink(missing_ok=True)
    if as_json:
        print_json({"tenant": tenant or None, "file": str(out), "bytes": out.stat().st_size})
        return
    tell(f"Wrote {out} ({out.stat().st_size:,} bytes). Verify it with `workreef audit verify {out}`,")
    tell("or on a machine without WorkReef with the verify.py that is in it.")


def _export(door: Door, tenant: str, out: Path) -> None:
    result: FileResult = door.perform(caller(door, tenant), "audit.export", {})
    try:
        shutil.copyfile(result.path, out)
    finally:
        result.path.unlink()


@app.command()
def verify(
    file: Annotated[str, typer.Argument(help="The zip, its folder, audit.jsonl, or - for standard input.")] = "",
    platform: Annotated[bool, typer.Option("--platform", help="The platform's own log, as it is now.")] = False,
    first: Annotated[int, typer.Option("--from", min=1, help="First entry to check.")] = 1,
    last: Annotated[int | None, typer.Option("--to", min=1, help="Last entry to check.")] = None,
    known: Annotated[list[str] | None, typer.Option(help="A file with checkpoints that you kept.")] = None,
    key: Annotated[list[str] | None, typer.Option(help="A key that you trust, or a keys.json.")] = None,
    allow_unanchored: Annotated[bool, typer.Option(help="Pass what the chain alone proves, too.")] = False,
    all_signatures: Annotated[bool, typer.Option(help="Check the signature of every checkpoint.")] = False,
    as_json: Json = False,
) -> None:
    """Verifies an exported audit log with the very code of its verify.py; needs no configuration and no database.

    With --platform, exports the platform's own log first and verifies that.
    """
    if bool(file) is platform:
        raise typer.BadParameter("Give either a file or --platform.")
    with tempfile.TemporaryDirectory(prefix="workreef-audit-") as folder:
        if platform:
            file = str(Path(folder) / "platform.zip")
            with open_door() as door, open(file, "wb") as out:
                platform_export.write(door.platform.control, door.platform.signer, out)
        raise typer.Exit(verifier.main(_arguments(
            file, first, last, known, key, allow_unanchored=allow_unanchored, all_signatures=all_signatures,
            as_json=as_json,
        )))


def _arguments(
    file: str, first: int, last: int | None, known: list[str] | None, key: list[str] | None, *,
    allow_unanchored: bool, all_signatures: bool, as_json: bool,
) -> list[str]:
    """What `verify.py` is given."""
    arguments = [file, "--from", str(first)]
    for name, given in (("--known", known), ("--key", key)):
        arguments += [word for each in given or [] for word in (name, each)]
    flags = {"--allow-unanchored": allow_unanchored, "--all-signatures": all_signatures, "--json": as_json}
    return [*arguments, *(["--to", str(last)] if last else []), *(flag for flag, wanted in flags.items() if wanted)]


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
        door.platform.signer.rotate(f"cli:{user()}")
    tell("Checkpoints are signed with a new key from now on. Publish it: it is in every export's keys.json.")
