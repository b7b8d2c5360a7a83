"""What is sent of an alarm: signed, told apart from a second copy, and without content."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest

from workreef_app.services.alarms import letters
from workreef_app.services.alarms.kinds import MEANINGS, AlarmKind, Severity
from workreef_app.services.alarms.letters import Notice

AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
NOTICE = Notice(
    id=UUID(int=7), opening=2, kind=AlarmKind.JOB_FAILED, severity=Severity.WARNING, tenant="health", raised_at=AT,
    last_at=AT, times=3, link="https://health.workreef.test/alarms",
)


def test_a_webhook_call_says_what_happened_and_nothing_else() -> None:
    request = letters.webhook(NOTICE, "https://hooks.test/in", "s3cret", AT)
    assert json.loads(request.content) == {
        "type": "alarm", "id": str(NOTICE.id), "opening": 2, "kind": "job_failed", "severity": "warning",
        "tenant": "health", "raised_at": "2026-11-23T09:00:00Z", "last_at": "2026-11-23T09:00:00Z", "times": 3,
        "link": "https://health.workreef.test/alarms",
    }
    assert (request.method, request.headers["Idempotency-Key"]) == ("POST", f"{NOTICE.id}-2")


def test_a_receiver_can_check_the_signature() -> None:
    request = letters.webhook(NOTICE, "https://hooks.test/in", "s3cret", AT)
    fields = dict(part.split("=") for part in request.headers["X-WorkReef-Signature"].split(","))
    signed = fields["t"].encode() + b"." + request.content
    assert fields["t"] == str(int(AT.timestamp()))
    assert fields["v1"] == hmac.new(b"s3cret", signed, hashlib.sha256).hexdigest()


@pytest.mark.parametrize(("secret", "body", "at"), [
    ("other", b"{}", AT), ("s", b"{} ", AT), ("s", b"{}", AT.replace(second=1)),
])
def test_a_signature_is_of_the_secret_the_body_and_the_time(secret: str, body: bytes, at: datetime) -> None:
    assert letters.signature(secret, body, at).split("v1=")[1] != letters.signature("s", b"{}", AT).split("v1=")[1]


def test_a_second_copy_is_told_by_its_key_and_another_opening_has_another() -> None:
    one, two = letters.mail(NOTICE, "w@acme.test", ["a@b.test"]), letters.mail(NOTICE, "w@acme.test", ["a@b.test"])
    worse = letters.mail(replace(NOTICE, opening=3), "w@acme.test", ["a@b.test"])
    assert one.message_id == two.message_id == f"<alarm-{NOTICE.id}-2@acme.test>"
    assert worse.message_id != one.message_id


@pytest.mark.parametrize("kind", AlarmKind)
def test_every_kind_says_what_it_is_and_what_to_do(kind: AlarmKind) -> None:
    mail = letters.mail(replace(NOTICE, kind=kind), "w@acme.test", ["a@b.test"])
    assert mail.subject == f"WorkReef warning: health: {MEANINGS[kind].title}"
    assert MEANINGS[kind].what_to_do in mail.text
    assert NOTICE.link in mail.text
    assert MEANINGS[kind].title.endswith(".")
    assert MEANINGS[kind].what_to_do.endswith(".")


def test_a_test_says_that_it_is_one() -> None:
    test = replace(NOTICE, kind=None)
    assert json.loads(letters.payload(test))["type"] == "test"
    assert "test" in letters.mail(test, "w@acme.test", ["a@b.test"]).subject


def test_only_what_tells_of_deliveries_is_not_delivered() -> None:
    assert [kind for kind in AlarmKind if not MEANINGS[kind].delivered] == [AlarmKind.DELIVERY_FAILED]
    assert [severity.rank for severity in Severity] == [0, 1, 2]
