"""Creating and migrating tenants, and the platform's first start."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime

from sqlalchemy import NullPool, create_engine, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlmodel import col
from uuid_utils.compat import uuid7

from workreef_app.services.audit import log
from workreef_app.services.audit.chain import genesis
from workreef_app.services.operation import Event
from workreef_app.services.tenancy import migrate, platform_log, server
from workreef_app.services.tenancy.errors import TenancyError, TenantExists
from workreef_app.services.tenancy.models import PlatformKey, TenantRow, TenantStatus
from workreef_app.services.tenancy.platform import Platform
from workreef_app.services.tenancy.platform_log import PLATFORM_ID
from workreef_app.services.vault.keyring import wrap_context
from workreef_app.services.vault.keys import provider

SLUG = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")
#: Host labels that tenants cannot take.
RESERVED = frozenset({
    "www", "api", "auth", "mail", "status", "workreef", "admin", "app", "assets", "autoconfig", "autodiscover", "blog",
    "cdn", "docs", "ftp", "help", "imap", "localhost", "login", "mta-sts", "ns1", "ns2", "pop", "postmaster", "root",
    "security", "signup", "smtp", "sso", "static", "support", "webmail",
})


def prepare_platform(platform: Platform) -> None:
    """Migrates the control plane, and makes the platform's data key and the key of checkpoints on first need."""
    server.migrate_control(platform.url)
    settings = platform.settings
    with Session(platform.control) as session, session.begin():
        if session.scalars(select(PlatformKey)).first() is None:
            key_id = uuid7()
            keeper = provider(settings.platform_key, settings.keys_dir)
            keeper.create()
            wrapped = keeper.wrap(os.urandom(32), wrap_context(PLATFORM_ID, key_id))
            session.add(PlatformKey(id=key_id, reference=settings.platform_key, wrapped=wrapped))
            platform_log.append(
                session, Event.PLATFORM_KEY_MADE, actor=platform_log.ITSELF, target=f"platform_key:{key_id}",
                provider=settings.platform_key.partition(":")[0],
            )
    platform.signer.prepare()


def create_tenant(
    platform: Platform, *, slug: str, name: str, hipaa: bool = False, demo: bool = False,
    key_reference: str | None = None, actor: str = "system",
) -> TenantRow:
    """A new tenant with its database, roles and data key. Raises TenantExists, TenancyError, KeyUnavailable.

    What a crash left half-made under the same slug is removed first. The chain's first entry tells of it.
    """
    if not SLUG.fullmatch(slug) or slug in RESERVED:
        raise TenancyError(
            f"{slug!r} is no slug: use 1 to 40 lower-case letters, digits and hyphens, and no reserved word."
        )
    tenant_id, key_id = uuid7(), uuid7()
    reference = key_reference or f"local:tenant-{tenant_id}"
    keeper = provider(reference, platform.settings.keys_dir)
    keeper.create()
    cipher = platform.platform_cipher()
    owner_password, app_password = server.new_password(), server.new_password()
    row = TenantRow(
        id=tenant_id, slug=slug, name=name, status=TenantStatus.PROVISIONING, hipaa=hipaa, demo=demo,
        cluster="default", database=f"t_{os.urandom(8).hex()}",
        owner_password=cipher.seal("tenant", "owner_password", owner_password.encode()),
        app_password=cipher.seal("tenant", "app_password", app_password.encode()),
        key_reference=reference, key_id=key_id,
        wrapped_key=keeper.wrap(os.urandom(32), wrap_context(tenant_id, key_id)),
        created_at=datetime.now(UTC),
    )
    _claim_slug(platform, row)
    server.create_database(platform.url, row.database, owner_password, app_password)
    _first_rows(platform, row, actor)
    with Session(platform.control, expire_on_commit=False) as session, session.begin():
        row.status = TenantStatus.ACTIVE
        platform_log.append(
            session, Event.TENANT_CREATED, actor=actor, target=f"tenant:{row.id}", hipaa=row.hipaa, demo=row.demo
        )
        return session.merge(row)


def _claim_slug(platform: Platform, row: TenantRow) -> None:
    with Session(platform.control, expire_on_commit=False) as session, session.begin():
        left = session.scalars(select(TenantRow).where(col(TenantRow.slug) == row.slug).with_for_update()).first()
        if left is not None:
            if left.status == TenantStatus.ACTIVE:
                raise TenantExists(f"There is a tenant {row.slug!r} already. Choose another slug.")
            server.drop_database(platform.url, left.database)
            session.delete(left)
            session.flush()
        session.add(row)
        try:
            session.flush()
        except IntegrityError:
            raise TenantExists(f"There is a tenant {row.slug!r} already. Choose another slug.") from None


def _first_rows(platform: Platform, row: TenantRow, actor: str) -> None:
    """The rows that only the owner may write: the data key's id, the chain's head at its genesis, the first entry."""
    first = log.content(
        at=row.created_at, actor=actor, persona=None, event=Event.TENANT_CREATED, target=f"tenant:{row.id}",
        department=None, detail={"hipaa": row.hipaa, "demo": row.demo}, request="tenant.create",
    )
    with server.admin(platform.url, row.database) as connection:
        connection.exec_driver_sql(f"SET ROLE {server.owner_role(row.database)}")
        connection.exec_driver_sql("INSERT INTO data_key (id, created_at) VALUES (%s, now())", (row.key_id,))
        connection.exec_driver_sql(
            'INSERT INTO audit_head ("only", seq, chain_hash) VALUES (true, 0, %s)', (genesis(row.id),)
        )
        connection.exec_driver_sql("SELECT audit_append(%s)", (first,))


def migrate_tenant(platform: Platform, row: TenantRow, revision: str = "head") -> tuple[str | None, str | None]:
    """Brings one tenant's schema to `revision` as its owner role; `base` or an older one goes down.

    Returns the revisions before and after.
    """
    password = platform.platform_cipher().open("tenant", "owner_password", row.owner_password).decode()
    url = server.connect_url(
        platform.url, user=server.owner_role(row.database), password=password, database=row.database
    )
    engine = create_engine(url, poolclass=NullPool)
    try:
        with engine.begin() as connection:
            before = migrate.current(connection)
            if revision == "head" or (revision != "base" and revision > (before or "")):
                migrate.upgrade(connection, "tenant", revision)
            else:
                migrate.downgrade(connection, "tenant", revision)
            after = migrate.current(connection)
    finally:
        engine.dispose()
        platform.engines.drop(row.id)
    return before, after
