"""Alarms and their deliveries as parts of the status."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import func, select, text
from sqlmodel import col

from workreef_app.services.alarms.kinds import Severity
from workreef_app.services.alarms.models import Alarm, AlarmRoute, AlarmState
from workreef_app.services.operation import Work
from workreef_app.services.posture.status import Component, Standing, many

# What has failed since each channel last worked.
_FAILING = text("""
SELECT channel, count(*) AS count, min(at) AS since FROM alarm_delivery d
WHERE status <> 'delivered' AND at > coalesce(
  (SELECT max(o.at) FROM alarm_delivery o WHERE o.channel = d.channel AND o.status = 'delivered'), '-infinity')
GROUP BY channel ORDER BY channel
""")
CHANNELS = {"mail": "mail", "webhook": "the webhook"}


@dataclass(frozen=True, slots=True)
class OpenAlarms:
    """How many alarms are open, by severity, and since when the first is."""

    by_severity: dict[Severity, int] = field(default_factory=dict)
    since: datetime | None = None

    @property
    def count(self) -> int:
        return sum(self.by_severity.values())


@dataclass(frozen=True, slots=True)
class Failing:
    """Deliveries by one channel that have failed since it last worked."""

    channel: str
    count: int
    since: datetime


def alarms(found: OpenAlarms) -> Component:
    """Whether an alarm is open that nobody has acknowledged."""
    if not found.count:
        return Component(part="alarms", name="Alarms", standing=Standing.PROVEN, what="No alarm is open.")
    said = [f"{found.by_severity[severity]:,} {severity.value}" for severity in reversed(Severity)
            if found.by_severity.get(severity)]
    critical = bool(found.by_severity.get(Severity.CRITICAL))
    return Component(
        part="alarms", name="Alarms", standing=Standing.BROKEN if critical else Standing.ATTENTION, since=found.since,
        what=f"{many(found.count, 'alarm is', 'alarms are')} open: {', '.join(said)}.",
        cure="Read what each asks for, and acknowledge it.",
    )


def deliveries(failing: list[Failing], *, sent: bool | None) -> Component:
    """Whether alarms reach somebody; `sent` is whether they are sent anywhere, None where that cannot be read."""
    part, name = "deliveries", "Delivery of alarms"
    if failing:
        said = ", ".join(
            f"{many(one.count, 'delivery', 'deliveries')} by {CHANNELS.get(one.channel, one.channel)}"
            for one in failing
        )
        return Component(
            part=part, name=name, standing=Standing.ATTENTION, since=min(one.since for one in failing),
            what=f"Failed or uncertain since the last that arrived: {said}.",
            cure="Send a test, and correct the address or the receiver.",
        )
    if sent is False:
        return Component(
            part=part, name=name, standing=Standing.ATTENTION, what="Alarms are sent nowhere.",
            cure="Give a mail address or a webhook.",
        )
    if sent is None:
        return Component(part=part, name=name, standing=Standing.UNKNOWN, what="Where alarms go cannot be read.")
    return Component(part=part, name=name, standing=Standing.PROVEN, what="No delivery fails.")


def open_alarms(work: Work) -> OpenAlarms:
    """The open alarms in the reader's scope."""
    rows = work.session.execute(
        select(col(Alarm.severity), func.count().label("count"), func.min(col(Alarm.raised_at)).label("since"))
        .where(col(Alarm.state) == AlarmState.OPEN).group_by(col(Alarm.severity))
    ).all()
    return OpenAlarms(
        {Severity(row.severity): int(row[1]) for row in rows}, min((row.since for row in rows), default=None)
    )


def components(work: Work) -> list[Component]:
    """Both parts, for a reader of all departments."""
    failing = [Failing(row.channel, row[1], row.since) for row in work.session.execute(_FAILING)]
    sent = None
    if work.unlocked:
        route = work.session.scalars(select(AlarmRoute)).first()
        sent = route is not None and bool(route.mail_recipients or route.webhook_url)
    return [alarms(open_alarms(work)), deliveries(failing, sent=sent)]
