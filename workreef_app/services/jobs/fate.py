"""What becomes of a job: plain functions on plain values."""

from __future__ import annotations

import random
from typing import Final

from workreef_app.services.jobs.models import JobStatus

#: Failures after which a job is not tried again (P44).
ATTEMPTS: Final = 3
#: Workers that a job may kill; the last of them puts it into quarantine.
CRASHES: Final = 3
FIRST_DELAY_SECONDS: Final = 2.0
LONGEST_DELAY_SECONDS: Final = 60.0


def claimed(status: JobStatus, crashes: int, cancel_requested: bool) -> tuple[JobStatus, int]:
    """Status and crashes of a job that a worker takes from the queue.

    A job that is running then was left behind by a worker that died of it, or was given up.
    """
    if status not in {JobStatus.QUEUED, JobStatus.RUNNING}:
        return status, crashes
    if status is JobStatus.RUNNING:
        crashes += 1
    if cancel_requested:
        return JobStatus.CANCELLED, crashes
    return (JobStatus.QUARANTINED if crashes >= CRASHES else JobStatus.RUNNING), crashes


def failed(attempts: int, *, final: bool) -> tuple[JobStatus, int]:
    """Status and attempts after a failure; `final` is one that another attempt would not mend."""
    attempts += 1
    return (JobStatus.FAILED if final or attempts >= ATTEMPTS else JobStatus.QUEUED), attempts


def delay(attempts: int, chance: random.Random) -> float:
    """Seconds before the attempt that follows `attempts` failures: exponential, with full jitter in its upper half."""
    longest = min(LONGEST_DELAY_SECONDS, FIRST_DELAY_SECONDS * 2.0 ** min(max(0, attempts - 1), 30))
    return longest / 2 + chance.random() * longest / 2
