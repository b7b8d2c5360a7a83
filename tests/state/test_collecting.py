"""Where events are pushed, as its page says it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from workreef_app.services.audit_review.feeding import Form
from workreef_app.services.operation import REGISTRY
from workreef_app.services.outbound.policy import Failure
from workreef_app.services.siem.models import FeedKind
from workreef_app.services.siem.operations import FeedState
from workreef_app.state.collecting import FORMS, KINDS, standing

NOW = datetime(2026, 11, 14, 21, 19, 7, tzinfo=UTC)


def test_how_a_collector_stands_is_said_in_words() -> None:
    new = FeedState(kind=FeedKind.SYSLOG, target="tls://siem.example:6514", waiting=1, new_secret=None)
    assert standing(new, NOW, UTC) == ("unknown", "Nothing was taken yet. 1 entry waits.")
    fine = new.model_copy(update={"taken_at": NOW - timedelta(minutes=5), "sent_seq": 18_204, "waiting": 0})
    assert standing(fine, NOW, UTC) == ("proven", "Took all up to entry 18,204, 21:14 UTC. 0 entries wait.")
    refused = fine.model_copy(update={"failing_since": NOW, "failure": Failure.TLS, "waiting": 12})
    assert standing(refused, NOW, UTC) == ("broken", "Refuses since 21:19 UTC: tls. 12 entries wait.")


def test_every_kind_and_format_has_its_word() -> None:
    assert {kind for kind, _ in KINDS} == {kind.value for kind in FeedKind}
    assert {form for form, _ in FORMS} == {form.value for form in Form}
    assert REGISTRY["siem.change"].by
