"""What admins set of single sign-on, and what is refused to be set."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from workreef_app.services.callers import Caller
from workreef_app.services.door import Door
from workreef_app.services.operation import Conflict, Invalid
from workreef_app.services.sso.provider import sound_url
from workreef_app.services.tenancy.platform import Tenant
from workreef_app.settings import Environment

ISSUER = "http://127.0.0.1:1/provider"


@pytest.fixture
def perform(door: Door, tenant: Tenant, cli: Callable[[Tenant], Caller]) -> Callable[..., Any]:
    """An operation of the admin: `perform("change", issuer=…)`."""

    def call(name: str, **payload: Any) -> Any:
        if name == "change":
            payload = {"issuer": ISSUER, "client_id": "workreef", **payload}
        return door.perform(cli(tenant), f"sso.{name}", payload)

    return call


def test_nothing_is_set_at_first(perform: Callable[..., Any], tenant: Tenant) -> None:
    found = perform("read")
    assert (found.issuer, found.enabled, found.mapping, found.updated_at) == ("", False, [], None)
    assert found.redirect_uri == f"http://{tenant.info.slug}.localhost:3999/auth/oidc/callback"
    with pytest.raises(Conflict, match="No provider"):
        perform("test")


def test_the_secret_is_kept_for_its_issuer_alone(perform: Callable[..., Any]) -> None:
    assert perform("change", client_secret="the secret").client_secret_set
    assert perform("change", client_id="other").client_secret_set, "left out, it stays"
    assert not perform("change", issuer=ISSUER + "2").client_secret_set, "another provider never gets to see it"
    assert perform("change", issuer=ISSUER + "2", client_secret="another").client_secret_set
    assert "another" not in perform("read").model_dump_json()
    assert not perform("change", issuer=ISSUER + "2", client_secret="").client_secret_set


def test_it_is_switched_on_only_when_somebody_can_come_in(perform: Callable[..., Any]) -> None:
    with pytest.raises(Invalid, match="which groups may"):
        perform("change", enabled=True)
    perform("map_group", group="ops", personas=["operator"])
    assert perform("change", enabled=True).enabled
    with pytest.raises(Conflict, match="Switch single sign-on off"):
        perform("unmap_group", group="ops")
    perform("map_group", group="more", personas=["operator"])
    assert [row.group for row in perform("unmap_group", group="ops").mapping] == ["more"]
    with pytest.raises(Conflict, match="not on the list"):
        perform("unmap_group", group="ops")


def test_passwords_are_not_refused_before_an_admin_has_one(
    perform: Callable[..., Any], person: Callable[..., Caller], tenant: Tenant
) -> None:
    perform("map_group", group="ops", personas=["operator"])
    with pytest.raises(Invalid, match="is off"):
        perform("change", passwords_for_admins_only=True)
    with pytest.raises(Invalid, match="No admin has a password"):
        perform("change", enabled=True, passwords_for_admins_only=True)
    person(tenant, ["admin"], email="only@example.com")
    assert perform("change", enabled=True, passwords_for_admins_only=True, link_by_email=True).passwords_for_admins_only
    with pytest.raises(Conflict, match="last admin with a password"):
        perform("hand_over", email="only@example.com")


def test_nobody_hands_their_own_account_over(
    perform: Callable[..., Any], person: Callable[..., Caller], tenant: Tenant, door: Door
) -> None:
    perform("map_group", group="ops", personas=["operator"])
    perform("change", enabled=True, link_by_email=True)
    me = person(tenant, ["admin"], email="me@example.com")
    person(tenant, ["admin"])
    with pytest.raises(Conflict, match="another admin"):
        door.perform(me, "sso.hand_over", {"email": "me@example.com"})


def test_a_group_is_said_once_and_its_departments_exist(perform: Callable[..., Any]) -> None:
    with pytest.raises(Invalid, match="no such department"):
        perform("map_group", group="ops", personas=["operator"], departments=["nowhere"])
    perform("map_group", group="ops", personas=["operator", "operator"])
    found = perform("map_group", group="ops", personas=["dept_lead"])
    assert [(row.group, row.personas) for row in found.mapping] == [("ops", ["dept_lead"])]
    for wrong in ({"group": ""}, {"group": "g" * 201}, {"group": "g", "personas": []},
                  {"group": "g", "personas": ["root"]}):
        with pytest.raises(Invalid):
            perform("map_group", **{"personas": ["operator"], **wrong})


@pytest.mark.parametrize("domain", ["", "example", "@example.com", "a b.com", "example..com", "exаmple.com", "a." * 99])
def test_a_domain_that_is_none_is_refused(domain: str, perform: Callable[..., Any]) -> None:
    with pytest.raises(Invalid, match="domains"):
        perform("change", domains=[domain])


def test_domains_are_compared_in_small_letters(perform: Callable[..., Any]) -> None:
    assert perform("change", domains=["Example.COM", "example.com"]).domains == ["example.com"]


@pytest.mark.parametrize("url", [
    "", "example.com", "ftp://id.example.com", "https://", "https://user:pass@id.example.com", "https://id.example.com/#a",
    "https://id.example.com:0", "https://id.example.com:port", "https://id.exa mple.com", "https://ïd.example.com",
    "javascript:alert(1)", "https://id.example.com/\r\nSet-Cookie: a=b", "https://" + "a" * 500, None, 7, ["https://a.b"],
])
def test_an_address_that_is_none_is_refused(url: Any, perform: Callable[..., Any]) -> None:
    assert not sound_url(url, production=False)
    with pytest.raises(Invalid, match="issuer"):
        perform("change", issuer=url)


def test_in_production_an_issuer_is_https(
    perform: Callable[..., Any], door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = door.platform.settings.model_copy(update={"env": Environment.PRODUCTION})
    monkeypatch.setattr(door.platform, "settings", changed)
    with pytest.raises(Invalid, match="issuer"):
        perform("change", issuer="http://id.example.com")
    with pytest.raises(Invalid, match="issuer"):
        perform("change", issuer="https://id.example.com?a=b")
    assert perform("change", issuer="https://127.0.0.1:1").issuer
    tried = perform("test")
    assert not tried.ok
    assert tried.checks[0].said == "Its host is not on the public internet, so it is not called."
