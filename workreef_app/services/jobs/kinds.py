"""The kinds of jobs: what runs, on which queue, and what follows when one has ended."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from workreef_app.services.jobs.models import Job, JobStatus
from workreef_app.services.operation import Command, Work


class Queue(StrEnum):
    """Where jobs wait: people wait for the ones, nobody for the others."""

    INTERACTIVE = "interactive"
    BULK = "bulk"


class JobRun(Protocol):
    """A job that runs, as its body sees it. What must survive the worker is in the database, not here."""

    @property
    def job_id(self) -> UUID: ...

    @property
    def subject(self) -> UUID | None: ...

    def perform(self, name: str, payload: Mapping[str, Any] | Command) -> Any:
        """Runs an operation through the door, as the job. Raises a Refusal when it is not done."""
        ...

    def checkpoint(self) -> None:
        """Call it between steps. Raises Released when the worker is to stop, Cancelled when the job is cancelled."""
        ...


class Interrupted(Exception):
    """A body stops before its work is done, and that is no failure."""


class Released(Interrupted):
    """The worker stops: the job goes back to the queue, and goes on from its last step after `delay` seconds."""

    def __init__(self, delay: float = 0.0) -> None:
        super().__init__("released")
        self.delay = delay


class Cancelled(Interrupted):
    """Somebody cancelled the job."""


class JobFailed(Exception):
    """A failure that another attempt would not mend. `code` is shown and counted: lower-case letters and `_`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


Body = Callable[[JobRun], None]
Ended = Callable[[Work, Job, JobStatus], None]
Retried = Callable[[Work, Job], None]


@dataclass(frozen=True, slots=True)
class Kind:
    """A registered kind. `ended` runs in the transaction that ends a job, however it ends.

    `retried` runs in the one that puts an ended job back in the queue, and refuses with a Conflict what cannot go on.
    """

    name: str
    body: Body
    queue: Queue
    ended: Ended | None
    retried: Retried | None


KINDS: dict[str, Kind] = {}


def kind(
    name: str, *, queue: Queue, ended: Ended | None = None, retried: Retried | None = None
) -> Callable[[Body], Body]:
    """Registers the body of a kind. Raises ValueError on a second use of a name."""

    def register(body: Body) -> Body:
        if name in KINDS:
            raise ValueError(f"job kind {name} is registered twice")
        KINDS[name] = Kind(name, body, queue, ended, retried)
        return body

    return register
