"""Sending a notice by each channel that is set up. Network only: no database, no transaction."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from workreef_app.services.alarms import letters
from workreef_app.services.alarms.letters import Notice
from workreef_app.services.alarms.models import AlarmRoute, Channel
from workreef_app.services.operation import Work
from workreef_app.services.outbound import calls, mail
from workreef_app.services.outbound.policy import Client, Failure, Outcome, Policy
from workreef_app.services.outbound.smtp import MailServer
from workreef_app.services.tenancy.platform import SETTINGS
from workreef_app.settings import Settings

#: Each letter has a key by which its reader tells a second copy, so that a lost answer may be asked for again.
DELIVERY: Final = Policy(idempotent=True, body_limit=0)
#: A test is answered while somebody waits.
TEST: Final = replace(DELIVERY, attempts=1, connect=3.0, read=5.0, total=8.0)
#: The first webhook secret's bytes of chance, as hex characters.
SECRET_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Ways:
    """Where notices go: recipients and mail server, webhook and its secret; and which hosts may be called."""

    recipients: tuple[str, ...] = field(repr=False)
    smtp_url: str = field(repr=False)
    mail_from: str
    webhook_url: str = field(repr=False)
    webhook_secret: str = field(repr=False)
    public_only: bool

    @property
    def channels(self) -> tuple[Channel, ...]:
        found = {Channel.MAIL: bool(self.recipients), Channel.WEBHOOK: bool(self.webhook_url)}
        return tuple(channel for channel in Channel if found[channel])


def settings_of(work: Work) -> Settings:
    """The settings of the process that a unit of work runs in."""
    found: Settings = work.session.info[SETTINGS]
    return found


def ways(work: Work) -> Ways | None:
    """Where this tenant's notices go; None where nothing was ever set up."""
    route = work.session.get(AlarmRoute, True)
    if route is None:
        return None
    settings = settings_of(work)
    return Ways(
        recipients=tuple(route.mail_recipients), smtp_url=settings.smtp_url.get_secret_value(),
        mail_from=settings.mail_from, webhook_url=route.webhook_url, webhook_secret=route.webhook_secret or "",
        public_only=settings.production,
    )


def send(
    notice: Notice, channel: Channel, to: Ways, policy: Policy, now: datetime, client: Client | None = None
) -> Outcome:
    """Sends a notice by one channel. Every failure is in the outcome."""
    if channel is Channel.WEBHOOK:
        request = letters.webhook(notice, to.webhook_url, to.webhook_secret, now)
        return calls.call(request, replace(policy, public_only=to.public_only), client=client)
    if not to.smtp_url or not to.mail_from:
        return Outcome(Failure.UNCONFIGURED, attempts=0)
    server = MailServer.of(to.smtp_url)
    return mail.send(letters.mail(notice, to.mail_from, list(to.recipients)), server, policy, client=client)
