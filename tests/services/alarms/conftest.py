"""Alarms raised by hand, jobs that deliver them run by hand, and receivers on this host."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from aiosmtpd.controller import Controller
from sqlalchemy import text
from uuid_utils.compat import uuid7

from tests.services.outbound.conftest import Timeline, Web, closed_port, timeline, web  # noqa: F401
from workreef_app.services.alarms.jobs import deliver_by
from workreef_app.services.door import Caller, Door
from workreef_app.services.jobs.kinds import KINDS
from workreef_app.services.operation import Actor, Fact, Reach, Work
from workreef_app.services.tenancy.platform import Tenant
from workreef_app.services.workers import running

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
Works = Callable[..., AbstractContextManager[Work]]


@pytest.fixture
def work(door: Door) -> Works:
    """A unit of work as an operation gets it, of an actor that sees nothing unless told: `work(tenant, *reach)`."""

    @contextmanager
    def opened(tenant: Tenant, *reach: Reach, departments: frozenset[UUID] = frozenset()) -> Iterator[Work]:
        actor = Actor(id="test", extra_reach=frozenset(reach), departments=departments)
        with door.platform.unit_of_work(tenant, actor) as session:
            yield Work(session, actor, NOW, tenant.info, "test", "", True, lambda value: value, Fact())

    return opened


@dataclass
class Box:
    """What the mail server took."""

    taken: list[Any]

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.taken.append(envelope)
        return "250 taken"


@pytest.fixture
def box(door: Door, closed_port: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[Box]:  # noqa: F811
    """A mail server, set up as this installation's own."""
    box = Box([])
    controller = Controller(box, hostname="127.0.0.1", port=closed_port)
    controller.start()
    use_settings(door, monkeypatch, smtp_url=f"smtp://127.0.0.1:{closed_port}", mail_from="workreef@acme.test")
    yield box
    controller.stop()


def use_settings(door: Door, monkeypatch: pytest.MonkeyPatch, **changes: Any) -> None:
    """Settings of the process, other than they were."""
    settings = type(door.platform.settings).model_validate(door.platform.settings.model_dump() | changes)
    monkeypatch.setattr(door.platform, "settings", settings)


@pytest.fixture
def routes(door: Door, cli: Callable[[Tenant], Caller]) -> Callable[..., Any]:
    """Sets up where alarms go: `routes(tenant, webhook_url=…)`; from a notice on unless told."""
    return lambda tenant, **given: door.perform(
        cli(tenant), "alarm_routes.change", {"minimum_severity": "notice", **given}
    )


@pytest.fixture
def raised(door: Door) -> Callable[..., UUID]:
    """Raises an alarm as what watches the house does."""

    def run(tenant: Tenant, kind: str = "limiter_unreachable", subject: str = "") -> UUID:
        system = Caller(tenant, uuid7().hex, system="watch")
        found: UUID = door.perform(system, "alarms.raise", {"kind": kind, "subject": subject}).alarm_id
        return found

    return run


@pytest.fixture
def deliveries(door: Door) -> Callable[[Tenant], list[UUID]]:
    """The jobs that deliver alarms, oldest first, read beside the door."""

    def read(tenant: Tenant) -> list[UUID]:
        with door.platform.unit_of_work(tenant, Actor(id="test", extra_reach=frozenset({Reach.ALL_WORK}))) as session:
            rows = session.execute(text("SELECT id FROM job WHERE kind = 'alarm_delivery' ORDER BY id"))
            return [row.id for row in rows]

    return read


@pytest.fixture
def run(door: Door, timeline: Timeline, monkeypatch: pytest.MonkeyPatch) -> Callable[[Tenant, UUID], Any]:  # noqa: F811
    """Runs a job once as a worker does, with time that only waiting turns."""
    body = replace(KINDS["alarm_delivery"], body=lambda job: deliver_by(job, timeline.client()))
    monkeypatch.setitem(KINDS, "alarm_delivery", body)
    return lambda tenant, job_id: running.run(door, tenant.info.id, job_id, 0.0, lambda: False)
