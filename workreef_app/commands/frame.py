"""What every command needs: its settings, the checks of production, an open door, and one clear sentence at a fault."""

from __future__ import annotations

import errno
import getpass
import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NoReturn

from rich.console import Console
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from uuid_utils.compat import uuid7

from workreef_app import settings as settings_module
from workreef_app.services.door import Caller, Door
from workreef_app.services.operation import Refusal
from workreef_app.services.posture import boot
from workreef_app.services.process import opened
from workreef_app.services.signals.reader import UnreadableFile
from workreef_app.services.tenancy.embedded import EmbeddedError
from workreef_app.services.tenancy.errors import TenancyError
from workreef_app.services.vault.errors import KeyUnavailable
from workreef_app.settings import ConfigurationError, Fault, Settings

FAILED, USAGE, CONFIGURATION = 1, 2, 78
DISK_FULL_STATE = "53100"  # SQLSTATE disk_full

#: For people: progress and sentences. What a command was asked for goes to standard output.
notes = Console(stderr=True, highlight=False, soft_wrap=True)


class Failed(Exception):
    """The command was not done. The text is one sentence with the cure."""


class NotFitForProduction(Exception):
    """Production refuses to start; all faults together."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("production refuses to start")
        self.faults = faults


@contextmanager
def open_door(settings: Settings | None = None, *, migrating: bool = False) -> Iterator[Door]:
    """The door, once production's checks are passed. Raises NotFitForProduction with every fault.

    `migrating` lets schemas be behind. Outside production the control plane is brought up to date.
    """
    settings = settings or settings_module.load()
    if not settings.production:
        with opened(settings) as door:
            yield door
        return
    faults = boot.of_settings(settings)
    if settings.embedded and not (settings.data_dir / "postgres").exists():
        raise NotFitForProduction(faults)  # nothing is made in a directory that production refuses
    try:
        with opened(settings, prepare=False) as door:
            faults += boot.of_databases(door.platform, migrating=migrating)
            if faults:
                raise NotFitForProduction(faults)
            yield door
    except ArgumentError:
        faults.append(Fault("database_url", "WORKREEF_DATABASE_URL is no address of a database.", "Correct it."))
        raise NotFitForProduction(faults) from None


def user() -> str:
    """Who runs the command, as the audit log names them."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid-{os.getuid()}"


def caller(door: Door, slug: str) -> Caller:
    """The command line as a caller at a tenant. Raises UnknownTenant."""
    return Caller(door.platform.tenant(slug), uuid7().hex, cli_user=user())


def print_json(facts: Mapping[str, Any]) -> None:
    """Facts for a program, one JSON object on standard output."""
    print(json.dumps(facts, ensure_ascii=False))


def tell(text: str) -> None:
    """A line for people on standard output, as it is."""
    print(text, flush=True)


def end(error: BaseException) -> NoReturn:
    """Ends the process with the sentence and the status of an error; raises it again if it is none of ours."""
    if isinstance(error, NotFitForProduction):
        said = ["WorkReef does not start in production:", *(f"- {f.wrong} {f.cure}" for f in error.faults)]
        print("\n".join(said), file=sys.stderr)
        sys.exit(CONFIGURATION)
    sentence = sentence_of(error)
    if sentence is None:
        raise error
    print(sentence, file=sys.stderr)
    sys.exit(CONFIGURATION if isinstance(error, ConfigurationError | ArgumentError) else FAILED)


def sentence_of(error: BaseException) -> str | None:
    """The one sentence for an error that is known; None for a fault of ours."""
    match error:
        case Refusal():
            return " ".join([error.detail, *(f"({name}: {why})" for name, why in error.fields.items())])
        case Failed() | EmbeddedError() | TenancyError() | KeyUnavailable() | ConfigurationError() | UnreadableFile():
            return str(error)
        case ArgumentError():
            return "WORKREEF_DATABASE_URL is no address of a database; correct it."
        case DBAPIError():
            return _database_sentence(error)
        case OSError():
            return _system_sentence(error)
    return None


def _database_sentence(error: DBAPIError) -> str:
    """What the database said, without the values that were sent to it."""
    state = getattr(error.orig, "sqlstate", None)
    if state == DISK_FULL_STATE:
        return "The database's disk is full; free some space, then start again."
    if isinstance(error, OperationalError):
        fault = boot.unreachable(error)
        return f"{fault.wrong} {fault.cure}"
    return f"The database refused this ({type(error.orig).__name__}, {state}); nothing of it was kept."


def _system_sentence(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "No space is left on the disk; free at least 500 MB, then start again."
    return f"{error.filename or 'This'} cannot be used ({error.strerror or type(error).__name__}); correct that."
