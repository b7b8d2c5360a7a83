"""The job that delivers an alarm: reads what is to be sent, sends it outside any transaction, records each outcome."""

from __future__ import annotations

from datetime import UTC, datetime

from workreef_app.services.alarms import sending
from workreef_app.services.alarms.delivery import Plan, RecordDelivery
from workreef_app.services.alarms.kinds import AlarmKind
from workreef_app.services.alarms.raising import DELIVERY, raise_alarm
from workreef_app.services.jobs.kinds import JobFailed, JobRun, Queue, kind
from workreef_app.services.jobs.models import Job, JobStatus
from workreef_app.services.operation import Work
from workreef_app.services.outbound.policy import Client


class NotDelivered(Exception):
    """A channel did not take the alarm, and may do so later."""


def ended(work: Work, job: Job, status: JobStatus) -> None:
    """A delivery that killed its workers has recorded nothing: it is an alarm itself."""
    if status is JobStatus.QUARANTINED:
        raise_alarm(work, AlarmKind.DELIVERY_FAILED, detail={"alarm": str(job.subject)})


@kind(DELIVERY, queue=Queue.INTERACTIVE, ended=ended)
def deliver(run: JobRun) -> None:
    """Delivers an alarm by each channel that has not taken it yet. Sent at least once, recorded once.

    Raises NotDelivered while another run may mend it, JobFailed when none will.
    """
    deliver_by(run, None)


def deliver_by(run: JobRun, client: Client | None) -> None:
    """`deliver`, by the given client."""
    plan: Plan = run.perform("alarms.plan_delivery", {})
    failed: list[bool] = []
    if plan.notice is None or plan.ways is None:
        return
    for channel in plan.channels:
        run.checkpoint()
        outcome = sending.send(plan.notice, channel, plan.ways, sending.DELIVERY, datetime.now(UTC), client)
        gave_up = not outcome.ok and (plan.last or not outcome.passing)
        run.perform("alarms.record_delivery", RecordDelivery(
            channel=channel, opening=plan.notice.opening, failure=outcome.failure, uncertain=outcome.uncertain,
            answer=outcome.status, attempts=outcome.attempts, gave_up=gave_up,
        ))
        if not outcome.ok:
            failed.append(gave_up)
    if failed and all(failed):
        raise JobFailed("not_delivered")
    if failed:
        raise NotDelivered
