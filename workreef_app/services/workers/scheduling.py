"""When scheduled work is due, in each tenant's own time zone, and that it is put in the queue once."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from apscheduler.triggers.cron import CronTrigger
from sqlalchemy import or_, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col
from uuid_utils.compat import uuid7

from workreef_app.services.access import tenant_settings
from workreef_app.services.door import Caller, Door
from workreef_app.services.jobs.control_models import ScheduleSlot
from workreef_app.services.operation import Actor
from workreef_app.services.tenancy.models import TenantRow
from workreef_app.services.tenancy.platform import Tenant

log = logging.getLogger("workreef.jobs")

#: A slot that was missed is made up for within this time; of several missed ones only the last.
GRACE: Final = timedelta(hours=24)
#: After so long a slot that was taken and not fired is taken again: who took it died in between.
TAKEN: Final = timedelta(seconds=60)
#: How long a process goes on with a tenant's zone and hours as it read them.
PLAN_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Schedule:
    """Work of a kind, at the times of a cron expression (five fields) in a time zone."""

    kind: str
    cron: str
    zone: str


def plan(settings: dict[str, int], zone: str) -> tuple[Schedule, ...]:
    """A tenant's schedules."""
    return (
        Schedule("digest", f"0 {settings['digest.hour']} * * *", zone),
        Schedule("import_sweep", "17 * * * *", "UTC"),
    )


def last_due(schedule: Schedule, since: datetime, now: datetime) -> datetime | None:
    """The latest time at which it was due after `since`, up to `now`; None if it was not. All times are aware.

    An hour that the clocks skip fires at the next; a time that they repeat fires the first time.
    """
    zone = ZoneInfo(schedule.zone)
    trigger = CronTrigger.from_crontab(schedule.cron, timezone=zone)
    found: datetime | None = None
    # The steps are taken in UTC: around a repeated hour the trigger goes back to the one before.
    moment, until = since.astimezone(UTC) + timedelta(microseconds=1), now.astimezone(UTC)
    while moment <= until and (following := trigger.get_next_fire_time(None, moment)) is not None:
        due = following.astimezone(UTC)
        if due > until:
            break
        if due < moment:
            moment += timedelta(minutes=1)
            continue
        if found is None or wall_time(found, zone) != wall_time(due, zone):
            found = due
        moment = due + timedelta(microseconds=1)
    return found


def wall_time(moment: datetime, zone: ZoneInfo) -> datetime:
    """What a clock on the wall shows."""
    return moment.astimezone(zone).replace(tzinfo=None, fold=0)


class Scheduler:
    """Fires what is due for every tenant of a platform. Any number of processes may do so."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._plans: dict[str, tuple[float, tuple[Schedule, ...]]] = {}

    def tick(self, now: datetime) -> int:
        """Puts what is due in the queue; how many slots this call fired. A tenant that fails is left out."""
        fired = 0
        for row in self._door.platform.tenants():
            try:
                fired += self._tenant(row, now)
            except Exception as error:  # whatever is wrong with one tenant, the others have their schedules
                log.warning("a schedule waits", extra={"tenant": row.slug, "error": type(error).__name__})
        return fired

    def _tenant(self, row: TenantRow, now: datetime) -> int:
        tenant = self._door.platform.tenant(row.slug)
        return sum(
            self._fire(tenant, schedule, due, now)
            for schedule, due in due_slots(self._plan(tenant), max(row.created_at, now - GRACE), now)
        )

    def _plan(self, tenant: Tenant) -> tuple[Schedule, ...]:
        read_at, known = self._plans.get(tenant.info.slug, (-PLAN_SECONDS, ()))
        if time.monotonic() - read_at < PLAN_SECONDS:
            return known
        with self._door.platform.unit_of_work(tenant, Actor(id="system:scheduler")) as session:
            known = plan(tenant_settings.read(session), tenant_settings.time_zone(session))
        self._plans[tenant.info.slug] = (time.monotonic(), known)
        return known

    def _fire(self, tenant: Tenant, schedule: Schedule, due: datetime, now: datetime) -> int:
        name = f"{schedule.kind}:{tenant.info.id}"
        if not self._take(name, due, now):
            return 0
        caller = Caller(tenant, uuid7().hex, system="scheduler")
        # The key makes it once for the tenant, too, should two processes take one slot after the other.
        self._door.perform(caller, "jobs.schedule", {"kind": schedule.kind, "key": key(schedule.kind, due)})
        with self._door.platform.control.begin() as connection:
            connection.execute(
                update(ScheduleSlot).values(done_at=now)
                .where(col(ScheduleSlot.schedule) == name, col(ScheduleSlot.slot) == due)
            )
        return 1

    def _take(self, name: str, due: datetime, now: datetime) -> bool:
        """Whether this process is the one to fire a slot."""
        statement = insert(ScheduleSlot).values(schedule=name, slot=due, taken_at=now)
        lost = col(ScheduleSlot.done_at).is_(None) & or_(col(ScheduleSlot.taken_at) < now - TAKEN)
        with self._door.platform.control.begin() as connection:
            taken = connection.execute(statement.on_conflict_do_update(
                index_elements=[col(ScheduleSlot.schedule), col(ScheduleSlot.slot)], set_={"taken_at": now}, where=lost,
            ), execution_options={"preserve_rowcount": True})
            return taken.rowcount == 1


def due_slots(
    schedules: Iterable[Schedule], since: datetime, now: datetime
) -> Iterable[tuple[Schedule, datetime]]:
    """The latest slot of each schedule that was due in the time given."""
    for schedule in schedules:
        due = last_due(schedule, since, now)
        if due is not None:
            yield schedule, due


def key(kind: str, due: datetime) -> str:
    """What a slot's job is told by: `digest:2026-11-24t04:00:00+00:00`."""
    return f"{kind}:{due.astimezone(ZoneInfo('UTC')).isoformat(timespec='seconds').lower()}"
