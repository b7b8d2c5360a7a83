"""What is sent of an alarm: a mail and a signed webhook call. Neither holds anything that came from a customer.

Plain functions on plain values.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from workreef_app.services.alarms.kinds import MEANINGS, AlarmKind, Severity
from workreef_app.services.outbound.mail import Mail
from workreef_app.services.outbound.policy import HttpRequest

SIGNATURE: Final = "X-WorkReef-Signature"


@dataclass(frozen=True, slots=True)
class Notice:
    """What may be said of an alarm outside. `kind` None is a test, which says that it is one."""

    id: UUID
    opening: int
    kind: AlarmKind | None
    severity: Severity
    tenant: str
    raised_at: datetime
    last_at: datetime
    times: int
    link: str

    @property
    def key(self) -> str:
        """Stays the same when this opening of the alarm is sent again, and is no other's."""
        return f"{self.id}-{self.opening}"


def _time(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def payload(notice: Notice) -> bytes:
    """The body of a webhook call."""
    body: dict[str, Any] = {
        "type": "alarm" if notice.kind else "test", "id": str(notice.id), "opening": notice.opening,
        "kind": notice.kind.value if notice.kind else None, "severity": notice.severity.value,
        "tenant": notice.tenant, "raised_at": _time(notice.raised_at), "last_at": _time(notice.last_at),
        "times": notice.times, "link": notice.link,
    }
    return json.dumps(body, separators=(",", ":"), sort_keys=True).encode()


def signature(secret: str, body: bytes, at: datetime) -> str:
    """`t=<seconds>,v1=<hex>`: HMAC-SHA256 under the secret of the seconds, a full stop and the body."""
    seconds = int(at.timestamp())
    digest = hmac.new(secret.encode(), f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={seconds},v1={digest}"


def webhook(notice: Notice, url: str, secret: str, now: datetime) -> HttpRequest:
    """The call that tells a webhook of an alarm."""
    body = payload(notice)
    return HttpRequest("POST", url, {
        "Content-Type": "application/json", "Idempotency-Key": notice.key, SIGNATURE: signature(secret, body, now),
    }, body)


def mail(notice: Notice, sender: str, recipients: list[str]) -> Mail:
    """The mail that tells of an alarm."""
    if notice.kind is None:
        title, what_to_do = "This is a test of the alarm routes.", "Nothing is to be done."
        subject = f"WorkReef test: {notice.tenant}"
    else:
        title, what_to_do = MEANINGS[notice.kind].title, MEANINGS[notice.kind].what_to_do
        subject = f"WorkReef {notice.severity.value}: {notice.tenant}: {title}"
    text = (
        f"{title}\n\n{what_to_do}\n\n"
        f"Severity: {notice.severity.value}\nTenant: {notice.tenant}\nSince: {_time(notice.raised_at)}\n"
        f"Last: {_time(notice.last_at)}, {notice.times} in all\n\n{notice.link}\n"
    )
    return Mail(sender, tuple(recipients), subject, text, f"<alarm-{notice.key}@{sender.rpartition('@')[2]}>")
