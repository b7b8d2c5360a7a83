"""Sends a log into an import and follows it until it is counted: for the command line and the demo alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from typing import Final

from workreef_app.services.door import Caller, Door
from workreef_app.services.operation import Conflict, Unavailable
from workreef_app.services.signals.foreign import Fault, UnreadableFile, fault_of
from workreef_app.services.signals.models import RunStatus
from workreef_app.services.signals.reader import Reason
from workreef_app.services.signals.receiving import AddChunk, StartImport
from workreef_app.services.signals.runs import Import

POLL_SECONDS: Final = 0.2
#: How long to wait before each further attempt while the database is away.
DELAYS: Final = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
ENDED: Final = frozenset({RunStatus.FINISHED, RunStatus.STOPPED})
_GZIP: Final = b"\x1f\x8b"

Progress = Callable[[Import], None]


@dataclass(frozen=True, slots=True)
class Account:
    """What an import came to, and in how many seconds. `cause` is what cut the sending off, if anything did."""

    run: Import
    seconds: float
    cause: BaseException | None


class NotCounted(Exception):
    """The sending failed, and closing the import too, so that nothing of it is counted. The failure is the cause."""


def import_log(
    door: Door, caller: Caller, pieces: Iterable[bytes], command: StartImport, progress: Progress = lambda _: None
) -> Account:
    """Imports bytes that come in pieces of at most a chunk, and waits until they are counted by whoever runs jobs.

    Raises UnreadableFile or a Refusal before an import is opened. What cuts the sending off, Ctrl-C included, ends
    the file there: what came is counted. Ctrl-C while it is counted cancels the import.
    """
    begun = time.monotonic()
    waiting = iter(pieces)
    first = next(waiting, b"")
    refuse_foreign(first, gzip=command.gzip)
    run: Import = door.perform(caller, "imports.start", command)
    cause: BaseException | None = None
    try:
        for piece in chain([first] if first else [], waiting):
            run = _keep(door, caller, run, piece)
            progress(run)
    except BaseException as error:
        cause = error
    run = _close(door, caller, run, cause)
    return Account(follow(door, caller, run, progress), time.monotonic() - begun, cause)


def refuse_foreign(first: bytes, *, gzip: bool) -> None:
    """Raises UnreadableFile where the first bytes show that this is no text, or with `gzip` no gzip data."""
    if gzip:
        fault = None if first.startswith(_GZIP) else Fault.NOT_GZIP
    else:
        fault = fault_of(first[: first.find(b"\n") + 1 or None], 0)
    if fault is not None:
        raise UnreadableFile(fault)


def _keep(door: Door, caller: Caller, run: Import, piece: bytes) -> Import:
    """Hands a piece over, once: where the answer was lost, looks what arrived before it is sent again."""
    command = AddChunk(import_id=run.id, number=run.chunks, content=piece)
    uncertain = False
    for delay in (*DELAYS, None):
        try:
            if uncertain:
                now: Import = door.perform(caller, "imports.read", {"import_id": run.id})
                if now.chunks > run.chunks:
                    return now
            kept: Import = door.perform(caller, "imports.add_chunk", command)
            return kept
        except Unavailable:
            if delay is None:
                raise
            uncertain = True
            time.sleep(delay)
    raise AssertionError("the last attempt raises")


def _close(door: Door, caller: Caller, run: Import, cause: BaseException | None) -> Import:
    try:
        closed: Import = door.perform(caller, "imports.close", {"import_id": run.id, "whole": cause is None})
    except Exception as error:
        raise NotCounted from cause or error
    return closed


def follow(door: Door, caller: Caller, run: Import, progress: Progress = lambda _: None) -> Import:
    """Waits until an import has ended. Ctrl-C cancels it; a second one leaves it to the workers."""
    cancelled = False
    away = 0
    while run.status not in ENDED:
        try:
            time.sleep(POLL_SECONDS)
            run = door.perform(caller, "imports.read", {"import_id": run.id})
            away = 0
            progress(run)
        except Unavailable:
            if away == len(DELAYS):
                raise
            time.sleep(DELAYS[away])
            away += 1
        except KeyboardInterrupt:
            if cancelled:
                raise
            cancelled = True
            with suppress(Conflict):  # it has just ended by itself
                run = door.perform(caller, "imports.cancel", {"import_id": run.id})
    return run


#: Why a line was skipped, for people: one line and several.
WORDS: Final[dict[Reason, str]] = {
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
