"""Alarms, their deliveries and their routes as the pages show them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from workreef_app.services.alarms.kinds import AlarmKind, Severity
from workreef_app.services.alarms.models import AlarmState, Channel, DeliveryStatus
from workreef_app.services.alarms.operations import AlarmRow, DeliveryRow
from workreef_app.services.alarms.routes import ChannelOutcome
from workreef_app.services.operation import REGISTRY
from workreef_app.services.outbound.policy import Failure
from workreef_app.state.alarm_routes import addresses_of, told, tried_line
from workreef_app.state.alarms import CHANNELS, FAILURES, OUTCOMES, SEVERITIES, STATES, about, alarm_line, why

AT = datetime(2026, 11, 14, 21, 19, 7, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
ME, OTHER = UUID(int=1), UUID(int=2)


def row(**changes: Any) -> AlarmRow:
    facts: dict[str, Any] = {
        "id": UUID(int=7), "kind": AlarmKind.JOB_FAILED, "title": "A job failed three times.",
        "what_to_do": "Retry it.",
        "severity": Severity.WARNING, "state": AlarmState.OPEN, "subject": "job:1", "department": None, "detail": {},
        "times": 1, "opening": 1, "raised_at": AT - timedelta(hours=1), "last_at": AT, "owner_id": None, "owner": "",
        "acknowledged_at": None, "acknowledged_by": "", "resolved_at": None, "resolved_by": "", "deliveries": [],
    }
    return AlarmRow.model_validate({**facts, **changes})


def line(*, keeper: bool = True, me: str = str(ME), **changes: Any) -> Any:
    return alarm_line(row(**changes), AT, BERLIN, me=me, keeper=keeper)


def test_an_alarm_says_since_when_how_often_and_what_to_do() -> None:
    shown = line(times=1_204, department="Claims")
    assert shown.title == "A job failed three times"
    assert shown.came == "Since 21:19 CET, 1,204 times, last 22:19 CET · Claims"
    assert (shown.state, shown.severity, shown.stands, shown.cure) == ("attention", "Warning", "Open", "Retry it.")
    assert line().came == "Since 21:19 CET · No department"


def test_what_people_did_is_one_sentence() -> None:
    assert line().history == ""
    shown = line(state=AlarmState.RESOLVED, acknowledged_at=AT, acknowledged_by="dana Ito", resolved_at=AT)
    assert shown.history == "Acknowledged by dana Ito 22:19 CET, resolved by somebody 22:19 CET"


@pytest.mark.parametrize(
    ("changes", "may", "owner"),
    [
        ({}, "acknowledge take resolve", "Nobody"),
        ({"owner_id": OTHER, "owner": "Dana Ito"}, "acknowledge take resolve", "Dana Ito"),
        ({"owner_id": ME, "state": AlarmState.ACKNOWLEDGED}, "release resolve", "You"),
        ({"owner_id": ME, "state": AlarmState.RESOLVED}, "", "You"),
        ({"keeper": False, "owner_id": OTHER}, "", "Somebody"),
        ({"me": ""}, "acknowledge resolve", "Nobody"),
    ],
)
def test_what_a_person_may_do(changes: dict[str, Any], may: str, owner: str) -> None:
    shown = line(**changes)
    verbs = ("acknowledge", "take", "release", "resolve")
    assert " ".join(verb for verb in verbs if getattr(shown, f"may_{verb}")) == may
    assert shown.owner == owner


def test_an_alarm_leads_to_what_it_is_about_where_the_reader_may_go() -> None:
    assert about("import:7", keeper=False) == ("/sources?import=7", "The import")
    assert about("job:7", keeper=True) == ("/admin/status#jobs", "The jobs")
    assert about("job:7", keeper=False) == ("", "")
    assert about("", keeper=True) == about("odd:1", keeper=True) == ("", "")


def test_a_delivery_says_how_it_went_and_why() -> None:
    delivery = DeliveryRow(channel=Channel.WEBHOOK, opening=1, status=DeliveryStatus.UNCERTAIN, attempts=3,
                           failure="timeout", answer=None, at=AT)
    (shown,) = line(deliveries=[delivery]).deliveries
    assert (shown.state, shown.word) == ("attention", "Webhook uncertain")
    assert shown.text == "22:19 CET after 3 attempts: no answer in time"
    fine = delivery.model_copy(update={"status": DeliveryStatus.DELIVERED, "failure": None, "attempts": 1})
    assert line(deliveries=[fine]).deliveries[0].text == "22:19 CET"
    assert why("refused", 410) == "it was refused, answer 410"
    assert why("odd_code", None) == "odd code"


def test_everything_that_there_is_has_a_word() -> None:
    assert set(SEVERITIES) == set(Severity)
    assert set(STATES) == set(AlarmState)
    assert set(OUTCOMES) == set(DeliveryStatus)
    assert set(CHANNELS) == set(Channel)
    assert set(FAILURES) == set(Failure)


def test_a_test_says_what_came_of_each_channel() -> None:
    outcome = ChannelOutcome(channel=Channel.MAIL, ok=True, failure=None, answer=250, uncertain=False)
    assert (tried_line(outcome).state, tried_line(outcome).word) == ("proven", "Mail delivered")
    failed = outcome.model_copy(update={"ok": False, "failure": Failure.SIGN_IN, "answer": 535})
    assert tried_line(failed).word == "Mail failed"
    assert tried_line(failed).text == "the sign-in was refused, answer 535"
    assert tried_line(failed.model_copy(update={"uncertain": True})).word == "Mail uncertain"


def test_addresses_are_one_a_line_or_between_commas() -> None:
    assert addresses_of(" a@x.example \r\n\nb@x.example, c@x.example,") == ["a@x.example", "b@x.example", "c@x.example"]
    assert addresses_of("") == []


def test_an_address_that_is_none_is_named() -> None:
    said = told("Not accepted: mail_recipients.1. Mail_recipients.1 String should match.", ["a@x.example", "odd"])
    assert said == "Not accepted: odd is no mail address."
    assert told("Too many requests.", ["odd"]) == "Too many requests."
    assert told("Not accepted: mail_recipients.9.", ["odd"]) == "Not accepted: mail_recipients.9."


@pytest.mark.parametrize(
    "name", ["alarms.list", "alarms.poll", "alarms.count", "alarms.acknowledge", "alarms.assign", "alarms.resolve",
             "alarm_routes.read", "alarm_routes.change", "alarm_routes.test"],
)
def test_what_the_pages_ask_for_is_there(name: str) -> None:
    assert name in REGISTRY
