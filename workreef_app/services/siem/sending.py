"""Pushing a batch of entries. Network only: no database, no transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from workreef_app.services.alarms.letters import SIGNATURE, signature
from workreef_app.services.audit_review.feeding import Form
from workreef_app.services.outbound import calls, syslog
from workreef_app.services.outbound.policy import Client, HttpRequest, Outcome, Policy
from workreef_app.services.siem import frames
from workreef_app.services.siem.frames import Entry
from workreef_app.services.siem.models import FeedKind

#: A batch that was taken, and whose answer was lost, is sent again: its reader tells it by its entries' numbers.
PUSH: Final = Policy(idempotent=True, body_limit=0, connect=3.0, read=5.0, total=12.0)
SYSLOG_PORT: Final = 6514


@dataclass(frozen=True, slots=True)
class Feed:
    """Where a batch goes, and how it is written. `host` is the tenant's, by which a collector tells the sender."""

    kind: FeedKind
    form: Form
    target: str = field(repr=False)
    secret: str = field(repr=False)
    host: str
    public_only: bool


def send(entries: Sequence[Entry], feed: Feed, now: datetime, client: Client | None = None) -> Outcome:
    """Pushes entries in their order. Every failure is in the outcome, and then none of them counts as taken."""
    policy = replace(PUSH, public_only=feed.public_only)
    if feed.kind is FeedKind.SYSLOG:
        at = urlsplit(feed.target)
        sent = b"".join(frames.syslog(entry, feed.form, feed.host) for entry in entries)
        return syslog.send(at.hostname or "", at.port or SYSLOG_PORT, sent, policy, client=client)
    body = "".join(frames.line(entry, feed.form) for entry in entries).encode()
    kind = "application/x-ndjson" if feed.form is Form.OCSF else "text/plain; charset=utf-8"
    return calls.call(HttpRequest("POST", feed.target, {
        "Content-Type": kind, "Idempotency-Key": f"{entries[0].tenant}-{entries[0].seq}-{entries[-1].seq}",
        SIGNATURE: signature(feed.secret, body, now),
    }, body), policy, client=client)
