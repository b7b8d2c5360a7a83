"""Operations on where alarms are sent: read, change, test."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import Field, StringConstraints, field_validator

from workreef_app.services.alarms import sending
from workreef_app.services.alarms.delivery import alarms_page
from workreef_app.services.alarms.kinds import Severity
from workreef_app.services.alarms.letters import Notice
from workreef_app.services.alarms.models import AlarmRoute, Channel
from workreef_app.services.alarms.operations import KEEPERS
from workreef_app.services.operation import Command, Event, Invalid, Result, Work, operation
from workreef_app.services.outbound.addresses import literal, public
from workreef_app.services.outbound.policy import Failure
from workreef_app.settings import MAIL_ADDRESS

Email = Annotated[str, StringConstraints(pattern=f"^{MAIL_ADDRESS}$", max_length=254, strip_whitespace=True)]
MOST_RECIPIENTS = 20
TEST_ID = UUID(int=0)


class ReadRoutes(Command):
    pass


class Routes(Result):
    """Where alarms are sent. The webhook's secret is told once, in `new_secret`, when it is made.

    `mail_server` says whether this installation can send mail at all.
    """

    mail_recipients: list[str]
    webhook_url: str
    webhook_secret_set: bool
    minimum_severity: Severity
    mail_server: bool
    updated_at: datetime | None
    new_secret: str | None = Field(None, repr=False)


def _routes(work: Work, row: AlarmRoute | None, new_secret: str | None = None) -> Routes:
    settings = sending.settings_of(work)
    return Routes(
        mail_recipients=list(row.mail_recipients) if row else [], webhook_url=row.webhook_url if row else "",
        webhook_secret_set=bool(row and row.webhook_secret),
        minimum_severity=Severity(row.minimum_severity) if row else Severity.WARNING,
        mail_server=bool(settings.smtp_url.get_secret_value() and settings.mail_from),
        updated_at=row.updated_at if row else None, new_secret=new_secret,
    )


@operation("alarm_routes.read", by=KEEPERS, limit="240/minute", audit=Event.DATA_READ)
def read_routes(work: Work, command: ReadRoutes) -> Routes:
    """Reads where alarms are sent, and from which severity."""
    work.note(target="alarm_route")
    return _routes(work, work.session.get(AlarmRoute, True))


class ChangeRoutes(Command):
    mail_recipients: Annotated[list[Email], Field(max_length=MOST_RECIPIENTS, default_factory=list)]
    webhook_url: Annotated[str, StringConstraints(max_length=500, strip_whitespace=True)] = ""
    minimum_severity: Severity = Severity.WARNING
    renew_secret: bool = False

    @field_validator("mail_recipients")
    @classmethod
    def _each_once(cls, value: list[str]) -> list[str]:
        return list(dict.fromkeys(address.lower() for address in value))


@operation("alarm_routes.change", by=KEEPERS, limit="30/minute", audit=Event.ALARM_ROUTES_CHANGED)
def change_routes(work: Work, command: ChangeRoutes) -> Routes:
    """Changes where alarms are sent. A webhook at a new address gets a new secret, which is shown this once."""
    production = sending.settings_of(work).production
    if command.webhook_url:
        check_url(command.webhook_url, production=production, field="webhook_url")
    row = work.session.get(AlarmRoute, True, with_for_update=True)
    before, secret = (row.webhook_url, row.webhook_secret) if row else ("", None)
    moved = command.webhook_url != before
    new_secret = None
    if not command.webhook_url:
        secret = None
    elif moved or command.renew_secret or secret is None:
        secret = new_secret = secrets.token_hex(sending.SECRET_BYTES)
    told: dict[str, Any] = {
        "recipients_before": len(row.mail_recipients) if row else 0, "webhook_before": bool(before),
        "minimum_severity_before": str(row.minimum_severity) if row else None,
    }
    row = row or AlarmRoute(
        only=True, mail_recipients=[], webhook_url="", minimum_severity=Severity.WARNING, updated_at=work.now
    )
    row.mail_recipients, row.webhook_url, row.webhook_secret = command.mail_recipients, command.webhook_url, secret
    row.minimum_severity, row.updated_at = command.minimum_severity, work.now
    work.session.add(row)
    work.note(
        target="alarm_route", recipients=len(row.mail_recipients), webhook=bool(row.webhook_url), webhook_moved=moved,
        secret_renewed=new_secret is not None, minimum_severity=command.minimum_severity.value, **told,
    )
    return _routes(work, row, new_secret)


def check_url(url: str, *, production: bool, field: str) -> None:
    """Refuses what is no webhook's address. Its host is looked up, and checked, each time that it is called."""
    schemes = {"https"} if production else {"https", "http"}
    try:
        parts = urlsplit(url)
        sound = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0 and not parts.fragment
    except ValueError:
        sound = False
    if not sound or not url.isascii() or any(c.isspace() or not c.isprintable() for c in url):
        wanted = "https" if production else "http or https"
        raise Invalid("This is no webhook address.", fields={field: f"must be an address of {wanted}"})
    if parts.username is not None or parts.password is not None:
        raise Invalid("This is no webhook address.", fields={field: "must not hold a password"})
    host = parts.hostname or ""
    if production and literal(host) and not public(host):
        raise Invalid("This is no webhook address.", fields={field: "must be a public address"})


class TryRoutes(Command):
    pass


class ChannelOutcome(Result):
    """What came of a test by one channel. `failure` is a code, `answer` the other side's number."""

    channel: Channel
    ok: bool
    failure: Failure | None
    answer: int | None
    uncertain: bool


class Tested(Result):
    """What came of the test; no channel is set up where it is empty."""

    outcomes: list[ChannelOutcome]


@operation("alarm_routes.test", by=KEEPERS, limit="6/minute", audit=Event.ALARM_ROUTES_TESTED)
def try_routes(work: Work, command: TryRoutes) -> Tested:
    """Sends a test, which says that it is one, by each channel, and says what came of it."""
    to = sending.ways(work)
    notice = Notice(
        id=TEST_ID, opening=int(work.now.timestamp() * 1000), kind=None, severity=Severity.NOTICE,
        tenant=work.tenant.slug, raised_at=work.now, last_at=work.now, times=1, link=alarms_page(work),
    )
    outcomes = [_tried(notice, channel, to, work.now) for channel in to.channels] if to else []
    work.note(target="alarm_route", outcomes=[f"{o.channel.value}:{o.failure or 'ok'}" for o in outcomes])
    return Tested(outcomes=outcomes)


def _tried(notice: Notice, channel: Channel, to: sending.Ways, now: datetime) -> ChannelOutcome:
    found = sending.send(notice, channel, to, sending.TEST, now)
    return ChannelOutcome(
        channel=channel, ok=found.ok, failure=found.failure, answer=found.status, uncertain=found.uncertain,
    )
