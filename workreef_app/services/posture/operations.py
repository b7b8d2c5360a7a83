"""Operations on how the system stands."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from sqlalchemy import Engine

from workreef_app.services.jobs.kinds import Queue
from workreef_app.services.operation import (
    AUDITORS,
    Command,
    Event,
    Reach,
    Result,
    Work,
    operation,
    reach_of,
)
from workreef_app.services.posture import alarming, degradation, looking, status, watching
from workreef_app.services.posture.degradation import Look
from workreef_app.services.posture.looking import Seen
from workreef_app.services.posture.status import Component
from workreef_app.services.tenancy.platform import CONTROL, SETTINGS
from workreef_app.settings import Settings

SCHEMA: Final = "database_schema"
Since = Mapping[str, datetime]


class ReadStatus(Command):
    pass


class Status(Result):
    """The parts of the system that this tenant runs on, as of `at`."""

    at: datetime
    components: list[Component]


@operation("status.read", by=AUDITORS, limit="240/minute", audit=Event.DATA_READ, keyless=True)
def read_status(work: Work, command: ReadStatus) -> Status:
    """Reads how each part of the system stands, since when, and what to do."""
    found = _status(work)
    work.note(target="status", rows=len(found.components))
    return found


@operation("status.poll", by=AUDITORS, limit="600/minute", audit=None, keyless=True)
def poll_status(work: Work, command: ReadStatus) -> Status:
    """Reads the same again, for a page that is open."""
    return _status(work)


def _status(work: Work) -> Status:
    control: Engine = work.session.info[CONTROL]
    with control.connect() as connection:
        seen = looking.platform(connection, work)
    since = degradation.glance(control, watching.looks(seen.crews), work.now).since
    since |= degradation.known(control, frozenset({watching.LIMITER}))
    mine = {SCHEMA: Look(bool(seen.behind)), watching.KEY: Look(not work.unlocked)}
    since |= degradation.observe(control, mine, work.now, work.tenant.id).since
    return Status(at=work.now, components=[*_platform(work, seen, since), *_tenant(work, since)])


def _platform(work: Work, seen: Seen, since: Since) -> list[Component]:
    """What all tenants share, and this tenant's part of the queue."""
    settings: Settings = work.session.info[SETTINGS]
    return [
        status.database(seen.version, seen.behind, seen.up_since, since.get(SCHEMA)),
        *(status.workers(seen.crews[queue], since.get(watching.component(queue))) for queue in Queue),
        *(status.queue(seen.waiting[queue], seen.crews[queue].alive, work.now) for queue in Queue),
        status.scheduler(seen.slots, work.now),
        status.limiter(since.get(watching.LIMITER), shared=bool(settings.redis_url)),
    ]


def _tenant(work: Work, since: Since) -> list[Component]:
    """What is this tenant's own; of sources and alarms what the reader may see."""
    reads_work = Reach.ALL_WORK in reach_of(work.actor)
    return [
        status.key(work.unlocked, since.get(watching.KEY)),
        *(status.source(facts, work.now) for facts in (looking.sources(work) if reads_work and work.unlocked else ())),
        status.jobs(looking.ended_badly(work)),
        *(alarming.components(work) if reads_work else ()),
        status.sessions(*looking.sessions(work)),
    ]
