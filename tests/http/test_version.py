"""Which build runs: told to everybody, and nothing else with it."""

from __future__ import annotations

import pytest

from tests.web import Site
from workreef_app.services.tenancy.platform import Tenant


@pytest.mark.parametrize(("folder", "build"), [("/data/pages/0123456789abcdef", "0123456789abcdef"), ("", "")])
def test_the_build_is_told_without_a_session_and_is_not_kept(
    site: Site, tenant: Tenant, monkeypatch: pytest.MonkeyPatch, folder: str, build: str
) -> None:
    monkeypatch.setenv("REFLEX_WEB_WORKDIR", folder)
    answer = site.get(tenant, "/version.json")
    assert (answer.status_code, answer.json()) == (200, {"build": build})
    assert answer.headers["cache-control"] == "no-store"


def test_it_is_no_address_of_an_unknown_host(site: Site) -> None:
    assert site.send("GET", "/version.json", "nobody-is-here.localhost:3999").status_code == 404
