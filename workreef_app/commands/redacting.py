"""`workreef redact`: what would leave of a text, on any configuration, without a database."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import Annotated

import typer

from workreef_app.commands.frame import Failed, print_json
from workreef_app.services.redaction import profiles
from workreef_app.services.redaction.engine import Redactor
from workreef_app.services.redaction.tokens import TokenMap


class BuiltIn(StrEnum):
    """The profiles that need no tenant."""

    OFF = "off"
    STANDARD = "standard"
    AGGRESSIVE = "aggressive"


def redact(
    profile: Annotated[BuiltIn, typer.Option(help="What is looked for.")] = BuiltIn.STANDARD,
    as_json: Annotated[bool, typer.Option("--json", help="Print the text and the findings as JSON.")] = False,
) -> None:
    """Reads text from standard input and prints what would leave for a model."""
    try:
        text = sys.stdin.buffer.read().decode("utf-8")
    except UnicodeDecodeError:
        raise Failed("The input is not UTF-8 text; convert it first.") from None
    done = Redactor(profiles.BUILT_IN[profile]).redact(text, TokenMap())
    if as_json:
        print_json({"text": done.text, "findings": [
            {"class": found.kind, "start": found.start, "end": found.end, "rule": found.rule}
            for found in done.findings
        ]})
        return
    sys.stdout.buffer.write(done.text.encode())
    sys.stdout.flush()
