"""Operations on the tenant's settings: what holds, who changed what when, and a change."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field
from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import distinct_on
from sqlmodel import col
from uuid_utils.compat import uuid7

from workreef_app.services import paging
from workreef_app.services.access import people, tenant_settings
from workreef_app.services.access.models import Setting, SettingChange
from workreef_app.services.access.tenant_settings import Number, Zone
from workreef_app.services.operation import (
    AUDITORS,
    Command,
    Conflict,
    Event,
    Invalid,
    Persona,
    Result,
    Work,
    operation,
)

ADMINS = frozenset({Persona.ADMIN})
PAGE = 25
#: The audit entry of a change names it, so that the history finds the entry; few entries have a setting as target.
_ENTRIES = text("""
SELECT seq, (content::json -> 'detail' ->> 'change') AS change FROM audit_entry
WHERE target = ANY (:targets) AND event = 'setting.changed' AND (content::json -> 'detail' ->> 'change') = ANY (:ids)
""")


class ReadSettings(Command):
    pass


class SettingRow(Result):
    """A setting with its bounds. A number has `number`, a name has `word`; `version` is 0 while nobody changed it.

    `changed_by` is empty where the reader may not see who it was, or the key does not answer.
    """

    name: str
    kind: Literal["number", "zone"]
    number: int | None
    word: str | None
    default: int | str
    minimum: int | None
    maximum: int | None
    unit: str
    meaning: str
    version: int
    changed_at: datetime | None = None
    changed_by: str = ""


class SettingsList(Result):
    """All settings of the tenant."""

    settings: list[SettingRow]


@operation("settings.read", by=AUDITORS, limit="120/minute", audit=Event.DATA_READ, keyless=True)
def read_settings(work: Work, command: ReadSettings) -> SettingsList:
    """Lists the tenant's settings, each with its last change."""
    own = {row.name: row for row in work.session.scalars(select(Setting))}
    last = _last_changes(work)
    rows = [_row(name, known, own.get(name)) for name, known in tenant_settings.ALL.items()]
    work.note(target="setting", rows=len(rows))
    return SettingsList(settings=[
        row.model_copy(update={"changed_at": last[row.name][0], "changed_by": last[row.name][1]})
        if row.name in last else row
        for row in rows
    ])


def _last_changes(work: Work) -> dict[str, tuple[datetime, str]]:
    """When each setting was changed last, and by whom. Nothing sealed is read, since the key may be dead."""
    changes = work.session.execute(
        select(col(SettingChange.name), col(SettingChange.at), col(SettingChange.person_id), col(SettingChange.actor))
        .ext(distinct_on(col(SettingChange.name))).order_by(col(SettingChange.name), col(SettingChange.id).desc())
    ).all()
    names = people.names(work, [change.person_id for change in changes if change.person_id])
    return {change.name: (change.at, names.get(change.person_id, change.actor)) for change in changes}


def _row(name: str, known: Number | Zone, own: Setting | None) -> SettingRow:
    value = tenant_settings.value_of(own, known)
    bounds = (known.minimum, known.maximum) if isinstance(known, Number) else (None, None)
    return SettingRow(
        name=name, kind="number" if isinstance(known, Number) else "zone",
        number=value if isinstance(value, int) else None, word=value if isinstance(value, str) else None,
        default=known.default, minimum=bounds[0], maximum=bounds[1], unit=known.unit, meaning=known.meaning,
        version=own.version if own else 0,
    )


class ChangeSetting(Command):
    name: str = Field(max_length=81)
    number: int | None = None
    word: str | None = Field(None, max_length=64)
    version: int | None = Field(None, ge=0, description="The version that was read; the change is refused if it is "
                                                        "another one by now. Without it the change always holds.")


@operation("settings.change", by=ADMINS, limit="60/minute", audit=Event.SETTING_CHANGED)
def change_setting(work: Work, command: ChangeSetting) -> SettingRow:
    """Changes one setting of the tenant."""
    known = tenant_settings.named(command.name)
    given = command.number if isinstance(known, Number) else command.word
    other = command.word if isinstance(known, Number) else command.number
    if given is None or other is not None:
        field = "number" if isinstance(known, Number) else "word"
        raise Invalid(f"This setting is a {field}.", fields={field: "is what this setting takes"})
    after = known.checked(given)
    row = work.session.scalars(select(Setting).where(col(Setting.name) == command.name).with_for_update()).first()
    version = row.version if row else 0
    if command.version is not None and command.version != version:
        raise Conflict("Somebody changed this setting since you read it. Look at what holds now.")
    before = tenant_settings.value_of(row, known)
    if row is None:
        row = Setting(name=command.name, version=0, updated_at=work.now)
        work.session.add(row)
    row.number, row.word = (after, None) if isinstance(after, int) else (None, after)
    row.version, row.updated_at = version + 1, work.now
    work.note(target=f"setting:{command.name}", before=_told(work, before), after=_told(work, after))
    if before != after:
        change = SettingChange(
            id=uuid7(), name=command.name, before=before, after=after, person_id=work.actor.person_id,
            actor=work.actor.id[:120], at=work.now,
        )
        work.session.add(change)
        work.note(change=str(change.id))
    return _row(command.name, known, row)


def _told(work: Work, value: int | str) -> int | str:
    """A value as the audit log may hold it: numbers as they are, anything else as a keyed hash."""
    return value if isinstance(value, int) else work.keyed(value)


class ReadHistory(Command):
    name: str = Field("", max_length=81)
    after: str = Field("", max_length=100)
    limit: int = Field(PAGE, ge=1, le=200)


class ChangeRow(Result):
    """One change. `entry` is the number of its audit entry."""

    id: UUID
    name: str
    unit: str
    before: int | str
    after: int | str
    by: str
    at: datetime
    entry: int | None


class History(Result):
    """A page of changes, newest first. `next` is empty on the last page."""

    rows: list[ChangeRow]
    count: int
    next: str


@operation("settings.history", by=AUDITORS, limit="120/minute", audit=Event.DATA_READ)
def read_history(work: Work, command: ReadHistory) -> History:
    """Lists the changes of the tenant's settings, newest first."""
    query = select(SettingChange)
    if command.name:
        tenant_settings.named(command.name)
        query = query.where(col(SettingChange.name) == command.name)
    count = paging.total(work.session, query)
    ordered = paging.newest_first(query, col(SettingChange.at), col(SettingChange.id), command.after)
    found = list(work.session.scalars(ordered.limit(command.limit + 1)))
    page = found[: command.limit]
    work.note(target="setting", rows=len(page))
    return History(
        rows=_rows(work, page), count=count,
        next=paging.encode(page[-1].at, page[-1].id) if len(found) > command.limit else "",
    )


def _rows(work: Work, page: Sequence[SettingChange]) -> list[ChangeRow]:
    names = people.names(work, [change.person_id for change in page if change.person_id])
    entries = {entry.change: entry.seq for entry in work.session.execute(_ENTRIES, {
        "targets": list({f"setting:{change.name}" for change in page}), "ids": [str(change.id) for change in page],
    })}
    return [
        ChangeRow(
            id=change.id, name=change.name, unit=_unit(change.name), before=change.before, after=change.after,
            by=names.get(change.person_id, change.actor) if change.person_id else change.actor, at=change.at,
            entry=entries.get(str(change.id)),
        )
        for change in page
    ]


def _unit(name: str) -> str:
    """What a setting counts; nothing for one that an older version knew."""
    known = tenant_settings.ALL.get(name)
    return known.unit if known else ""
