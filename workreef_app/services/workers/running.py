"""One job from the queue: found, claimed, run, ended. Whatever happens, it is told to the job's row."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from uuid_utils.compat import uuid7

from workreef_app.services.door import Caller, Door, JobClaim
from workreef_app.services.job_control.lifecycle import Claimed, Fate
from workreef_app.services.jobs.kinds import KINDS, Cancelled, JobFailed, Released
from workreef_app.services.jobs.ledger import Fenced
from workreef_app.services.jobs.models import ENDED
from workreef_app.services.operation import Command, DiskFull, Locked, NotFound, Refusal, Unavailable
from workreef_app.services.tenancy.errors import Busy, UnknownTenant
from workreef_app.services.tenancy.platform import Tenant
from workreef_app.services.vault.errors import KeyUnavailable

log = logging.getLogger("workreef.jobs")

#: How long a pointer without a row is asked for again: the commit that makes the row may be under way (design, 9).
ROW_SECONDS: Final = 60.0
AGAIN_SECONDS: Final = 2.0
LATER_SECONDS: Final = 30.0
#: How long the end of a run is told to a database that does not answer, before the run counts as lost.
TELL_SECONDS: Final = 60.0
#: What does not answer now may answer later: no failure of the job.
AWAY: Final = (Unavailable, OperationalError, InterfaceError, Busy, KeyUnavailable, Locked)


@dataclass(frozen=True, slots=True)
class Again:
    """The pointer goes back to the queue, to be taken after `delay` seconds."""

    delay: float


class Run:
    """A job that runs in this process. See `jobs.kinds.JobRun`."""

    def __init__(
        self, door: Door, tenant: Tenant, claimed: Claimed, job_id: UUID, stopping: Callable[[], bool]
    ) -> None:
        self.job_id = job_id
        self.subject = claimed.subject
        self._door = door
        self._caller = caller(tenant, JobClaim(job_id, claimed.claim))
        self._stopping = stopping

    def perform(self, name: str, payload: Mapping[str, Any] | Command) -> Any:
        return self._door.perform(self._caller, name, payload)

    def checkpoint(self) -> None:
        if self._stopping():
            raise Released
        if self.perform("jobs.watch", {}).cancel_requested:
            raise Cancelled


def caller(tenant: Tenant, claim: JobClaim) -> Caller:
    """A job as a caller of the door."""
    return Caller(tenant, uuid7().hex, job=claim)


def run(door: Door, tenant_id: UUID, job_id: UUID, waited: float, stopping: Callable[[], bool]) -> Again | None:
    """Runs a job; None when it has ended. `waited` is how many seconds its pointer has been in the queue."""
    try:
        tenant = door.platform.tenant_of(tenant_id)
        claimed: Claimed = door.perform(caller(tenant, JobClaim(job_id)), "jobs.claim", {})
    except NotFound:
        return Again(AGAIN_SECONDS) if waited < ROW_SECONDS else None
    except AWAY as error:
        return Again(_away(job_id, error))
    except UnknownTenant:
        return None  # the tenant is gone, and its jobs with it
    except Exception as error:  # a pointer that is dropped would leave its job waiting for ever
        log.error("a job cannot be claimed", extra={"job": str(job_id), "error": type(error).__name__})
        return Again(LATER_SECONDS)
    if not claimed.go:
        return None
    outcome = _outcome(door, tenant, claimed, job_id, stopping)
    if outcome is None:
        return None
    return _tell(door, caller(tenant, JobClaim(job_id, claimed.claim)), outcome)


def _away(job_id: UUID, error: BaseException) -> float:
    log.warning("a job waits", extra={"job": str(job_id), "error": type(error).__name__})
    return AGAIN_SECONDS


def _outcome(
    door: Door, tenant: Tenant, claimed: Claimed, job_id: UUID, stopping: Callable[[], bool]
) -> dict[str, Any] | None:
    """Runs the body; what is to be said of its end, or None when the job is somebody else's by now."""
    try:
        KINDS[claimed.kind].body(Run(door, tenant, claimed, job_id, stopping))
    except Released as released:
        return {"outcome": "released", "delay": released.delay}
    except Cancelled:
        return {"outcome": "cancelled"}
    except Fenced:
        log.warning("a job was given to another worker", extra={"job": str(job_id)})
        return None
    except AWAY as error:
        return {"outcome": "released", "delay": _away(job_id, error)}
    except Exception as error:
        return _failure(job_id, claimed.kind, error)
    return {"outcome": "done"}


def _failure(job_id: UUID, kind: str, error: Exception) -> dict[str, Any]:
    """A failure as it is recorded: a code, never what the error says, which may hold content."""
    code, final = "failed", False
    if isinstance(error, JobFailed):
        code, final = error.code, True
    elif isinstance(error, Refusal):
        code = error.code
    elif isinstance(error, DBAPIError):
        code = "database"
    log.error("a job failed", extra={"job": str(job_id), "kind": kind, "error": type(error).__name__, "code": code})
    return {"outcome": "failed", "error": code, "final": final}


def _tell(door: Door, caller: Caller, outcome: dict[str, Any]) -> Again | None:
    """Writes down how the run ended, however long the database is away or its disk full, within bounds."""
    wait = float(outcome.pop("delay", 0.0))
    deadline = time.monotonic() + TELL_SECONDS
    while True:
        try:
            fate: Fate = door.perform(caller, "jobs.end", outcome)
        except Fenced:
            return None
        except (*AWAY, DiskFull) as error:
            if time.monotonic() > deadline:
                return Again(LATER_SECONDS)  # it is claimed anew then, and this run counts as a crash
            _away(caller.job.job_id if caller.job else UUID(int=0), error)
            time.sleep(AGAIN_SECONDS / 4)
        else:
            return None if fate.status in ENDED else Again(max(wait, fate.delay))
