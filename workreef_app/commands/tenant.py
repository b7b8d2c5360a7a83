"""`workreef tenant`: creating, listing and migrating tenants."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from alembic.util.exc import CommandError

from workreef_app import settings as settings_module
from workreef_app.commands.frame import Failed, caller, open_door, print_json, tell, user
from workreef_app.services.access.people_operations import CreatePerson, Invited
from workreef_app.services.door import Door, validate
from workreef_app.services.operation import REGISTRY, Persona
from workreef_app.services.tenancy.models import TenantRow
from workreef_app.services.tenancy.tenants import create_tenant, migrate_tenant, prepare_platform
from workreef_app.settings import Settings

app = typer.Typer(no_args_is_help=True, help="Create, list and migrate tenants.")
Json = Annotated[bool, typer.Option("--json", help="Print the facts as JSON.")]


def facts(settings: Settings, row: TenantRow) -> dict[str, str]:
    """A tenant as programs read it."""
    return {
        "id": str(row.id),
        "slug": row.slug,
        "host": f"{row.slug}.{settings.public_host}",
        "status": str(row.status),
    }


@app.command()
def create(
    slug: Annotated[str, typer.Option(help="Its name in addresses: lower-case letters, digits and hyphens.")],
    name: Annotated[str, typer.Option(help="Its name as people read it.")],
    hipaa: Annotated[bool, typer.Option("--hipaa", help="It handles health data.")] = False,
    admin_email: Annotated[
        str | None, typer.Option(help="Email of its first admin, for whom a link is printed.")
    ] = None,
    admin_name: Annotated[str | None, typer.Option(help="Name of its first admin.")] = None,
    as_json: Json = False,
) -> None:
    """Creates a tenant with its database, roles and key, and prints its first admin's one-time link."""
    if admin_name and not admin_email:
        raise typer.BadParameter("needs --admin-email beside it", param_hint="--admin-name")
    admin = _admin(admin_email, admin_name) if admin_email else None
    if not name.strip():
        raise typer.BadParameter("must not be empty", param_hint="--name")
    with open_door() as door:
        row = create_tenant(door.platform, slug=slug, name=name.strip(), hipaa=hipaa, actor=f"cli:{user()}")
        invited: Invited | None = door.perform(caller(door, slug), "people.create", admin) if admin else None
        address = door.platform.settings.tenant_url(slug)
        link = f"{address}/invite/{invited.invitation_token}" if invited else None
        if as_json:
            expires = invited.expires_at.isoformat() if invited else None
            print_json({"tenant": facts(door.platform.settings, row), "invitation": link, "expires_at": expires})
            return
    tell(f"Created {name.strip()} at {address}")
    if admin and invited:
        tell(f"{admin.email} sets a password here, once, before {invited.expires_at:%Y-%m-%d %H:%M} UTC:\n{link}")


def _admin(email: str, name: str | None) -> CreatePerson:
    """The first admin, checked before anything is created. Raises Invalid."""
    person = {"email": email, "name": name or email.partition("@")[0], "personas": [Persona.ADMIN]}
    command = validate(REGISTRY["people.create"], person)
    assert isinstance(command, CreatePerson)  # nosec B101
    return command


@app.command("list")
def list_(as_json: Json = False) -> None:
    """Lists the tenants."""
    with open_door() as door:
        found = [facts(door.platform.settings, row) for row in door.platform.tenants()]
    if as_json:
        print_json({"tenants": found})
        return
    if not found:
        tell("There is no tenant yet. `workreef tenant create` makes one.")
    for tenant in found:
        tell(f"{tenant['slug']:<20} {tenant['status']:<12} {tenant['host']}")


@app.command()
def migrate(
    slug: Annotated[str | None, typer.Option(help="Only this tenant.")] = None,
    revision: Annotated[
        str, typer.Option(help="An older one, or `base`, takes down and drops what came later.")
    ] = "head",
    drop: Annotated[bool, typer.Option("--drop", help="Confirms that going down drops what came later.")] = False,
    as_json: Json = False,
) -> None:
    """Brings the control plane and the tenants' schemas up to date, or the tenants to a revision."""
    if revision != "head" and not drop:
        raise Failed(
            f"Going to {revision} may drop tables with all they hold. Add --drop to confirm, or leave --revision out."
        )
    with open_door(settings_module.load(), migrating=True) as door:
        prepare_platform(door.platform)
        done = [_migrate(door, row, revision) for row in _chosen(door, slug)]
    if as_json:
        print_json({"tenants": done})
        return
    tell("The control plane is up to date.")
    for tenant in done:
        moved = tenant["before"] != tenant["after"]
        tell(f"{tenant['slug']:<20} {tenant['before'] or 'none'}{' → ' + (tenant['after'] or 'none') if moved else ''}")


def _chosen(door: Door, slug: str | None) -> list[TenantRow]:
    rows = [row for row in door.platform.tenants() if slug in (None, row.slug)]
    if slug is not None and not rows:
        raise Failed(f"There is no tenant {slug!r}.")
    return rows


def _migrate(door: Door, row: TenantRow, revision: str) -> dict[str, Any]:
    try:
        before, after = migrate_tenant(door.platform, row, revision)
    except CommandError as error:
        raise Failed(f"{row.slug} was left as it is: {error}.") from None
    return {"slug": row.slug, "before": before, "after": after}
