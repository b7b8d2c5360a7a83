"""Whether each tenant's app role is kept to its own database: as the catalogue says, and by trying."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from sqlalchemy import Connection, NullPool, create_engine, text
from sqlalchemy.exc import OperationalError

from workreef_app.services.tenancy import server
from workreef_app.services.tenancy.models import TenantRow
from workreef_app.services.tenancy.platform import Platform

#: Databases that every server has, and where nobody of a tenant has anything to do.
COMMON: Final = ("postgres", "template1")
#: Connections that are tried; what the catalogue says is read for all.
TRIED: Final = 200

_POWERS = text("""
SELECT rolname FROM pg_roles WHERE rolname = ANY (:roles)
AND (rolsuper OR rolbypassrls OR rolcreatedb OR rolcreaterole OR rolreplication)
""")
_OPEN = text("""
SELECT d.datname, g.rolname FROM pg_database d
CROSS JOIN LATERAL aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a
LEFT JOIN pg_roles g ON g.oid = a.grantee
WHERE d.datname = ANY (:databases) AND a.privilege_type = 'CONNECT'
AND (a.grantee = 0 OR g.rolname = :group OR g.rolname = ANY (:roles))
ORDER BY d.datname
""")


@dataclass(frozen=True, slots=True)
class Matrix:
    """What came of trying: connections that were refused, those that were not, and those that nobody could tell of."""

    refused: int
    opened: Sequence[str]
    unclear: Sequence[str]


def powerful(connection: Connection, rows: Sequence[TenantRow]) -> list[str]:
    """Tenants whose app role may do more than an app role may: it escapes the policies, or makes roles or databases."""
    roles = {server.app_role(row.database): row.slug for row in rows}
    found = connection.execute(_POWERS, {"roles": list(roles)}).scalars()
    return sorted(roles[role] for role in found)


def openings(connection: Connection, rows: Sequence[TenantRow], control: str) -> list[str]:
    """Databases that a tenant's app role may connect to though they are not its own, as the catalogue says."""
    if not rows:
        return []
    roles = {server.app_role(row.database) for row in rows}
    databases = [*COMMON, control, *(row.database for row in rows)]
    found = connection.execute(_OPEN, {"databases": databases, "roles": list(roles), "group": server.GROUP})
    return list(dict.fromkeys(
        row.datname for row in found if row.rolname is None or row.rolname != server.app_role(row.datname)
    ))


def pairs(rows: Sequence[TenantRow], control: str) -> Iterator[tuple[TenantRow, str]]:
    """Each tenant with each database that is not its own; what all have in common first."""
    yield from ((row, database) for row in rows for database in (*COMMON, control))
    yield from ((row, other.database) for row in rows for other in rows if other.id != row.id)


def tried(platform: Platform, rows: Sequence[TenantRow], control: str, limit: int = TRIED) -> Matrix:
    """Connects as tenants' app roles to databases that are not their own. Raises TenancyError, KeyUnavailable."""
    refused, opened, unclear = 0, [], []
    for row, database in islice(pairs(rows, control), limit):
        name = f"{row.slug} → {database}"
        match _try(platform, row, database):
            case True:
                opened.append(name)
            case False:
                refused += 1
            case None:
                unclear.append(name)
    return Matrix(refused, opened, unclear)


def _try(platform: Platform, row: TenantRow, database: str) -> bool | None:
    """Whether the tenant's app role gets into a database; None where the answer was about something else."""
    url = platform.tenant(row.slug).url.set(database=database)
    engine = create_engine(url, poolclass=NullPool, connect_args=server.connect_args(url))
    try:
        with engine.connect():
            return True
    except OperationalError as error:
        said = str(error.orig)
        return False if "permission denied" in said or "no pg_hba.conf entry" in said else None
    finally:
        engine.dispose()
