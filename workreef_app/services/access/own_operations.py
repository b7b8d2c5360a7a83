"""Operations on oneself: who am I, until when am I signed in, in which zone do I read times."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from uuid import UUID

from pydantic import Field
from sqlalchemy import select, update
from sqlmodel import col

from workreef_app.services.access import csrf, people, sessions, tenant_settings, zones
from workreef_app.services.access.models import Department, Person, SessionRow
from workreef_app.services.operation import ANYONE, Command, Event, Invalid, Persona, Result, Work, operation
from workreef_app.services.tenancy.platform import SETTINGS
from workreef_app.settings import Environment, Settings, would_refuse


class SessionTimes(Result):
    """When the session ends whatever is done, and when it ends unless something is done.

    `mark` names the session without being of any use elsewhere; `idle_ends_at` is None where no limit is set.
    """

    mark: str
    now: datetime
    ends_at: datetime
    idle_ends_at: datetime | None


class ReadMe(Command):
    pass


class Me(Result):
    """Who is signed in, where, as what, until when, and the zone in which times are shown to them.

    `factor` is whether they have a second factor, and
    `must_enrol` says that this admin must set up a second factor before anything else.
    `csrf_token` is what writes with the session's cookie send along; empty without a session. `unfit` counts, for
    admins in development, the settings that production would refuse.
    """

    person_id: UUID | None
    name: str
    personas: list[Persona]
    departments: list[str]
    tenant_name: str
    tenant_slug: str
    environment: str
    locked: bool
    contact: str
    time_zone: str
    own_time_zone: str
    tenant_time_zone: str
    session: SessionTimes | None
    factor: bool = False
    must_enrol: bool = False
    csrf_token: str = Field("", repr=False)
    unfit: int = 0


@operation("me.read", by=ANYONE, limit="1200/minute", audit=None, keyless=True, enrolling=True)
def read_me(work: Work, command: ReadMe) -> Me:
    """Says who is signed in; the frame of every page."""
    settings: Settings = work.session.info[SETTINGS]
    name, departments = "", []
    if work.unlocked:
        person = work.session.get(Person, work.actor.person_id) if work.actor.person_id else None
        name = person.name if person else work.actor.id
        mine = select(Department).where(col(Department.id).in_(work.actor.departments)).order_by(col(Department.slug))
        departments = [d.name for d in work.session.scalars(mine)]
    own, tenants = _own_zone(work), tenant_settings.time_zone(work.session)
    return Me(
        person_id=work.actor.person_id, name=name, personas=[p for p in Persona if p in work.actor.personas],
        departments=departments, tenant_name=work.tenant.name, tenant_slug=work.tenant.slug,
        environment=work.tenant.environment, locked=not work.unlocked, contact=people.contact(work),
        time_zone=own or tenants, own_time_zone=own, tenant_time_zone=tenants, session=_times(work),
        factor=work.actor.factor, must_enrol=sessions.must_enrol(work.actor, production=settings.production),
        csrf_token=_csrf(work), unfit=_unfit(work),
    )


def _own_zone(work: Work) -> str:
    """The zone that the person chose; empty where they chose none."""
    query = select(col(Person.time_zone)).where(col(Person.id) == work.actor.person_id)
    return work.session.scalars(query).first() or ""


def _unfit(work: Work) -> int:
    settings: Settings = work.session.info[SETTINGS]
    told = Persona.ADMIN in work.actor.personas and settings.env is Environment.DEVELOPMENT
    return len(would_refuse(settings)) if told else 0


def _csrf(work: Work) -> str:
    # Nothing sealed of the row is read: the key may be dead.
    wanted = select(col(SessionRow.token_hash), col(SessionRow.host)).where(col(SessionRow.id) == work.actor.session_id)
    row = work.session.execute(wanted).one_or_none()
    settings: Settings = work.session.info[SETTINGS]
    return csrf.of_session(bytes(row.token_hash), row.host, settings.secret_key.get_secret_value()) if row else ""


def _times(work: Work) -> SessionTimes | None:
    """When the session that asks ends; None where there is none, as at the command line."""
    # Nothing sealed of the row is read: the key may be dead.
    row = work.session.execute(
        select(col(SessionRow.id), col(SessionRow.last_active_at), col(SessionRow.expires_at))
        .where(col(SessionRow.id) == work.actor.session_id)
    ).one_or_none()
    if row is None:
        return None
    minutes = tenant_settings.read(work.session)["session.idle_minutes"]
    idle = row.last_active_at + timedelta(minutes=minutes) if minutes else None
    mark = hashlib.sha256(row.id.bytes).hexdigest()[:16]
    return SessionTimes(mark=mark, now=work.now, ends_at=row.expires_at, idle_ends_at=idle)


class ChangeMe(Command):
    time_zone: str = Field(max_length=64)


class Changed(Result):
    """What holds now: the zone that the person chose, empty for none, and the one in which times are shown."""

    own_time_zone: str
    time_zone: str


@operation("me.change", by=ANYONE, limit="60/minute", audit=Event.PERSON_CHANGED)
def change_me(work: Work, command: ChangeMe) -> Changed:
    """Chooses the time zone in which times are shown to the person who asks; an empty name is the tenant's."""
    person = work.session.get(Person, work.actor.person_id) if work.actor.person_id else None
    if person is None:
        raise Invalid("Only a person has a time zone.")
    if command.time_zone and not zones.exists(command.time_zone):
        raise Invalid("There is no such time zone.", fields={"time_zone": "is not the name of a time zone"})
    before, person.time_zone = person.time_zone or "", command.time_zone or None
    work.note(target=f"person:{person.id}", changed="time_zone", before=work.keyed(before),
              after=work.keyed(command.time_zone))
    return Changed(
        own_time_zone=command.time_zone, time_zone=command.time_zone or tenant_settings.time_zone(work.session)
    )


class ExtendSession(Command):
    pass


@operation("sessions.extend", by=ANYONE, limit="60/minute", audit=Event.SESSION_EXTENDED, keyless=True, enrolling=True)
def extend_session(work: Work, command: ExtendSession) -> SessionTimes:
    """Counts as activity, so that an idle limit begins anew; the session's own end stays where it is."""
    work.session.execute(
        update(SessionRow).where(col(SessionRow.id) == work.actor.session_id).values(last_active_at=work.now)
    )
    times = _times(work)
    if times is None:
        raise Invalid("Only a signed-in browser has a session.")
    work.note(target=f"session:{work.actor.session_id}")
    return times
