"""Operations on witnesses: which there are, adding and removing them, and what came of pushing to them."""

from __future__ import annotations

import secrets
from datetime import datetime
from pathlib import Path
from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field, SecretStr, StringConstraints
from sqlalchemy import func, select
from sqlmodel import col
from uuid_utils.compat import uuid7

from workreef_app.services.access.operations import ADMINS
from workreef_app.services.alarms.kinds import AlarmKind
from workreef_app.services.alarms.raising import clear_alarm, raise_alarm
from workreef_app.services.alarms.routes import check_url
from workreef_app.services.alarms.sending import settings_of
from workreef_app.services.audit import notes
from workreef_app.services.audit.models import AuditCheckpoint
from workreef_app.services.operation import (
    AUDITORS,
    NOBODY,
    Command,
    Conflict,
    Event,
    Invalid,
    NotFound,
    Result,
    Work,
    operation,
)
from workreef_app.services.outbound.policy import Failure
from workreef_app.services.witnesses.models import Witness, WitnessKind
from workreef_app.services.witnesses.sending import FOLDER, Parcel, Target

MOST = 10
SECRET_BYTES = 32
Text = Annotated[str, StringConstraints(max_length=500, strip_whitespace=True)]


class ListWitnesses(Command):
    pass


class WitnessRow(Result):
    """A witness as the page shows it. `behind` says that the last checkpoint has not been taken."""

    id: UUID
    kind: WitnessKind
    target: str
    sent_size: int
    taken_at: datetime | None
    failing_since: datetime | None
    failure: Failure | None
    behind: bool


class Witnesses(Result):
    """All witnesses, oldest first."""

    rows: list[WitnessRow]


@operation("witnesses.list", by=AUDITORS, limit="240/minute", audit=Event.DATA_READ)
def list_witnesses(work: Work, command: ListWitnesses) -> Witnesses:
    """Lists where checkpoints are pushed to, and how far each is."""
    rows = list(work.session.scalars(select(Witness).order_by(col(Witness.created_at), col(Witness.id))))
    work.note(target="witness", rows=len(rows))
    size = _size(work)
    return Witnesses(rows=[_row(row, size) for row in rows])


def _size(work: Work) -> int:
    return work.session.scalar(select(func.max(col(AuditCheckpoint.size)))) or 0


def _row(row: Witness, size: int) -> WitnessRow:
    return WitnessRow(
        id=row.id, kind=row.kind, target=row.target, sent_size=row.sent_size, taken_at=row.taken_at,
        failing_since=row.failing_since, failure=Failure(row.failure) if row.failure else None,
        behind=row.sent_size < size,
    )


class AddWitness(Command):
    kind: WitnessKind
    target: Text = Field(min_length=1, description="A folder's name, a webhook's address, or a bucket.")
    region: Text = Field("", description="Of the bucket.")
    endpoint: Text = Field("", description="Of a store that speaks S3; empty for Amazon's own.")
    access_key: Text = ""
    secret_key: SecretStr = Field(SecretStr(""), max_length=500)


class Added(Result):
    """The new witness. The secret that a webhook checks our calls by is told this once."""

    model_config = ConfigDict(frozen=True)

    row: WitnessRow
    new_secret: str | None = Field(None, repr=False)


@operation("witnesses.add", by=ADMINS, limit="30/minute", audit=Event.WITNESS_ADDED)
def add_witness(work: Work, command: AddWitness) -> Added:
    """Adds a witness: every checkpoint from now on is pushed to it."""
    if (work.session.scalar(select(func.count()).select_from(Witness)) or 0) >= MOST:
        raise Conflict(f"There are {MOST} witnesses already. Remove one first.")
    secret, new_secret = _secret(work, command)
    row = Witness(
        id=uuid7(), kind=command.kind, target=command.target, secret=secret, sent_size=0, created_at=work.now
    )
    work.session.add(row)
    work.session.flush()
    work.note(target=f"witness:{row.id}", kind=row.kind.value)
    return Added(row=_row(row, _size(work)), new_secret=new_secret)


def _secret(work: Work, command: AddWitness) -> tuple[dict[str, str], str | None]:
    """What proves who we are there, and what of it is to be told. Raises Invalid."""
    production = settings_of(work).production
    if command.kind is WitnessKind.FOLDER:
        if not FOLDER.fullmatch(command.target):
            raise Invalid("This is no name of a folder.", fields={"target": "lower-case letters, digits and hyphens"})
        return {}, None
    if command.kind is WitnessKind.WEBHOOK:
        check_url(command.target, production=production, field="target")
        made = secrets.token_hex(SECRET_BYTES)
        return {"secret": made}, made
    if command.endpoint:
        check_url(command.endpoint, production=production, field="endpoint")
    missing = [name for name in ("region", "access_key", "secret_key") if not _given(command, name)]
    if missing:
        raise Invalid("A bucket wants all of these.", fields=dict.fromkeys(missing, "is needed"))
    return {
        "region": command.region, "endpoint": command.endpoint.rstrip("/"), "access_key": command.access_key,
        "secret_key": command.secret_key.get_secret_value(),
    }, None


def _given(command: AddWitness, name: str) -> bool:
    value = getattr(command, name)
    return bool(value.get_secret_value() if isinstance(value, SecretStr) else value)


class RemoveWitness(Command):
    witness_id: UUID


class Removed(Result):
    """The witness is asked for nothing more; what it has stays there."""


@operation("witnesses.remove", by=ADMINS, limit="30/minute", audit=Event.WITNESS_REMOVED)
def remove_witness(work: Work, command: RemoveWitness) -> Removed:
    """Removes a witness. What it has taken stays where it is."""
    row = _held(work, command.witness_id)
    work.session.delete(row)
    clear_alarm(work, AlarmKind.WITNESS_BEHIND, subject=f"witness:{row.id}")
    work.note(target=f"witness:{row.id}", kind=str(row.kind), size=row.sent_size)
    return Removed()


def _held(work: Work, witness_id: UUID) -> Witness:
    row = work.session.get(Witness, witness_id, with_for_update=True)
    if row is None:
        raise NotFound("witness", witness_id)
    return row


class FindBehind(Command):
    pass


class Behind(Result):
    """One witness that has not taken the last checkpoint, and what is to be handed to it."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    witness_id: UUID
    target: Target = Field(exclude=True, repr=False)
    parcel: Parcel


class AllBehind(Result):
    """All of them."""

    rows: list[Behind]


@operation("witnesses.behind", by=NOBODY, limit="60/minute", audit=None, jobs=True)
def find_behind(work: Work, command: FindBehind) -> AllBehind:
    """Finds the witnesses that are behind, with the checkpoint that each is to take."""
    last = work.session.scalars(select(AuditCheckpoint).order_by(col(AuditCheckpoint.size).desc()).limit(1)).first()
    if last is None:
        return AllBehind(rows=[])
    settings = settings_of(work)
    root = Path(settings.witness_dir) if settings.witness_dir else settings.data_dir / "witnesses"
    parcel = Parcel(notes.origin(work.tenant.id), last.size, last.note)
    rows = work.session.scalars(select(Witness).where(col(Witness.sent_size) < last.size))
    return AllBehind(rows=[
        Behind(witness_id=row.id, parcel=parcel, target=Target(
            WitnessKind(row.kind), row.target, row.secret, root / work.tenant.slug, settings.production
        ))
        for row in rows
    ])


class RecordPush(Command):
    witness_id: UUID
    size: int = Field(ge=1)
    failure: Failure | None = None


class Recorded(Result):
    """It is known now."""


@operation("witnesses.record", by=NOBODY, limit="600/minute", audit=Event.WITNESS_PUSHED, jobs=True)
def record_push(work: Work, command: RecordPush) -> Recorded:
    """Records whether a witness took a checkpoint; raises an alarm for one that did not, and clears it."""
    row = _held(work, command.witness_id)
    subject = f"witness:{row.id}"
    work.note(target=subject, size=command.size, outcome=command.failure.value if command.failure else "taken")
    if command.failure is None:
        row.sent_size, row.taken_at = max(row.sent_size, command.size), work.now
        row.failing_since = row.failure = None
        clear_alarm(work, AlarmKind.WITNESS_BEHIND, subject=subject)
    else:
        row.failing_since, row.failure = row.failing_since or work.now, command.failure.value
        raise_alarm(work, AlarmKind.WITNESS_BEHIND, subject=subject, detail={"failure": command.failure.value})
    return Recorded()
