"""An alarm is delivered by the job: signed, recorded once, tried again, and told when it cannot be."""

from __future__ import annotations

import email
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from tests.services.alarms.conftest import Box, use_settings
from tests.services.outbound.conftest import Web, answer, reset
from workreef_app.services.alarms.letters import signature
from workreef_app.services.alarms.sending import Ways
from workreef_app.services.door import Caller, Door, JobClaim
from workreef_app.services.jobs.ledger import Fenced
from workreef_app.services.operation import WrongPersona
from workreef_app.services.tenancy.platform import Tenant
from workreef_app.services.workers import running
from workreef_app.services.workers.running import Again

Cli = Callable[[Tenant], Caller]


def alarms(door: Door, admin: Caller) -> Any:
    return door.perform(admin, "alarms.list", {}).rows


def outcomes(door: Door, admin: Caller, alarm_id: UUID) -> list[tuple[str, int, str, str | None]]:
    row = next(row for row in alarms(door, admin) if row.id == alarm_id)
    return [(d.channel, d.opening, d.status, d.failure) for d in row.deliveries]


def status_of(door: Door, admin: Caller, job_id: UUID) -> tuple[str, str | None]:
    row = next(row for row in door.perform(admin, "jobs.list", {"limit": 200}).rows if row.id == job_id)
    return row.status, row.error


def test_an_alarm_goes_by_mail_and_webhook_without_content(
    door: Door, tenant: Tenant, cli: Cli, web: Web, box: Box, routes: Any, raised: Any, deliveries: Any, run: Any,
    log: Any,
) -> None:
    secret = routes(tenant, mail_recipients=["ops@acme.test"], webhook_url=web.url("/in")).new_secret
    alarm_id = raised(tenant, subject="redis")
    (job_id,) = deliveries(tenant)
    assert run(tenant, job_id) is None
    ((method, path, headers, body),) = web.seen
    told = json.loads(body)
    assert (method, path, told["id"], told["kind"]) == ("POST", "/in", str(alarm_id), "limiter_unreachable")
    assert told["link"] == f"{door.platform.settings.tenant_url(tenant.info.slug)}/alarms"
    assert headers["idempotency-key"] == f"{alarm_id}-1"
    seconds = int(headers["x-workreef-signature"].split(",")[0][2:])
    assert headers["x-workreef-signature"] == signature(secret, body, datetime.fromtimestamp(seconds, UTC))
    message = email.message_from_bytes(box.taken[0].content)
    assert (message["To"], message["Message-ID"]) == ("ops@acme.test", f"<alarm-{alarm_id}-1@acme.test>")
    assert "redis" not in body.decode() + message.as_string(), "what it is about stays in the house"
    assert outcomes(door, cli(tenant), alarm_id) == [("mail", 1, "delivered", None), ("webhook", 1, "delivered", None)]
    assert status_of(door, cli(tenant), job_id) == ("done", None)
    entries = [(event, actor) for event, actor, target in log(tenant) if target == f"alarm:{alarm_id}"]
    assert entries == [("alarm.raised", "system:watch"), *[("alarm.delivered", f"job:{job_id}")] * 2]


def test_a_receiver_that_comes_back_gets_it_and_who_has_it_is_not_sent_it_again(
    door: Door, tenant: Tenant, cli: Cli, web: Web, box: Box, routes: Any, raised: Any, deliveries: Any, run: Any
) -> None:
    web.replies(answer(503), answer(503), reset, answer(200))
    routes(tenant, mail_recipients=["ops@acme.test"], webhook_url=web.url())
    alarm_id = raised(tenant)
    (job_id,) = deliveries(tenant)
    assert isinstance(run(tenant, job_id), Again)
    assert outcomes(door, cli(tenant), alarm_id)[1] == ("webhook", 1, "uncertain", "broken")
    assert [row.kind for row in alarms(door, cli(tenant))] == ["limiter_unreachable"], "it is tried again yet"
    assert run(tenant, job_id) is None
    assert outcomes(door, cli(tenant), alarm_id) == [("mail", 1, "delivered", None), ("webhook", 1, "delivered", None)]
    assert (len(web.seen), len(box.taken)) == (4, 1)
    assert len({headers["idempotency-key"] for _, _, headers, _ in web.seen}) == 1


def test_what_cannot_be_delivered_is_an_alarm_that_goes_nowhere_until_a_delivery_clears_it(
    door: Door, tenant: Tenant, cli: Cli, web: Web, routes: Any, raised: Any, deliveries: Any, run: Any
) -> None:
    web.replies(answer(503))
    routes(tenant, webhook_url=web.url())
    alarm_id = raised(tenant)
    (job_id,) = deliveries(tenant)
    assert [isinstance(run(tenant, job_id), Again) for _ in range(3)] == [True, True, False]
    assert (len(web.seen), status_of(door, cli(tenant), job_id)) == (9, ("failed", "not_delivered"))
    failed = next(row for row in alarms(door, cli(tenant)) if row.kind == "delivery_failed")
    assert (failed.subject, failed.times) == ("webhook", 1)
    assert failed.detail == {"alarm": str(alarm_id), "failure": "unavailable"}
    assert deliveries(tenant) == [job_id], "it makes no delivery of its own"
    web.replies(answer(200))
    door.perform(cli(tenant), "jobs.retry", {"job_id": job_id})
    assert run(tenant, job_id) is None
    states = {row.kind: row.state for row in alarms(door, cli(tenant))}
    assert states == {"limiter_unreachable": "open", "delivery_failed": "resolved"}


@pytest.mark.parametrize(("reply", "failure"), [(answer(410), "refused"), (answer(302, Location="/x"), "redirect")])
def test_a_no_is_not_asked_for_again(
    door: Door, tenant: Tenant, cli: Cli, web: Web, routes: Any, raised: Any, deliveries: Any, run: Any, reply: Any,
    failure: str,
) -> None:
    web.replies(reply)
    routes(tenant, webhook_url=web.url())
    alarm_id = raised(tenant)
    assert run(tenant, deliveries(tenant)[0]) is None
    assert (len(web.seen), outcomes(door, cli(tenant), alarm_id)) == (1, [("webhook", 1, "failed", failure)])
    assert {row.kind for row in alarms(door, cli(tenant))} == {"limiter_unreachable", "delivery_failed"}


def test_a_channel_that_fails_keeps_no_other_from_its_own(
    door: Door, tenant: Tenant, cli: Cli, web: Web, routes: Any, raised: Any, deliveries: Any, run: Any
) -> None:
    """No mail server is set up here."""
    routes(tenant, mail_recipients=["ops@acme.test"], webhook_url=web.url())
    alarm_id = raised(tenant)
    assert run(tenant, deliveries(tenant)[0]) is None
    assert outcomes(door, cli(tenant), alarm_id) == [
        ("mail", 1, "failed", "unconfigured"), ("webhook", 1, "delivered", None),
    ]


def test_production_calls_no_private_host(
    door: Door, tenant: Tenant, cli: Cli, web: Web, routes: Any, raised: Any, deliveries: Any, run: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    routes(tenant, webhook_url=web.url())
    alarm_id = raised(tenant)
    use_settings(door, monkeypatch, env="production")
    run(tenant, deliveries(tenant)[0])
    assert outcomes(door, cli(tenant), alarm_id) == [("webhook", 1, "failed", "refused_address")]
    assert web.seen == []


def test_what_is_over_before_it_is_sent_is_not_sent(
    door: Door, tenant: Tenant, cli: Cli, web: Web, routes: Any, raised: Any, deliveries: Any, run: Any
) -> None:
    routes(tenant, webhook_url=web.url())
    door.perform(cli(tenant), "alarms.resolve", {"alarm_id": raised(tenant)})
    (job_id,) = deliveries(tenant)
    assert run(tenant, job_id) is None
    assert (web.seen, status_of(door, cli(tenant), job_id)[0]) == ([], "done")


def test_a_delivery_is_recorded_once_and_not_by_a_worker_that_was_given_up(
    door: Door, tenant: Tenant, cli: Cli, routes: Any, raised: Any, deliveries: Any
) -> None:
    routes(tenant, webhook_url="http://127.0.0.1:9/")
    alarm_id = raised(tenant)
    (job_id,) = deliveries(tenant)
    taken = door.perform(running.caller(tenant, JobClaim(job_id)), "jobs.claim", {})
    holder = running.caller(tenant, JobClaim(job_id, taken.claim))
    well = {"channel": "webhook", "opening": 1, "attempts": 1, "answer": 200}
    lost = {"channel": "webhook", "opening": 1, "attempts": 3, "failure": "timeout", "uncertain": True}
    door.perform(holder, "alarms.record_delivery", lost)
    assert outcomes(door, cli(tenant), alarm_id) == [("webhook", 1, "uncertain", "timeout")]
    assert [door.perform(holder, "alarms.record_delivery", well).new for _ in range(2)] == [True, False]
    door.perform(holder, "alarms.record_delivery", lost)
    assert outcomes(door, cli(tenant), alarm_id) == [("webhook", 1, "delivered", None)]
    assert door.perform(holder, "alarms.plan_delivery", {}).channels == []
    door.perform(running.caller(tenant, JobClaim(job_id)), "jobs.claim", {})
    for name, payload in (("alarms.record_delivery", well), ("alarms.plan_delivery", {})):
        with pytest.raises(Fenced):
            door.perform(holder, name, payload)


def test_a_delivery_that_kills_its_workers_is_told(
    door: Door, tenant: Tenant, cli: Cli, routes: Any, raised: Any, deliveries: Any
) -> None:
    routes(tenant, webhook_url="http://127.0.0.1:9/")
    alarm_id = raised(tenant)
    (job_id,) = deliveries(tenant)
    for _ in range(4):
        door.perform(running.caller(tenant, JobClaim(job_id)), "jobs.claim", {})
    assert status_of(door, cli(tenant), job_id)[0] == "quarantined"
    failed = next(row for row in alarms(door, cli(tenant)) if row.kind == "delivery_failed")
    assert failed.detail == {"alarm": str(alarm_id)}


@pytest.mark.parametrize("name", ["alarms.plan_delivery", "alarms.record_delivery", "alarms.raise", "alarms.clear"])
def test_what_jobs_do_is_for_nobody_else(door: Door, tenant: Tenant, cli: Cli, name: str) -> None:
    payload = {"alarms.record_delivery": {"channel": "mail", "opening": 1, "attempts": 1},
               "alarms.plan_delivery": {}}.get(name, {"kind": "disk_low"})
    with pytest.raises(WrongPersona):
        door.perform(cli(tenant), name, payload)


def test_no_secret_and_no_address_is_in_what_a_plan_prints(
    door: Door, tenant: Tenant, box: Box, routes: Any, raised: Any, deliveries: Any
) -> None:
    secret = routes(tenant, mail_recipients=["ops@acme.test"], webhook_url="http://127.0.0.1:9/T0K3N").new_secret
    raised(tenant)
    (job_id,) = deliveries(tenant)
    taken = door.perform(running.caller(tenant, JobClaim(job_id)), "jobs.claim", {})
    plan = door.perform(running.caller(tenant, JobClaim(job_id, taken.claim)), "alarms.plan_delivery", {})
    assert isinstance(plan.ways, Ways)
    shown = repr(plan) + repr(plan.ways) + plan.model_dump_json()
    assert not any(word in shown for word in (secret, "T0K3N", "ops@acme.test"))


def test_without_a_scope_no_row_is_seen(door: Door, tenant: Tenant, raised: Any) -> None:
    raised(tenant)
    with door.platform.engines.use(tenant.info.id, tenant.url) as engine, engine.connect() as connection:
        for table in ("alarm", "alarm_delivery", "alarm_route"):
            assert connection.execute(text(f"SELECT count(*) FROM {table}")).scalar() == 0
