"""Sign-up of a tenant at the platform's own host: asked for, confirmed by a one-time link, and only then made.

What was asked for is sealed under the platform's key until the link is opened or has expired. Where mail is set up the
link is mailed. Without mail the sign-up is open outside production alone, and the link is shown to whoever asked.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Annotated, Final

from pydantic import AfterValidator, Field
from sqlalchemy import delete, select
from sqlalchemy.orm import Session
from sqlmodel import col
from uuid_utils.compat import uuid7

from workreef_app.services.access import people
from workreef_app.services.access.operations import Name
from workreef_app.services.access.sessions import token_hash
from workreef_app.services.door import Caller, Door
from workreef_app.services.operation import Command, Conflict, Refusal, Unavailable
from workreef_app.services.outbound import mail
from workreef_app.services.outbound.mail import Mail
from workreef_app.services.outbound.policy import Policy
from workreef_app.services.outbound.smtp import MailServer
from workreef_app.services.tenancy.errors import TenantExists
from workreef_app.services.tenancy.models import SignUpRow, TenantRow
from workreef_app.services.tenancy.tenants import RESERVED, SLUG, create_tenant
from workreef_app.settings import Settings

LIFETIME: Final = timedelta(hours=24)
#: For each address; asking sends a mail, confirming makes a database.
LIMIT: Final = "10/hour"
#: Somebody waits for the answer.
_POLICY: Final = replace(Policy(), attempts=1, connect=3.0, read=5.0, total=8.0)


class SignUpClosed(Refusal):
    """This installation takes no sign-ups."""

    status, code = 403, "sign_up_closed"

    def __init__(self) -> None:
        super().__init__("Sign-up is closed here. Ask whoever runs this installation for an organisation of your own.")


def _slug(value: str) -> str:
    if not SLUG.fullmatch(value):
        raise ValueError("must be 1 to 40 lower-case letters, digits and hyphens, with none of them at its ends")
    if value in RESERVED or value.startswith("xn--"):
        raise ValueError("is reserved; choose another one")
    return value


class SignUp(Command):
    """What is asked for: the organisation's name and address, and its first admin."""

    organisation: Annotated[str, Field(min_length=1, max_length=80)]
    slug: Annotated[str, AfterValidator(_slug)]
    name: Name
    email: people.Email


@dataclass(frozen=True, slots=True)
class Asked:
    """The sign-up waits for its link, which was mailed; or which is here, where no mail is set up."""

    link: str | None


def is_open(settings: Settings) -> bool:
    """Whether anybody may sign up: as it is set, and in production only where links can be mailed."""
    if settings.production:
        return settings.signup == "open" and _mails(settings)
    return settings.signup != "closed"


def _mails(settings: Settings) -> bool:
    return bool(settings.smtp_url.get_secret_value() and settings.mail_from)


def ask(door: Door, command: SignUp, address: str) -> Asked:
    """Keeps what is asked for, and sends or gives the link. Raises SignUpClosed, Limited, Conflict, Unavailable."""
    platform, settings, now = door.platform, door.platform.settings, door.clock()
    if not is_open(settings):
        raise SignUpClosed
    door.limits.throttle("signup", LIMIT, address)
    token = secrets.token_urlsafe(32)
    sealed = platform.platform_cipher().seal("signup", "asked", command.model_dump_json().encode())
    with Session(platform.control) as session, session.begin():
        if session.scalars(select(TenantRow).where(col(TenantRow.slug) == command.slug)).first() is not None:
            raise Conflict("This address is taken. Choose another one.", fields={"slug": "is taken"})
        session.execute(delete(SignUpRow).where(col(SignUpRow.expires_at) <= now))
        session.add(SignUpRow(
            id=uuid7(), token_hash=token_hash(token), asked=sealed, created_at=now, expires_at=now + LIFETIME,
        ))
    link = f"{settings.public_url}/signup/{token}"
    if not _mails(settings):
        return Asked(link)
    outcome = mail.send(_letter(command, link, settings), MailServer.of(settings.smtp_url.get_secret_value()), _POLICY)
    if not outcome.ok:
        raise Unavailable("The mail with your link could not be sent. Try again in a few minutes.")
    return Asked(None)


def _letter(command: SignUp, link: str, settings: Settings) -> Mail:
    text = (
        f"Somebody asked for an organisation at WorkReef, with you as its first admin.\n\n"
        f"Its address would be {settings.tenant_url(command.slug)}\n\n"
        f"Open this within 24 hours to make it:\n{link}\n\nIf it was not you, do nothing.\n"
    )
    domain = settings.mail_from.rpartition("@")[2]
    return Mail(settings.mail_from, (command.email,), "WorkReef: confirm your sign-up", text, f"<{uuid7()}@{domain}>")


def confirm(door: Door, token: str, address: str, request_id: str) -> str:
    """Makes the tenant and its first admin; the address at which that person sets a password.

    Raises SignUpClosed, Limited, and Conflict for a link that was used, has expired or never was.
    """
    if not is_open(door.platform.settings):
        raise SignUpClosed
    door.limits.throttle("signup.confirm", LIMIT, address)
    command = _taken(door, token)
    try:
        create_tenant(door.platform, slug=command.slug, name=command.organisation, actor="system:signup")
    except TenantExists:
        raise Conflict("This address was taken meanwhile. Sign up again with another one.") from None
    tenant = door.platform.tenant(command.slug)
    caller = Caller(tenant, request_id, system="signup")
    first = door.perform(caller, "people.create_first", {"email": command.email, "name": command.name})
    return f"{door.platform.settings.tenant_url(command.slug)}/invite/{first.invitation_token}"


def _taken(door: Door, token: str) -> SignUp:
    """What the link stands for, used up; nothing of it is kept."""
    platform, now = door.platform, door.clock()
    with Session(platform.control) as session, session.begin():
        row = session.scalars(
            select(SignUpRow).where(col(SignUpRow.token_hash) == token_hash(token)).with_for_update()
        ).first()
        if row is None or row.used_at is not None or row.asked is None or now >= row.expires_at:
            raise Conflict("This link was used, has expired, or never was. Sign up again.")
        asked, row.asked, row.used_at = row.asked, None, now
    return SignUp.model_validate_json(platform.platform_cipher().open("signup", "asked", asked))
