"""What production refuses beyond its settings: checks that look into the databases. All are reported together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, OperationalError

from workreef_app.services.posture import isolation
from workreef_app.services.tenancy import migrate, server
from workreef_app.services.tenancy.models import TenantRow
from workreef_app.services.tenancy.platform import Platform
from workreef_app.settings import Fault, Settings, production_faults

#: Where a demo keeps the sign-ins of its people, in the data directory.
DEMO_FILE = "demo.json"
NAMED = 5

# Ownership directly, through another role, or as a superuser, who is a member of every role.
_OWNED = text("""
SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
AND pg_has_role(:role, c.relowner, 'MEMBER')
""")


@dataclass(frozen=True, slots=True)
class TenantState:
    """What a look into a tenant's database showed. `owned` counts the tables that its app role owns."""

    slug: str
    demo: bool
    schema: str | None
    owned: int


@dataclass(frozen=True, slots=True)
class State:
    """What a look into all databases showed.

    `powerful` are tenants whose app role may do more than one may; `openings` are databases that an app role of
    another tenant may connect to.
    """

    control_schema: str | None
    tenants: Sequence[TenantState]
    powerful: Sequence[str] = field(default=())
    openings: Sequence[str] = field(default=())


def look(platform: Platform) -> State:
    """Looks into the control plane and every tenant's database. Raises OperationalError when one does not answer."""
    rows = _tenants(platform)
    with platform.control.connect() as connection:
        schema = migrate.current(connection)
        powerful = isolation.powerful(connection, rows)
        openings = isolation.openings(connection, rows, platform.url.database or "")
    return State(schema, [_look_at(platform, row) for row in rows], powerful, openings)


def _tenants(platform: Platform) -> list[TenantRow]:
    """All tenants; none where the control plane's tables are not those that this version knows."""
    try:
        return platform.tenants()
    except OperationalError:
        raise
    except DBAPIError:
        return []


def _look_at(platform: Platform, row: TenantRow) -> TenantState:
    with server.admin(platform.url, row.database) as connection:
        schema = migrate.current(connection)
        owned = connection.execute(_OWNED, {"role": server.app_role(row.database)}).scalar_one()
    return TenantState(row.slug, row.demo, schema, owned)


def control_schema(state: State) -> Fault | None:
    """The control plane's schema is the one that this version needs."""
    needed = migrate.head("control")
    if state.control_schema == needed:
        return None
    return Fault(
        "control_schema",
        f"The control plane is at schema {state.control_schema or 'none'}, this version needs {needed}.",
        "Run `workreef tenant migrate`.",
    )


def tenant_schema(state: State) -> Fault | None:
    """Every tenant's schema is the one that this version needs."""
    needed = migrate.head("tenant")
    behind = [tenant.slug for tenant in state.tenants if tenant.schema != needed]
    if not behind:
        return None
    return Fault("tenant_schema", f"Not at schema {needed}: {_names(behind)}.", "Run `workreef tenant migrate`.")


def ownership(state: State) -> Fault | None:
    """No app role owns a table: an owner escapes row-level security and the audit log's protection."""
    owners = [tenant.slug for tenant in state.tenants if tenant.owned]
    if not owners:
        return None
    return Fault(
        "app_role_owns",
        f"The app role owns tables, the audit log among them or not, of: {_names(owners)}.",
        "Give every table of the tenant's database to its owner role (`REASSIGN OWNED`).",
    )


def role_powers(state: State) -> Fault | None:
    """No app role is a superuser, passes by row-level security, or makes roles or databases."""
    if not state.powerful:
        return None
    return Fault(
        "database_roles",
        f"The app role has more powers than one may have, of: {_names(state.powerful)}.",
        "Take them away: `ALTER ROLE … NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOREPLICATION`.",
    )


def isolated(state: State) -> Fault | None:
    """No tenant's app role may connect to another database than its own."""
    if not state.openings:
        return None
    return Fault(
        "isolation_matrix",
        f"Tenants' app roles may connect to databases that are not their own: {_names(state.openings)}.",
        "Run `REVOKE ALL ON DATABASE … FROM PUBLIC` for each, and take away what was granted to app roles.",
    )


def demo_tenants(state: State) -> Fault | None:
    """No tenant is a sample: its people's passwords lie in a file."""
    samples = [tenant.slug for tenant in state.tenants if tenant.demo]
    if not samples:
        return None
    return Fault(
        "demo_tenant",
        f"Sample tenants are present: {_names(samples)}.",
        "Use a database and a data directory in which no demo was started.",
    )


def _names(slugs: Iterable[str]) -> str:
    names = sorted(slugs)
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


Check = Callable[[State], Fault | None]
SCHEMA_CHECKS: tuple[Check, ...] = (control_schema, tenant_schema)
#: What production refuses in its databases. Each looks at one thing.
DATABASE_CHECKS: tuple[Check, ...] = (*SCHEMA_CHECKS, ownership, role_powers, isolated, demo_tenants)


def demo_people(settings: Settings) -> Fault | None:
    """The data directory holds no sign-ins of a demo."""
    if not (settings.data_dir / DEMO_FILE).exists():
        return None
    return Fault(
        "demo_people",
        f"{settings.data_dir} holds the sign-ins of a demo.",
        "Set WORKREEF_DATA_DIR to a directory in which no demo was started.",
    )


def of_settings(settings: Settings) -> list[Fault]:
    """What production refuses without a look into a database; empty outside production."""
    if not settings.production:
        return []
    people = demo_people(settings)
    return [*production_faults(settings), *([people] if people else [])]


def of_databases(platform: Platform, *, migrating: bool = False) -> list[Fault]:
    """What production refuses in its databases; empty outside production. `migrating` allows schemas to be behind."""
    if not platform.settings.production:
        return []
    try:
        state = look(platform)
    except OperationalError as error:
        return [unreachable(error)]
    checks = [check for check in DATABASE_CHECKS if not (migrating and check in SCHEMA_CHECKS)]
    return [fault for check in checks if (fault := check(state)) is not None]


def faults(settings: Settings, platform: Platform | None, *, migrating: bool = False) -> list[Fault]:
    """Every reason why this installation may not serve production; `platform` is None where none can be opened."""
    return [*of_settings(settings), *(of_databases(platform, migrating=migrating) if platform else [])]


def unreachable(error: OperationalError) -> Fault:
    """The fault of a database that does not answer."""
    said = str(error.orig).strip().splitlines()
    return Fault(
        "database_answers",
        f"The database does not answer ({said[0].rstrip('.') if said else 'no reason given'}).",
        "Start it, or correct WORKREEF_DATABASE_URL.",
    )
