"""The sample logs: the same for the same seed, readable to the last line, and of every kind that is promised."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

import pytest

from workreef_app.demo.habits import HABITS
from workreef_app.demo.logs import SampleFile, files
from workreef_app.demo.world import TENANTS
from workreef_app.services.recommend.words import health, trouble
from workreef_app.services.signals.reader import Line, read_lines

UNTIL = datetime(2026, 3, 2, 15, 30, tzinfo=UTC)
EVERY = sorted(HABITS)


def lines(file: SampleFile) -> list[Line]:
    found = list(read_lines(io.BytesIO(file.content), zone=UTC, year=None, now=UNTIL))
    assert all(isinstance(line, Line) for line in found)
    return [line for line in found if isinstance(line, Line)]


def test_every_department_has_logs() -> None:
    assert sorted((tenant.slug, department.slug) for tenant in TENANTS for department in tenant.departments) == EVERY


@pytest.mark.parametrize(("tenant", "department"), EVERY)
def test_the_same_seed_gives_the_same_bytes(tenant: str, department: str) -> None:
    assert files(tenant, department, until=UNTIL) == files(tenant, department, until=UNTIL)
    assert files(tenant, department, until=UNTIL) != files(tenant, department, until=UNTIL, seed="another")


@pytest.mark.parametrize(("tenant", "department"), EVERY)
def test_every_line_is_read_and_of_the_month_before(tenant: str, department: str) -> None:
    found = [line for file in files(tenant, department, until=UNTIL) for line in lines(file)]
    assert len(found) > 4000
    assert all(UNTIL - timedelta(days=30) <= line.at < UNTIL for line in found)
    assert len({line.at.date() for line in found}) == 30


@pytest.mark.parametrize(("tenant", "department"), EVERY)
def test_some_is_trouble_some_routine_and_health_data_is_the_insurers_alone(tenant: str, department: str) -> None:
    messages = [line.message for file in files(tenant, department, until=UNTIL) for line in lines(file)]
    assert any(trouble(message) for message in messages)
    assert any(not trouble(message) for message in messages)
    assert any(health(message) for message in messages) == (tenant == "health")


def test_both_forms_are_written() -> None:
    servers, applications = files("harbor", "depots", until=UNTIL)
    assert servers.name.endswith(".log")
    assert not servers.content.startswith(b"{")
    assert all(line.startswith(b"{") for line in applications.content.splitlines())
