"""Imports for tests: lines as a file, sent as any sender does, and counted by its job in this thread."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from workreef_app.services.door import Caller, Door, JobClaim
from workreef_app.services.signals.models import CHUNK_BYTES
from workreef_app.services.signals.runs import Import
from workreef_app.services.workers import running


def as_text(lines: Sequence[dict[str, Any]]) -> bytes:
    """A file of JSON lines. `identity` makes lines differ, or be the same, whatever they say."""
    return b"".join(
        json.dumps({"time": one["at"], "message": one["message"], "id": one["identity"]}, default=str).encode() + b"\n"
        for one in lines
    )


def send(
    door: Door, admin: Caller, content: bytes, department: str | None = None, *, name: str = "service.log",
    whole: bool = True, chunk: int = CHUNK_BYTES, **more: Any,
) -> Import:
    """Sends a file and closes the import; nothing of it is counted yet."""
    run: Import = door.perform(
        admin, "imports.start", {"kind": "log_file", "file_name": name, "department": department, **more}
    )
    for number, first in enumerate(range(0, len(content), chunk)):
        door.perform(admin, "imports.add_chunk", {
            "import_id": run.id, "number": number, "content": content[first : first + chunk],
        })
    closed: Import = door.perform(admin, "imports.close", {"import_id": run.id, "whole": whole})
    return closed


def work(door: Door, admin: Caller, run: Import) -> Import:
    """Runs the import's job once, as a worker does; the import as it is then."""
    assert run.job_id is not None
    running.run(door, admin.tenant.info.id, run.job_id, 0.0, lambda: False)
    now: Import = door.perform(admin, "imports.read", {"import_id": run.id})
    return now


def import_lines(door: Door, admin: Caller, department: str | None, lines: Sequence[dict[str, Any]]) -> Import:
    """Imports lines whole; what that came to. A worker that another test started may be the one that counts them."""
    done, until = work(door, admin, send(door, admin, as_text(lines), department)), time.monotonic() + 60.0
    while done.status != "finished" and done.finished_at is None and time.monotonic() < until:
        time.sleep(0.05)
        done = door.perform(admin, "imports.read", {"import_id": done.id})
    assert done.status == "finished", done
    return done


class Killed(BaseException):
    """The worker is gone: nothing after this runs in it."""


def nothing(name: str) -> None:
    """What is done at each operation of a run when nothing is to be done."""


@dataclass
class Watched:
    """A job that a worker has taken, with something done before or after each of its operations, by their names."""

    run: running.Run
    before: Callable[[str], None] = nothing
    after: Callable[[str], None] = nothing

    @property
    def job_id(self) -> UUID:
        return self.run.job_id

    @property
    def subject(self) -> UUID | None:
        return self.run.subject

    def perform(self, name: str, payload: Any) -> Any:
        self.before(name)
        result = self.run.perform(name, payload)
        self.after(name)
        return result

    def checkpoint(self) -> None:
        self.run.checkpoint()


def take(door: Door, admin: Caller, run: Import) -> running.Run:
    """Takes the import's job as a worker does; one that another worker has is taken from it."""
    assert run.job_id is not None
    claimed = door.perform(Caller(admin.tenant, "test-job", job=JobClaim(run.job_id)), "jobs.claim", {})
    assert claimed.go
    return running.Run(door, admin.tenant, claimed, run.job_id, lambda: False)


def at(name: str, times: int) -> Callable[[str], None]:
    """Kills the worker at the operation of that name, the so manieth time."""
    count = itertools.count(1)

    def kill(now: str) -> None:
        if now == name and next(count) == times:
            raise Killed

    return kill
