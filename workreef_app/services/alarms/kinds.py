"""The kinds of alarms: how severe each is, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Severity(StrEnum):
    """How much depends on somebody acting, in rising order."""

    NOTICE = "notice"
    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        return list(Severity).index(self)


class AlarmKind(StrEnum):
    """What an alarm is about."""

    JOB_QUARANTINED = "job_quarantined"
    JOB_FAILED = "job_failed"
    IMPORT_STOPPED = "import_stopped"
    DELIVERY_FAILED = "delivery_failed"
    LIMITER_UNREACHABLE = "limiter_unreachable"
    KEY_UNREACHABLE = "key_unreachable"
    WORKERS_MISSING = "workers_missing"
    DISK_LOW = "disk_low"
    WITNESS_BEHIND = "witness_behind"
    SIEM_BEHIND = "siem_behind"


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a kind says to people. `delivered` is False for what no channel may carry, lest it go round."""

    severity: Severity
    title: str
    what_to_do: str
    delivered: bool = True


MEANINGS: Mapping[AlarmKind, Meaning] = MappingProxyType({
    AlarmKind.JOB_QUARANTINED: Meaning(
        Severity.CRITICAL, "A job has killed three workers.",
        "Look at the workers' logs, mend the cause, then retry the job on the status page.",
    ),
    AlarmKind.JOB_FAILED: Meaning(
        Severity.WARNING, "A job failed three times.",
        "Look at its error on the status page, mend the cause, then retry it.",
    ),
    AlarmKind.IMPORT_STOPPED: Meaning(
        Severity.WARNING, "An import stopped before its end.",
        "Read on the sources page what was counted, then import the file again; no line is counted twice.",
    ),
    AlarmKind.DELIVERY_FAILED: Meaning(
        Severity.WARNING, "An alarm could not be delivered.",
        "Send a test from the alarm routes, and correct the address or the receiver.", delivered=False,
    ),
    AlarmKind.LIMITER_UNREACHABLE: Meaning(
        Severity.WARNING, "The shared rate limiter does not answer.",
        "Bring Redis back; until then each process limits for itself.",
    ),
    AlarmKind.KEY_UNREACHABLE: Meaning(
        Severity.CRITICAL, "The tenant's key does not answer.",
        "Restore access to the key; until then nothing sealed can be read.",
    ),
    AlarmKind.WORKERS_MISSING: Meaning(
        Severity.CRITICAL, "No worker runs for a queue.", "Start `workreef worker` for this queue.",
    ),
    AlarmKind.DISK_LOW: Meaning(
        Severity.CRITICAL, "The disk is nearly full.", "Free space, or give the database a larger disk.",
    ),
    AlarmKind.WITNESS_BEHIND: Meaning(
        Severity.WARNING, "A witness did not take a checkpoint.",
        "Look at its address and rights on the page Witnesses. It is tried again each minute; no work waits for it.",
    ),
    AlarmKind.SIEM_BEHIND: Meaning(
        Severity.WARNING, "The SIEM does not take the audit log's events.",
        "Look at its address on the page Witnesses. They are sent again each minute, from the first not taken.",
    ),
})
