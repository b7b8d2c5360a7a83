"""Roles and databases on one Postgres server: what creates a tenant's walls.

The product's own role needs LOGIN, CREATEDB and CREATEROLE, and is no superuser. Identifiers are made here from
random hex, never from input.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, make_url, text

from workreef_app.services.tenancy import migrate

GROUP = "workreef_tenant_app"
TEMPLATE_OWNER = "workreef_template_owner"
#: One lock for everything that creates roles or the template, so that two processes do not do it at once.
SERVER_LOCK = 7_305_811


#: How long a call may wait for a connection of the pool, in seconds.
POOL_SECONDS = 10.0
#: How long a server may take to answer a connection, and to be missed on a network that fell silent.
_CONNECTING = {
    "connect_timeout": 10, "keepalives": 1, "keepalives_idle": 15, "keepalives_interval": 5, "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
#: A killed client's statement ends within two seconds, and its locks with it; the embedded server has this by itself.
_CHECK = {"client_connection_check_interval": "2s"}
#: A process that stands still in the middle of a change holds the chain's lock: neither it nor those who wait for
#: it do so for ever. No change computes for so long between two statements.
WORK_LIMITS = {"idle_in_transaction_session_timeout": "60s", "lock_timeout": "15s"}


def connect_args(url: URL, **parameters: str) -> dict[str, Any]:
    """What every connection to the server is opened with; what the address itself says goes before.

    `parameters` are Postgres's own, for the length of the connection.
    """
    options = " ".join(f"-c {name}={value}" for name, value in {**_CHECK, **parameters}.items())
    return {name: value for name, value in {**_CONNECTING, "options": options}.items() if name not in url.query}


def normalise(url: str) -> URL:
    """The address with our driver."""
    return make_url(url).set(drivername="postgresql+psycopg")


def connect_url(url: URL, *, user: str | None = None, password: str | None = None, database: str) -> URL:
    """The same server, as another role or another database."""
    if user is not None:
        url = url.set(username=user, password=password)
    return url.set(database=database)


@contextmanager
def admin(url: URL, database: str | None = None) -> Iterator[Connection]:
    """A short autocommit connection as the product's own role."""
    url = url if database is None else url.set(database=database)
    engine = create_engine(url, poolclass=NullPool, connect_args=connect_args(url))
    try:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            yield connection
    finally:
        engine.dispose()


@contextmanager
def server_lock(connection: Connection) -> Iterator[None]:
    """Serialises what changes roles or the template database on this server."""
    connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": SERVER_LOCK})
    try:
        yield
    finally:
        connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": SERVER_LOCK})


_ROLE = text("SELECT 1 FROM pg_roles WHERE rolname = :role")
_DISCONNECT = text(
    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
    " WHERE datname = :database AND backend_type = 'client backend'"
)


def _run(connection: Connection, sql: str) -> None:
    connection.exec_driver_sql(sql)


def drop(connection: Connection, database: str) -> None:
    """Removes a database and whoever is connected to it.

    Not by `WITH (FORCE)`: that stops at an autovacuum worker, which only a superuser may end. An ordinary DROP sends
    those away by itself.
    """
    connection.execute(_DISCONNECT, {"database": database})
    _run(connection, f"DROP DATABASE IF EXISTS {database}")


def _ensure_role(connection: Connection, role: str) -> None:
    if connection.execute(_ROLE, {"role": role}).first() is None:
        _run(connection, f"CREATE ROLE {role} NOLOGIN")
        _run(connection, f"GRANT {role} TO CURRENT_USER WITH INHERIT TRUE, SET TRUE")


def template_name(url: URL) -> str:
    """Name of the template database of this control plane at the code's revision."""
    return f"{url.database}_template_{migrate.head('tenant')}"


def ensure_template(url: URL) -> str:
    """The migrated template database, made on first need. Returns its name."""
    name = template_name(url)
    with admin(url) as connection, server_lock(connection):
        exists = text("SELECT 1 FROM pg_database WHERE datname = :name")
        _ensure_role(connection, GROUP)
        _ensure_role(connection, TEMPLATE_OWNER)
        if connection.execute(exists, {"name": name}).first():
            return name
        draft = f"{name}_draft"
        drop(connection, draft)
        _run(connection, f"CREATE DATABASE {draft} TEMPLATE template0 ENCODING 'UTF8'")
        _run(connection, f"REVOKE ALL ON DATABASE {draft} FROM PUBLIC")
        engine = create_engine(url.set(database=draft), poolclass=NullPool)
        with engine.begin() as inside:
            _run(inside, f"GRANT USAGE, CREATE ON SCHEMA public TO {TEMPLATE_OWNER}")
            _run(inside, f"SET ROLE {TEMPLATE_OWNER}")
            migrate.upgrade(inside, "tenant")
        engine.dispose()
        _run(connection, f"ALTER DATABASE {draft} RENAME TO {name}")
    return name


def owner_role(database: str) -> str:
    return f"{database}_owner"


def app_role(database: str) -> str:
    return f"{database}_app"


def new_password() -> str:
    return secrets.token_urlsafe(32)


def _verifier(connection: Connection, role: str, password: str) -> str:
    """The password's SCRAM verifier, so that the password itself is in no statement and no server log."""
    driver = connection.connection.driver_connection
    if driver is None:
        raise RuntimeError("the connection is closed")
    verifier: bytes = driver.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256")
    return verifier.decode()


def create_database(url: URL, database: str, owner_password: str, app_password: str) -> None:
    """A tenant's database with its two roles, cloned from the template. Refuses nothing: names are ours and new."""
    template = ensure_template(url)
    owner, app = owner_role(database), app_role(database)
    with admin(url) as connection:
        with server_lock(connection):
            for role, password in ((owner, owner_password), (app, app_password)):
                _run(connection, f"CREATE ROLE {role} LOGIN PASSWORD '{_verifier(connection, role, password)}'")
            _run(connection, f"GRANT {owner} TO CURRENT_USER WITH INHERIT TRUE, SET TRUE")
            _run(connection, f"GRANT {GROUP} TO {app} WITH INHERIT TRUE, SET FALSE")
            # A template must have no other connection while it is copied.
            _run(connection, f"CREATE DATABASE {database} TEMPLATE {template} STRATEGY WAL_LOG")
        _run(connection, f"REVOKE ALL ON DATABASE {database} FROM PUBLIC")
        _run(connection, f"GRANT CONNECT ON DATABASE {database} TO {owner}, {app}")
    with admin(url, database) as inside:
        _run(inside, f"GRANT USAGE, CREATE ON SCHEMA public TO {owner}")
        _run(inside, f"REASSIGN OWNED BY {TEMPLATE_OWNER} TO {owner}")
        _run(inside, f"REVOKE ALL ON SCHEMA public FROM {TEMPLATE_OWNER}")


def drop_database(url: URL, database: str) -> None:
    """Removes a tenant's database and roles, whatever is left of them."""
    with admin(url) as connection, server_lock(connection):
        if connection.execute(_ROLE, {"role": app_role(database)}).first():
            _run(connection, f"GRANT {app_role(database)} TO CURRENT_USER WITH INHERIT TRUE")
        drop(connection, database)
        for role in (app_role(database), owner_role(database)):
            _run(connection, f"DROP ROLE IF EXISTS {role}")


def control_engine(url: URL) -> Engine:
    """The engine of the control plane."""
    return create_engine(
        url, pool_size=4, max_overflow=4, pool_pre_ping=True, pool_timeout=POOL_SECONDS,
        connect_args=connect_args(url, **WORK_LIMITS),
    )


def migrate_control(url: URL) -> None:
    """Brings the control plane's schema up to date; serialised over processes."""
    with admin(url) as connection, server_lock(connection):
        _run(connection, "REVOKE ALL ON SCHEMA public FROM PUBLIC")
        engine = create_engine(url, poolclass=NullPool)
        with engine.begin() as inside:
            migrate.upgrade(inside, "control")
        engine.dispose()
