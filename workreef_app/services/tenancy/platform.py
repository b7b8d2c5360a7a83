"""The platform in one process: the control plane, the keyring, and the way from a host to a tenant's unit of work.

There is no function that takes a tenant's id and a query: a `Tenant` comes only from a host, for the command line
from a slug, for a job from its pointer, and everything else hangs on it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import URL, select
from sqlalchemy.orm import Session
from sqlmodel import col

from workreef_app.services.audit import log
from workreef_app.services.audit.flushing import SharedFlush
from workreef_app.services.operation import Actor, TenantInfo
from workreef_app.services.tenancy import server
from workreef_app.services.tenancy.engines import Engines
from workreef_app.services.tenancy.errors import UnknownTenant
from workreef_app.services.tenancy.models import PlatformKey, TenantRow, TenantStatus
from workreef_app.services.tenancy.platform_log import PLATFORM_ID
from workreef_app.services.tenancy.scope import scoped
from workreef_app.services.tenancy.signing import Signer
from workreef_app.services.vault.cipher import Cipher
from workreef_app.services.vault.columns import using
from workreef_app.services.vault.errors import KeyUnavailable
from workreef_app.services.vault.keyring import Keyring, WrappedKey
from workreef_app.settings import Settings

#: Under which a unit of work's session keeps the control plane's engine, for the queue.
CONTROL = "workreef.control"
#: Under which it keeps the process's settings, for what leaves the house.
SETTINGS = "workreef.settings"
#: Under which it keeps what signs checkpoints.
SIGNER = "workreef.signer"
#: How long a process may go on with what it knows of a tenant.
TENANT_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Tenant:
    """A tenant that was found: who it is, where its data lies, and its wrapped key."""

    info: TenantInfo
    url: URL = field(repr=False)
    key: WrappedKey = field(repr=False)


class Platform:
    """What one process holds open. Close it when done."""

    def __init__(self, settings: Settings, database_url: str) -> None:
        self.settings = settings
        self.url = server.normalise(database_url)
        self.control = server.control_engine(self.url)
        self.keyring = Keyring(settings.keys_dir)
        self.engines = Engines()
        self.signer = Signer(self.control, self.platform_cipher)
        self._flushes = SharedFlush()
        self._found: dict[str, tuple[float, Tenant]] = {}
        self._lock = threading.Lock()

    def close(self) -> None:
        self.engines.close()
        self.control.dispose()
        self.keyring.purge()

    def platform_cipher(self) -> Cipher:
        """Seals the platform's own secrets. Raises KeyUnavailable when the platform key does not answer."""
        with Session(self.control) as session:
            row = session.scalars(select(PlatformKey)).one()
        return self.keyring.cipher(WrappedKey(PLATFORM_ID, row.id, row.reference, row.wrapped))

    def slug_of(self, host: str) -> str | None:
        """The slug in a host name; None for the platform's own host. Raises UnknownTenant for any other."""
        name = host.rsplit(":", 1)[0].lower() if not host.endswith("]") else host
        if name == self.settings.public_host:
            return None
        slug, _, rest = name.partition(".")
        if rest != self.settings.public_host or not slug:
            raise UnknownTenant("This address belongs to no tenant.")
        return slug

    def tenant(self, slug: str) -> Tenant:
        """The active tenant of a slug. Raises UnknownTenant."""
        now = time.monotonic()
        with self._lock:
            at, found = self._found.get(slug, (-1.0, None))
        if found is not None and now - at < TENANT_SECONDS:
            return found
        with Session(self.control) as session:
            row = session.scalars(
                select(TenantRow).where(col(TenantRow.slug) == slug, col(TenantRow.status) == TenantStatus.ACTIVE)
            ).first()
        if row is None:
            with self._lock:
                self._found.pop(slug, None)
            raise UnknownTenant(f"There is no tenant {slug!r}.")
        tenant = self._tenant(row)
        with self._lock:
            self._found[slug] = (now, tenant)
        return tenant

    def tenant_of(self, tenant_id: UUID) -> Tenant:
        """The active tenant that a job belongs to. Raises UnknownTenant."""
        with Session(self.control) as session:
            slug = session.scalar(select(col(TenantRow.slug)).where(col(TenantRow.id) == tenant_id))
        if slug is None:
            raise UnknownTenant("This tenant is gone.")
        return self.tenant(slug)

    def _tenant(self, row: TenantRow) -> Tenant:
        password = self.platform_cipher().open("tenant", "app_password", row.app_password).decode()
        url = server.connect_url(
            self.url, user=server.app_role(row.database), password=password, database=row.database
        )
        info = TenantInfo(row.id, row.slug, row.name, row.hipaa, "demo" if row.demo else self.settings.env.value)
        return Tenant(info, url, WrappedKey(row.id, row.key_id, row.key_reference, row.wrapped_key))

    def locked(self, tenant: Tenant) -> bool:
        """Whether the tenant's key does not answer, so that nothing sealed of it can be read."""
        try:
            self.keyring.cipher(tenant.key)
        except KeyUnavailable:
            return True
        return False

    def tenants(self) -> list[TenantRow]:
        """All active tenants, by slug."""
        with Session(self.control, expire_on_commit=False) as session:
            rows = session.scalars(
                select(TenantRow).where(col(TenantRow.status) == TenantStatus.ACTIVE).order_by(col(TenantRow.slug))
            )
            return list(rows)

    @contextmanager
    def unit_of_work(self, tenant: Tenant, actor: Actor, *, keyless: bool = False) -> Iterator[Session]:
        """A transaction in the tenant's database, in the actor's scope; commits at the end, or rolls back.

        `keyless` work goes on with a dead key, and then must leave sealed columns alone. Raises KeyUnavailable,
        Busy, SchemaNotCurrent.
        """
        sealed: AbstractContextManager[None] = nullcontext()
        try:
            sealed = using(self.keyring.cipher(tenant.key))
        except KeyUnavailable:
            if not keyless:
                raise
        with self.engines.use(tenant.info.id, tenant.url) as engine, sealed, scoped(engine, actor) as connection:
            began = log.begin(connection)
            with Session(connection, expire_on_commit=False) as session, session.begin():
                session.info[CONTROL] = self.control
                session.info[SETTINGS] = self.settings
                session.info[SIGNER] = self.signer
                yield session
            log.flush(session, connection, self._flushes, began)
