"""Keys that sign checkpoints, and the copies of checkpoints in the control plane: outside every tenant's database.

The private half is sealed under the platform's key. A key that was replaced signs nothing more, and stays published,
so that what it signed can be verified.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Engine, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session
from sqlmodel import col
from uuid_utils.compat import uuid7

from workreef_app.services.audit import notes
from workreef_app.services.audit.verify import Key
from workreef_app.services.operation import Event
from workreef_app.services.tenancy import platform_log
from workreef_app.services.tenancy.models import CheckpointCopy, SigningKey
from workreef_app.services.vault.cipher import Cipher


class Signer:
    """Signs checkpoints with the platform's current key. `cipher` gives what seals the platform's secrets."""

    def __init__(self, control: Engine, cipher: Callable[[], Cipher]) -> None:
        self._control = control
        self._cipher = cipher

    def prepare(self) -> None:
        """Makes the first key on first need."""
        with Session(self._control) as session:
            missing = session.scalars(select(SigningKey)).first() is None
        if missing:
            self.rotate()

    def rotate(self, actor: str = platform_log.ITSELF) -> None:
        """A new key from now on, which the platform's log tells. Raises KeyUnavailable when its key does not answer."""
        private, now = Ed25519PrivateKey.generate(), datetime.now(UTC)
        box = self._cipher().seal("signing_key", "private", private.private_bytes_raw())
        with Session(self._control) as session, session.begin():
            session.execute(update(SigningKey).where(col(SigningKey.retired_at).is_(None)).values(retired_at=now))
            key = SigningKey(id=uuid7(), public=notes.public_of(private), private=box, created_at=now)
            session.add(key)
            platform_log.append(
                session, Event.SIGNING_KEY_MADE, actor=actor, target=f"signing_key:{key.id}", public=key.public.hex()
            )

    def sign(self, log_id: UUID, size: int, root: bytes, chain: bytes) -> str:
        """The checkpoint of a log as a signed note. Raises KeyUnavailable when the platform's key does not answer."""
        with Session(self._control) as session:
            query = select(col(SigningKey.private)).where(col(SigningKey.retired_at).is_(None))
            box = session.scalars(query.order_by(col(SigningKey.created_at).desc()).limit(1)).one()
        private = Ed25519PrivateKey.from_private_bytes(self._cipher().open("signing_key", "private", box))
        name = notes.origin(log_id)
        return notes.sign(private, name, notes.text(name, size, root, chain))

    def keys(self, log_id: UUID) -> list[Key]:
        """The keys that sign or signed checkpoints of a log, newest first."""
        with Session(self._control) as session:
            query = select(col(SigningKey.public)).order_by(col(SigningKey.created_at).desc())
            return [Key(notes.origin(log_id), bytes(public)) for public in session.scalars(query)]

    def kept(self, log_id: UUID) -> int:
        """The size of the last checkpoint of a log that is copied here; 0 if there is none."""
        with Session(self._control) as session:
            query = select(func.max(col(CheckpointCopy.size))).where(col(CheckpointCopy.log_id) == log_id)
            return session.scalar(query) or 0

    def keep(self, log_id: UUID, made: Iterable[tuple[int, str]]) -> None:
        """Copies checkpoints (size, note) here; one that is here already stays as it is."""
        rows = [{"log_id": log_id, "size": size, "note": note, "kept_at": datetime.now(UTC)} for size, note in made]
        if rows:
            with self._control.begin() as connection:
                connection.execute(insert(CheckpointCopy).on_conflict_do_nothing(), rows)

    def last_copy(self, log_id: UUID) -> str | None:
        """The note of the largest checkpoint of a log that is copied here; None if there is none."""
        with Session(self._control) as session:
            query = select(col(CheckpointCopy.note)).where(col(CheckpointCopy.log_id) == log_id)
            return session.scalars(query.order_by(col(CheckpointCopy.size).desc()).limit(1)).first()

    def copies(self, log_id: UUID) -> list[str]:
        """The notes of a log that are copied here, by size."""
        with Session(self._control) as session:
            query = select(col(CheckpointCopy.note)).where(col(CheckpointCopy.log_id) == log_id)
            return list(session.scalars(query.order_by(col(CheckpointCopy.size))))
