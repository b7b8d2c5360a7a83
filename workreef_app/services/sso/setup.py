"""What admins set of single sign-on: the provider, which groups may come in and as what, and a test of it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final, cast
from uuid import UUID

from pydantic import Field, SecretStr, StringConstraints, field_validator
from sqlalchemy import func, select
from sqlmodel import col

from workreef_app.services.access.federation import FederatedIdentity, IdentityProvider
from workreef_app.services.access.models import Department, Person, PersonPersona, PersonStatus
from workreef_app.services.access.operations import Slug
from workreef_app.services.operation import (
    AUDITORS,
    Command,
    Conflict,
    Event,
    Invalid,
    Later,
    Persona,
    Result,
    Work,
    operation,
)
from workreef_app.services.sso.checking import Checked, checked
from workreef_app.services.sso.provider import Provider, sound_url
from workreef_app.services.tenancy.platform import SETTINGS
from workreef_app.settings import Settings

ADMINS: Final = frozenset({Persona.ADMIN})
CALLBACK: Final = "/auth/oidc/callback"
MOST_ROWS: Final = 200
Group = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
Domain = Annotated[str, StringConstraints(
    pattern=r"^[A-Za-z0-9-]{1,63}([.][A-Za-z0-9-]{1,63}){1,6}$", strip_whitespace=True, max_length=189,
)]


def settings_of(work: Work) -> Settings:
    """The settings of the process that a unit of work runs in."""
    return cast(Settings, work.session.info[SETTINGS])


def redirect_uri(settings: Settings, slug: str) -> str:
    """Where a tenant's provider sends people back to; from the public address, never from a request's Host."""
    return f"{settings.tenant_url(slug)}{CALLBACK}"


class ReadSignOn(Command):
    pass


class GroupRow(Result):
    """What people of one group at the provider are here."""

    group: str
    personas: list[Persona]
    departments: list[str]


class SignOnSettings(Result):
    """How single sign-on is set. The client secret is never told, only whether there is one.

    `redirect_uri` is what the provider must be told; `people` is how many have signed in by it.
    """

    issuer: str
    client_id: str
    client_secret_set: bool
    group_claim: str
    mapping: list[GroupRow]
    domains: list[str]
    link_by_email: bool
    enabled: bool
    passwords_for_admins_only: bool
    redirect_uri: str
    people: int
    updated_at: datetime | None


def _shown(work: Work, row: IdentityProvider | None) -> SignOnSettings:
    return SignOnSettings(
        issuer=row.issuer if row else "", client_id=row.client_id if row else "",
        client_secret_set=bool(row and row.client_secret), group_claim=row.group_claim if row else "groups",
        mapping=[GroupRow(**entry) for entry in row.mapping] if row else [], domains=row.domains if row else [],
        link_by_email=bool(row and row.link_by_email), enabled=bool(row and row.enabled),
        passwords_for_admins_only=bool(row and row.passwords_for_admins_only),
        redirect_uri=redirect_uri(settings_of(work), work.tenant.slug),
        people=work.session.scalar(select(func.count()).select_from(FederatedIdentity)) or 0,
        updated_at=row.updated_at if row else None,
    )


@operation("sso.read", by=AUDITORS, limit="120/minute", audit=Event.DATA_READ)
def read_sign_on(work: Work, command: ReadSignOn) -> SignOnSettings:
    """Reads how single sign-on is set."""
    work.note(target="identity_provider")
    return _shown(work, work.session.get(IdentityProvider, True))


class ChangeSignOn(Command):
    issuer: Annotated[str, StringConstraints(min_length=1, max_length=500, strip_whitespace=True)]
    client_id: Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
    client_secret: SecretStr | None = Field(None, max_length=500, description=(
        "Left out, the one before is kept, unless the issuer is another one. Empty, there is none."
    ))
    group_claim: Annotated[str, StringConstraints(min_length=1, max_length=100, strip_whitespace=True)] = "groups"
    domains: Annotated[list[Domain], Field(max_length=100, default_factory=list)]
    link_by_email: bool = False
    enabled: bool = False
    passwords_for_admins_only: bool = False

    @field_validator("client_id", "group_claim")
    @classmethod
    def _printable(cls, value: str) -> str:
        if not value.isprintable():
            raise ValueError("must be printable")
        return value

    @field_validator("client_secret")
    @classmethod
    def _printable_secret(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not value.get_secret_value().isprintable():
            raise ValueError("must be printable")
        return value

    @field_validator("domains")
    @classmethod
    def _each_once(cls, value: list[str]) -> list[str]:
        return list(dict.fromkeys(domain.lower() for domain in value))


@operation("sso.change", by=ADMINS, limit="30/minute", audit=Event.SSO_CHANGED)
def change_sign_on(work: Work, command: ChangeSignOn) -> SignOnSettings:
    """Changes which provider people sign in by, and whether they must."""
    _check_issuer(command.issuer, production=settings_of(work).production)
    row = work.session.get(IdentityProvider, True, with_for_update=True) or _empty(work)
    if command.enabled and not row.mapping:
        raise Invalid("Nobody could come in: say first which groups may.", fields={"enabled": "needs a group"})
    if command.passwords_for_admins_only:
        _check_way_back(work, command)
    moved = row.issuer != command.issuer
    given = command.client_secret
    if given is not None:
        row.client_secret = given.get_secret_value() or None
    elif moved:
        row.client_secret = None  # it was given for another provider, which alone may see it
    row.issuer, row.client_id, row.group_claim = command.issuer, command.client_id, command.group_claim
    row.domains, row.link_by_email, row.enabled = command.domains, command.link_by_email, command.enabled
    row.passwords_for_admins_only, row.updated_at = command.passwords_for_admins_only, work.now
    work.session.add(row)
    work.note(
        target="identity_provider", change="provider", issuer=work.keyed(row.issuer), moved=moved, enabled=row.enabled,
        secret_changed=given is not None or moved, secret_set=row.client_secret is not None,
        domains=len(row.domains), link_by_email=row.link_by_email,
        passwords_for_admins_only=row.passwords_for_admins_only,
    )
    return _shown(work, row)


def _empty(work: Work) -> IdentityProvider:
    return IdentityProvider(
        only=True, issuer="", client_id="", group_claim="groups", mapping=[], domains=[], link_by_email=False,
        enabled=False, passwords_for_admins_only=False, created_at=work.now, updated_at=work.now,
    )


def _check_issuer(issuer: str, *, production: bool) -> None:
    """Refuses what is no issuer. Its host is looked up, and checked, each time that it is called."""
    if not sound_url(issuer, production=production) or "?" in issuer:
        wanted = "https" if production else "http or https"
        raise Invalid("This is no issuer.", fields={"issuer": f"must be an address of {wanted}, as the provider says"})


def _check_way_back(work: Work, command: ChangeSignOn) -> None:
    """Refuses to shut the other door before this one is open, or while no admin could come in without the provider."""
    if not command.enabled:
        raise Invalid(
            "Single sign-on is off, so passwords must be allowed.",
            fields={"passwords_for_admins_only": "needs single sign-on to be enabled"},
        )
    if not admins_with_password(work):
        raise Invalid(
            "No admin has a password, so nobody could come in while the provider is down.",
            fields={"passwords_for_admins_only": "needs an admin with a password"},
        )


def admins_with_password(work: Work) -> set[UUID]:
    """The admins who can come in while the provider is down."""
    return set(work.session.scalars(select(col(Person.id)).join(PersonPersona).where(
        col(PersonPersona.persona) == Persona.ADMIN, col(Person.status) == PersonStatus.ACTIVE,
        col(Person.password_hash).is_not(None),
    )))


class MapGroup(Command):
    group: Group
    personas: Annotated[list[Persona], Field(min_length=1, max_length=6)]
    departments: Annotated[list[Slug], Field(max_length=100, default_factory=list)]


class UnmapGroup(Command):
    group: Group


def _row(work: Work) -> IdentityProvider:
    """The provider's row, locked; a new one where there is none."""
    return work.session.get(IdentityProvider, True, with_for_update=True) or _empty(work)


@operation("sso.map_group", by=ADMINS, limit="60/minute", audit=Event.SSO_CHANGED)
def map_group(work: Work, command: MapGroup) -> SignOnSettings:
    """Says what people of a group at the provider are here; from their next sign-in on."""
    known = set(work.session.scalars(
        select(col(Department.slug)).where(col(Department.slug).in_(command.departments))
    ))
    missing = sorted(set(command.departments) - known)
    if missing:
        raise Invalid("There is no such department.", fields={"departments": f"unknown: {', '.join(missing)}"})
    row = _row(work)
    entry: dict[str, Any] = {
        "group": command.group, "personas": sorted(set(command.personas)), "departments": sorted(known),
    }
    others = [other for other in row.mapping if other["group"] != command.group]
    if len(others) >= MOST_ROWS:
        raise Invalid(f"There are {MOST_ROWS} groups already.", fields={"group": "is one too many"})
    _remap(work, row, [*others, entry])
    work.note(
        group=work.keyed(command.group), personas=sorted(set(command.personas)), departments=len(known),
        new=len(others) == len(row.mapping),
    )
    return _shown(work, row)


@operation("sso.unmap_group", by=ADMINS, limit="60/minute", audit=Event.SSO_CHANGED)
def unmap_group(work: Work, command: UnmapGroup) -> SignOnSettings:
    """Says that a group at the provider gives nothing here any more; from its people's next sign-in on."""
    row = _row(work)
    others = [other for other in row.mapping if other["group"] != command.group]
    if len(others) == len(row.mapping):
        raise Conflict("This group is not on the list.")
    if row.enabled and not others:
        raise Conflict("Nobody could come in any more. Switch single sign-on off first.")
    _remap(work, row, others)
    work.note(group=work.keyed(command.group))
    return _shown(work, row)


def _remap(work: Work, row: IdentityProvider, mapping: list[dict[str, Any]]) -> None:
    row.mapping, row.updated_at = sorted(mapping, key=lambda entry: str(entry["group"])), work.now
    work.session.add(row)
    work.note(target="identity_provider", change="mapping", rows=len(row.mapping))


class TrySignOn(Command):
    pass


@operation("sso.test", by=ADMINS, limit="6/minute", audit=Event.SSO_TESTED)
def try_sign_on(work: Work, command: TrySignOn) -> Later[Checked]:
    """Asks the provider for what a sign-in needs, and says what is wrong. Nobody is signed in."""
    row = work.session.get(IdentityProvider, True)
    if row is None or not row.issuer:
        raise Conflict("No provider is set up yet. Save one first.")
    provider = Provider(work.tenant.id, row.issuer, production=settings_of(work).production)
    work.note(target="identity_provider", issuer=work.keyed(row.issuer))
    return Later(lambda: checked(provider))
