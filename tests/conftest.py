"""One real embedded Postgres a test process, and cheap tenants in it."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from workreef_app import settings as settings_module
from workreef_app.services.access.operations import SessionGranted
from workreef_app.services.door import Caller, Door
from workreef_app.services.operation import Actor, Reach
from workreef_app.services.process import opened
from workreef_app.services.tenancy.platform import Tenant
from workreef_app.services.tenancy.tenants import create_tenant
from workreef_app.settings import Settings

pytest_plugins = ("tests.serving", "tests.sso.providing", "tests.web")

PASSWORD = "correct horse battery staple"
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def data_dir() -> Iterator[Path]:
    """A data directory that this test process has for itself.

    Not pytest's own: that one is closed to other users, and Postgres runs as one of them when root runs the tests.
    """
    with tempfile.TemporaryDirectory(prefix="workreef-test-", ignore_cleanup_errors=True) as name:
        yield Path(name)


@pytest.fixture(scope="session")
def settings(data_dir: Path) -> Settings:
    """Settings of that data directory."""
    return settings_module.load(
        data_dir=data_dir, env="development", secret_key="t5Kq9Zr2Xw8Lm4Np7Vb1Yc6Hd3Gf0Js5",
        database_url="", redis_url="", public_url="http://localhost:3999", port=3999, platform_key="local:platform",
        trusted_proxies="",
    )


@pytest.fixture(scope="session")
def door(settings: Settings) -> Iterator[Door]:
    """The door of a platform on a real Postgres."""
    with opened(settings) as door:
        yield door


@pytest.fixture
def make_tenant(door: Door) -> Callable[..., Tenant]:
    """Makes a tenant; `hipaa` and `demo` as given."""

    def make(**options: bool) -> Tenant:
        slug = f"t{next(_numbers)}"
        create_tenant(door.platform, slug=slug, name=f"Tenant {slug}", **options)
        return door.platform.tenant(slug)

    return make


@pytest.fixture
def tenant(make_tenant: Callable[..., Tenant]) -> Tenant:
    """A tenant of this test alone."""
    return make_tenant()


@pytest.fixture
def cli() -> Callable[[Tenant], Caller]:
    """The caller at the command line: an admin."""
    return lambda tenant: Caller(tenant, "test-cli", cli_user="tester")


@pytest.fixture
def browser(settings: Settings) -> Callable[[Tenant], Caller]:
    """A browser at the tenant's host, not signed in."""
    return lambda tenant: Caller(
        tenant, "test-browser", host=f"{tenant.info.slug}.{settings.public_host}", address="127.0.0.1"
    )


@pytest.fixture
def person(
    door: Door, cli: Callable[[Tenant], Caller], browser: Callable[[Tenant], Caller]
) -> Callable[..., Caller]:
    """Makes a signed-in person: `person(tenant, ["operator"], ["claims"])`; departments are made when missing."""

    def make(tenant: Tenant, personas: list[str], departments: list[str] | None = None, email: str = "") -> Caller:
        admin, known = cli(tenant), departments or []
        have = {d for d in known if _has_department(door, tenant, d)}
        for slug in known:
            if slug not in have:
                door.perform(admin, "departments.create", {"slug": slug, "name": slug.capitalize()})
        number = next(_numbers)
        invited = door.perform(admin, "people.create", {
            "email": email or f"person{number}@example.com", "name": f"Person {number}", "personas": personas,
            "departments": known,
        })
        granted: SessionGranted = door.perform(
            browser(tenant), "invitations.accept", {"token": invited.invitation_token, "password": PASSWORD}
        )
        return replace(browser(tenant), token=granted.token)

    return make


def _has_department(door: Door, tenant: Tenant, slug: str) -> bool:
    with door.platform.unit_of_work(tenant, Actor(id="test", extra_reach=frozenset({Reach.PEOPLE}))) as session:
        return session.execute(text("SELECT 1 FROM department WHERE slug = :s"), {"s": slug}).first() is not None


_skipped: list[str] = []


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.skipped and not hasattr(report, "wasxfail"):
        _skipped.append(report.nodeid)


def pytest_collectreport(report: pytest.CollectReport) -> None:
    if report.skipped:
        _skipped.append(report.nodeid)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A skipped test fails the run: what was not tested must not look as if it were."""
    if _skipped and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for test in _skipped:
        terminalreporter.write_line(f"Skipped, which fails the run: {test}", red=True)
